"""When what follows from one firing of an automation has gone on for long enough."""

from uuid import UUID

import pytest

from headrace.base.clock import to_datetime
from headrace.rules.chains import (
    DEEPEST,
    MOST_FIRINGS,
    MOST_RECURRENCES,
    UNCAUSED,
    Cause,
    cause_of,
    deeper,
    find_cut,
    pick_cause,
)
from headrace.schema.run import DEPTH, FIRING
from headrace.schema.wire_event import ID, Resource, WireEvent

ONE, OTHER = UUID(int=1), UUID(int=2)


def event(resource: Resource, *related: Resource) -> WireEvent:
    return WireEvent(id=ONE, event="a", occurred=to_datetime(0), resource={ID: "x", **resource}, related=[*related])


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        ({}, UNCAUSED),
        ({FIRING: str(ONE)}, UNCAUSED),
        ({DEPTH: "3"}, Cause(3)),
        ({DEPTH: "3", FIRING: str(ONE)}, Cause(3, ONE)),
        ({DEPTH: "3", FIRING: "x"}, Cause(3)),
        ({DEPTH: "x", FIRING: str(ONE)}, UNCAUSED),
        ({DEPTH: "-1"}, UNCAUSED),
        ({DEPTH: "9" * 12}, UNCAUSED),
        ({DEPTH: "99999"}, Cause(DEEPEST + 1)),
    ],
)
def test_an_event_says_what_led_to_it(labels: Resource, cause: Cause) -> None:
    assert cause_of(event(labels)) == cause
    assert cause_of(event({}, {ID: "y"}, {ID: "z", **labels})) == cause


def test_the_deepest_cause_counts() -> None:
    told = event({DEPTH: "2", FIRING: str(ONE)}, {ID: "y", DEPTH: "3", FIRING: str(OTHER)}, {ID: "z", DEPTH: "3"})
    assert cause_of(told) == Cause(3, OTHER)
    assert deeper(Cause(1, ONE), Cause(1, OTHER)) == Cause(1, ONE)


def test_a_run_says_what_led_to_it() -> None:
    assert pick_cause(None) == {}
    assert pick_cause({"mine": True, DEPTH: 2, FIRING: "f"}) == {DEPTH: 2, FIRING: "f"}


@pytest.mark.parametrize(
    ("depth", "recurrences", "firings", "kind"),
    [
        (DEEPEST, MOST_RECURRENCES - 1, MOST_FIRINGS - 1, None),
        (DEEPEST + 1, 0, 0, "depth"),
        (2, MOST_RECURRENCES, 0, "recurrence"),
        (2, 0, MOST_FIRINGS, "size"),
        (DEEPEST + 1, MOST_RECURRENCES, MOST_FIRINGS, "depth"),
    ],
)
def test_a_chain_ends_by_each_of_three_counts(depth: int, recurrences: int, firings: int, kind: str | None) -> None:
    cut = find_cut(depth, recurrences, firings)
    assert (None if cut is None else cut.kind) == kind


def test_it_is_said_why_a_chain_ends() -> None:
    cuts = [find_cut(11, 0, 0), find_cut(2, 10, 0), find_cut(2, 0, 1_000)]
    assert [cut and cut.reason for cut in cuts] == [
        "10 automations have fired one because of another, which is as many as may.",
        "It has fired because of what it did itself 10 times, which is as often as it may.",
        "One firing has led to 1000 of them in all, which is as many as may be.",
    ]
