"""Events of one's own: what is told, in which form, and that it is in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine.flow_definition import Flow
from headrace.engine.session import swap_session
from headrace.engine.task_definition import Task
from headrace.events import Event, emit_event
from headrace.schema.event import Cursor, LoggedEvent
from headrace.schema.fact import EventFact
from headrace.testing import RecordingSession, frozen_clock
from tests.unit.engine.conftest import Stage

ORDER = {"prefect.resource.id": "shop.order.7", "prefect.resource.name": "Order 7"}


@pytest.fixture
def session(home: object) -> Any:
    session = RecordingSession()
    before = swap_session(session)
    yield session
    swap_session(before)


def told(session: RecordingSession) -> EventFact:
    (fact,) = session.facts
    assert isinstance(fact, EventFact)
    return fact


def logged(stage: Stage) -> list[LoggedEvent]:
    """The events of one's own in the log."""
    events = stage.settle().gateway.read_events(Cursor()).events
    return [event for event in events if event.kind == "custom"]


def test_an_event_says_what_happened_to_what(session: RecordingSession) -> None:
    chosen, before = uuid7(), uuid7()
    shelf = {"prefect.resource.id": "shop.shelf.1", "prefect.resource.role": "shelf"}
    with frozen_clock(0):
        event = emit_event(
            "shop.order.sent",
            ORDER,
            related=[shelf],
            payload={"weight": 2.5, "to": ("a", "b")},
            id=chosen,
            follows=before,
        )
    fact = told(session)
    assert isinstance(event, Event)
    assert (event.id, event.event, event.resource, event.related, event.follows) == (
        chosen, "shop.order.sent", ORDER, [shelf], before,
    )  # fmt: skip
    assert event.payload == {"weight": 2.5, "to": ["a", "b"]}
    assert event.occurred == datetime(1970, 1, 1, tzinfo=UTC)
    assert (fact.id, fact.occurred, fact.flow_run_id) == (chosen, 0, None)
    assert fact.body == {
        "id": str(chosen),
        "event": "shop.order.sent",
        "occurred": "1970-01-01T00:00:00Z",
        "resource": ORDER,
        "related": [shelf],
        "payload": {"weight": 2.5, "to": ["a", "b"]},
        "follows": str(before),
        "received": "1970-01-01T00:00:00+00:00",
    }


def test_an_event_may_follow_another_and_have_happened_before(session: RecordingSession) -> None:
    one = emit_event("shop.order.made", ORDER, occurred=datetime(2026, 3, 1, 12))  # noqa: DTZ001 - that is what is tested
    two = emit_event("shop.order.paid", ORDER, follows=one, occurred=one.occurred + timedelta(seconds=1))
    assert one.occurred == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert two.follows == one.id
    first, second = session.facts
    assert isinstance(first, EventFact)
    assert isinstance(second, EventFact)
    assert second.occurred - first.occurred == 1_000_000


def test_events_are_in_the_log_in_order_and_each_once(stage: Stage) -> None:
    chosen = uuid7()
    for number in range(5):
        emit_event(f"shop.{number}", ORDER)
        emit_event("shop.same", ORDER, id=chosen)
    emit_event("shop.same", ORDER, id=chosen)
    assert [event.body and event.body["event"] for event in logged(stage)] == [
        "shop.0", "shop.same", "shop.1", "shop.2", "shop.3", "shop.4",
    ]  # fmt: skip


def test_the_run_in_which_it_happened_is_related(stage: Stage) -> None:
    def happen() -> Event:
        return emit_event("shop.order.sent", ORDER)

    task: Task[[], Event] = Task(happen, name="task")

    def happen_in_task() -> Event:
        return task()

    def happen_once() -> Event:
        own = Flow(happen, name="inner")()
        return emit_event("shop.order.sent", ORDER, related=[{**own.related[0], "prefect.resource.role": "inner"}])

    in_flow = Flow(happen, name="flow")()
    in_task = Flow(happen_in_task, name="flow")()
    alone = task()
    named = Flow(happen_once, name="outer")()
    roles = [[each["prefect.resource.role"] for each in event.related] for event in (in_flow, in_task, alone, named)]
    assert roles == [["flow-run"], ["flow-run", "task-run"], ["task-run"], ["inner", "flow-run"]]
    runs = stage.recorder.flow_runs()
    assert in_flow.related[0]["prefect.resource.id"] == f"prefect.flow-run.{runs[0]}"
    flow_runs = {event.subject_id: event.flow_run_id for event in logged(stage)}
    assert [flow_runs[event.id] for event in (in_flow, in_task, alone)] == [runs[0], runs[1], None]


def test_what_is_named_among_the_related_is_not_added_again(stage: Stage) -> None:
    def happen() -> Event:
        first = emit_event("shop.order.sent", ORDER)
        return emit_event("shop.order.sent", ORDER, related=[{**first.related[0], "prefect.resource.role": "cause"}])

    assert [each["prefect.resource.role"] for each in Flow(happen, name="flow")().related] == ["cause"]


REFUSED: list[tuple[tuple[Any, ...], str]] = [
    (("", ORDER), "An event is called by a text, not ''"),
    ((3, ORDER), "An event is called by a text, not 3"),
    (("prefect.flow-run.Completed", ORDER), "prefect.flow-run.Completed is for the orchestrator to say"),
    (
        ("a", "shop.order.7"),
        "A resource is labels by name, such as {'prefect.resource.id': 'shop.order.7'}, not 'shop",
    ),
    (("a", {}), "A resource needs the label 'prefect.resource.id'; it has none."),
    (("a", {"name": "x"}), "A resource needs the label 'prefect.resource.id'; it has name."),
    (("a", {**ORDER, "size": 3}), "The labels of a resource are texts, which 'size': 3 is not."),
    (("a", {3: "x"}), "The labels of a resource are texts, which 3: 'x' is not."),
    (("a", ORDER, None, [ORDER]), "A related resource needs the label 'prefect.resource.role'; it has prefect"),
    (("a", ORDER, None, None, {"text": "x" * 1_500_000}), "bytes; 1500000 are the most that are kept."),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_can_be_no_event_is_refused(session: RecordingSession, arguments: Any, message: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        emit_event(*arguments)
    assert message in str(caught.value)
    assert not session.facts
