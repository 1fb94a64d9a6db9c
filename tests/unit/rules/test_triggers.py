"""Which places an event is taken to, and what comes of it there."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from headrace.base.clock import to_datetime
from headrace.base.ids import uuid7
from headrace.rules.chains import Cause
from headrace.rules.compositions import Composition
from headrace.rules.metrics import Watching
from headrace.rules.triggers import (
    Kept,
    Memory,
    Place,
    find_places,
    key_of,
    may_matter,
    take_event,
    take_figures,
    take_time,
)
from headrace.rules.windows import SECOND, Window
from headrace.schema.trigger import (
    AnyTrigger,
    CompoundTrigger,
    EventTrigger,
    Metric,
    MetricQuery,
    MetricTrigger,
    Posture,
    SequenceTrigger,
)
from headrace.schema.wire_event import ID, ROLE, WireEvent

NOW: datetime = to_datetime(1_790_000_000_000_000)


def trigger(*expect: str, **how: Any) -> EventTrigger:
    return EventTrigger(id=uuid7(), expect=[*expect], **how)


def waits(*expect: str, **how: Any) -> EventTrigger:
    return trigger(*expect, posture=Posture.Proactive, within=10, **how)


def sequence(*triggers: AnyTrigger) -> SequenceTrigger:
    return SequenceTrigger(id=uuid7(), triggers=[*triggers], within=None)


def metric() -> MetricTrigger:
    return MetricTrigger(id=uuid7(), metric=MetricQuery(name=Metric.duration, operator=">", threshold=5, firing_for=0))


def event(
    name: str, resource: str = "shop.order.1", related: list[dict[str, str]] | None = None, **labels: str
) -> WireEvent:
    return WireEvent(id=uuid7(), event=name, occurred=NOW, resource={ID: resource, **labels}, related=related or [])


def place(of: AnyTrigger, **values: str) -> Place:
    assert of.id is not None
    return Place(of.id, key_of({name.replace("__", "."): value for name, value in values.items()}))


def test_values_have_a_key_each() -> None:
    assert key_of({}) == ""
    keys = [key_of({"a": "1"}), key_of({"a": None}), key_of({"b": "1"}), key_of({"a": "x" * 10_000})]
    assert len({*keys}) == 4
    assert {len(key) for key in keys} == {32}


def test_an_event_is_taken_to_where_it_matters() -> None:
    first, second, other = trigger("a.*", for_each=["env"]), trigger("x", after=["a.b"]), trigger("z")
    whole = sequence(first, sequence(second, other), metric())
    found = find_places(whole, event("a.b", env="prod"))
    inner = whole.triggers[1]
    assert found == [place(whole), place(first, env="prod"), place(inner), place(second)]
    assert find_places(whole, event("none")) == []
    assert find_places(metric(), event("a.b")) == []


def test_only_what_is_meant_counts() -> None:
    asked = trigger("a", match={ID: "shop.*"}, match_related={ROLE: "buyer"})
    buyer = [{ID: "p.1", ROLE: "buyer"}]
    for happened, fires in (
        (event("a", related=buyer), 1),
        (event("a"), 0),
        (event("a", "store.1", buyer), 0),
        (event("b", related=buyer), 0),
    ):
        memory = Memory({})
        assert len(take_event(asked, happened, 1, memory)) == fires
        assert len([*memory.changes()]) == fires
        assert len(find_places(asked, happened)) == fires


def test_it_counts_for_each_value() -> None:
    asked, memory = trigger("a", threshold=2, for_each=["env"]), Memory({})
    for env, fires in (("x", 0), ("y", 0), ("x", 1)):
        signals = take_event(asked, event("a", env=env), SECOND, memory)
        assert [signal.values for signal in signals] == [{"env": env}] * fires
    assert {found: kept is not None for found, kept in memory.changes()} == {
        place(asked, env="x"): False,
        place(asked, env="y"): True,
    }


def test_no_event_is_two_steps_of_a_sequence() -> None:
    whole = sequence(trigger("a"), trigger("a"))
    memory = Memory({})
    assert take_event(whole, event("a"), 1, memory) == []
    assert [signal.mood for signal in take_event(whole, event("a"), 2, memory)] == ["Triggered"]


def test_time_is_told_to_those_above() -> None:
    slow, other = waits("b", for_each=["env"]), trigger("c")
    whole = CompoundTrigger(id=uuid7(), triggers=[slow, other, metric()], require=1, within=None)
    memory = Memory({})
    take_event(whole, event("b", env="x"), SECOND, memory)
    (signal,) = take_time(whole, place(slow, env="x"), 11 * SECOND, memory)
    assert (signal.mood, signal.at, signal.values) == ("Triggered", 11 * SECOND, {"env": "x"})
    assert take_time(whole, place(slow, env="y"), 11 * SECOND, memory) == []
    assert take_time(other, place(slow, env="x"), 11 * SECOND, memory) == []


def test_a_place_of_another_kind_means_nothing_to_time() -> None:
    asked = metric()
    memory = Memory({place(asked): Kept(Watching(1), {})})
    assert take_time(asked, place(asked), 5, memory) == []
    assert [*memory.changes()] == []


def test_figures_are_told_to_those_above() -> None:
    watched, other = metric(), trigger("c")
    whole = CompoundTrigger(id=uuid7(), triggers=[watched, other], require=1, within=None)
    assert watched.id is not None
    memory = Memory({})
    assert [signal.mood for signal in take_figures(whole, {watched.id: 9.0}, 5, memory)] == ["Triggered"]
    assert memory.get(place(watched)) == Kept(Watching(5, fired=True), {})
    assert take_figures(whole, {watched.id: 9.0}, 6, memory) == []
    assert [signal.mood for signal in take_figures(watched, {watched.id: None}, 7, memory)] == ["Resolved"]
    assert memory.get(place(watched)) is None
    assert take_figures(other, {}, 7, memory) == []
    assert take_event(watched, event("a"), 1, memory) == []


def test_how_deep_it_goes_is_remembered_with_what_is_counted() -> None:
    asked = trigger("a", threshold=4)
    whole = CompoundTrigger(id=uuid7(), triggers=[asked, trigger("b")], require="all", within=None)
    memory = Memory({})
    deepest = Cause(4, uuid7())
    for cause in (Cause(), deepest, Cause(1, uuid7()), Cause(4, uuid7())):
        assert take_event(whole, event("a"), 1, memory, cause) == []
    kept = memory.get(place(whole))
    assert kept == Kept(Composition({0: 1}), {}, deepest)
    assert [signal.cause for signal in take_event(whole, event("b"), 2, memory, Cause(2))] == [deepest]


def test_time_fires_as_deep_as_what_it_waited_after() -> None:
    asked, memory, cause = waits("b", after=["a"]), Memory({}), Cause(3, uuid7())
    take_event(asked, event("a"), SECOND, memory, cause)
    assert [signal.cause for signal in take_time(asked, place(asked), 11 * SECOND, memory)] == [cause]


@pytest.mark.parametrize(
    ("asked", "matters"),
    [
        (trigger("prefect.flow-run.Completed"), True),
        (trigger("prefect.*"), True),
        (trigger("*"), True),
        (trigger(), True),
        (trigger("prefect.task-run.*"), False),
        (trigger("x", after=["prefect.flow-run.*"]), True),
        (sequence(trigger("x"), trigger("prefect.flow-run.Failed")), True),
        (sequence(trigger("x"), metric()), False),
    ],
)
def test_names_tell_what_may_matter(asked: AnyTrigger, matters: bool) -> None:
    assert may_matter(asked, "prefect.flow-run.") is matters


def test_what_was_found_is_unchanged_until_something_is_done() -> None:
    at = Place(UUID(int=1))
    memory = Memory({at: Kept(Window(), {}, Cause(2))})
    assert [*memory.changes()] == []
    assert memory.put(at, None, {}, Cause(1)) == Cause(2)
    assert [*memory.changes()] == [(at, None)]
