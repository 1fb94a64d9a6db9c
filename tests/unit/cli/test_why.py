import json

import pytest

from headrace.schema.explanation import Explanation, HeldLimit, Reason, ReasonKind, SlotHolder
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import at, number


@pytest.fixture
def waiting(terminal: Terminal) -> FlowRun:
    """A run that waits for the limit of its deployment, and is late."""
    world = terminal.administration
    run = world.add_flow_run(10, world.add_flow(1, "etl"), "quiet-heron", StateType.SCHEDULED)
    holders = [
        SlotHolder(type="flow_run", id=number(11), name="brave-otter\x1b[2J", since=at(300)),
        SlotHolder(type="process", since=at(60), slots=2),
    ]
    limit = HeldLimit(kind="deployment", name=str(number(3)), limit=3, used=3, holders=holders)
    reasons = [
        Reason(kind=ReasonKind.LIMIT, message="It is full\x1b[2J.", next_step="Wait.", since=at(300), limit=limit),
        Reason(kind=ReasonKind.LATE, message="It is late by 5 minutes.", next_step="See above."),
    ]
    world.explanations[run.id] = Explanation(
        flow_run_id=run.id,
        name=run.name,
        state_type=run.state_type,
        state_name="AwaitingConcurrencySlot",
        reasons=reasons,
    )
    return run


def test_says_what_keeps_a_run_and_what_to_do(terminal: Terminal, waiting: FlowRun) -> None:
    lines = terminal.read("flow-run", "why", waiting.name, width=100).splitlines()
    assert [line.rstrip() for line in lines] == [
        f"Flow run quiet-heron ({waiting.id}) is AwaitingConcurrencySlot",
        "",
        "  1. It is full. (since 5m ago)",
        "  → Wait.",
        "     Held by               ID                                    Slots  Since",
        f"     flow run brave-otter  {number(11)}      1  5m ago",
        "     process               –                                         2  1m ago",
        "",
        "  2. It is late by 5 minutes.",
        "  → See above.",
    ]


def test_fits_eighty_columns(terminal: Terminal, waiting: FlowRun) -> None:
    assert all(len(line) <= 80 for line in terminal.read("flow-run", "why", str(waiting.id), width=80).splitlines()[1:])


def test_tells_programs(terminal: Terminal, waiting: FlowRun) -> None:
    told = json.loads(terminal.read("flow-run", "why", str(waiting.id), "-o", "json"))
    assert (told["flow_run_id"], [reason["kind"] for reason in told["reasons"]]) == (str(waiting.id), ["limit", "late"])
    assert told["reasons"][0]["limit"]["holders"][0]["name"] == "brave-otter\x1b[2J"


def test_a_run_that_there_is_not(terminal: Terminal) -> None:
    assert "nothing" in terminal.fail("flow-run", "why", "nothing")
