"""What flow runs and task runs have in common on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import UNSET
from rich.table import Table
from rich.text import Text

from headrace.cli.invocation import Invocation
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import (
    MISSING,
    clean,
    one_line,
    say_count,
    say_duration,
    say_instant,
    say_when,
    show_state,
    show_tags,
)
from headrace.schema.filters import StateFilter, StateTypeFilter, TextFilter
from headrace.schema.run import RunTimes
from headrace.schema.state import State, StateType
from headrace.schema.wire import encode_json

LONGEST_VALUE = 2000

Limit = Annotated[int, Parameter(help="How many to show.", validator=Number(gte=1))]
StateNames = Annotated[
    tuple[str, ...],
    Parameter("--state", negative=(), help="Only runs in the state of this name, such as Late; may be repeated."),
]
StateTypes = Annotated[
    tuple[StateType, ...],
    Parameter("--state-type", negative=(), help="Only runs in a state of this type; may be repeated."),
]


def choose_states(names: Sequence[str], types: Sequence[StateType]) -> StateFilter | None:
    """A filter for runs in a state of these names and these types; no filter when none are given."""
    if not names and not types:
        return None
    return StateFilter(
        name=TextFilter(any_=[_spell_state(name) for name in names]) if names else None,
        type=StateTypeFilter(any_=list(types)) if types else None,
    )


def say_run_time(run: RunTimes) -> str:
    """How long the run has been executing, all attempts together."""
    if run.start_time is None:
        return MISSING
    return say_duration(max(run.estimated_run_time, run.total_run_time))


def when_run(run: RunTimes) -> datetime | None:
    """The instant that places a run in a list: when it started, or else when it should."""
    return run.start_time or run.next_scheduled_start_time or run.expected_start_time or run.created


def tell_run(run: RunTimes, now: datetime) -> list[tuple[str, str | Text]]:
    """What every run has, as names and values."""
    state = show_state(run.state_type, run.state_name)
    if run.state is not None and run.state.message:
        state.append(f"  {clean(run.state.message)}", "default")
    details: list[tuple[str, str | Text]] = [("ID", str(run.id)), ("State", state)]
    if run.start_time is None:
        details.append(("Expected", say_instant(run.next_scheduled_start_time or run.expected_start_time, now)))
    else:
        details.append(("Started", say_instant(run.start_time, now)))
    if run.end_time is not None:
        details.append(("Ended", say_instant(run.end_time, now)))
    details += [("Duration", say_run_time(run)), ("Tries", str(run.run_count))]
    if run.tags:
        details.append(("Tags", show_tags(run.tags)))
    return details


def tell_value(value: Any) -> str:
    """A value as short JSON, cut where it is too long to read."""
    text = clean(encode_json(value))
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… ({say_count(len(text) - LONGEST_VALUE, 'character')} more)"


def show_states(states: Sequence[State], invocation: Invocation) -> Table:
    """The history of a run, oldest state first, with how long each state lasted."""
    columns = (Column("State", least=9), Column("Time"), Column("Lasted", right=True), Column("Message", 10, drop=1))
    times = [None if state.timestamp is UNSET else state.timestamp for state in states]
    rows = [
        [
            show_state(state.type, state.name),
            f"{begun.astimezone():%H:%M:%S.%f}"[:-3] if begun else MISSING,
            say_duration((ended - begun).total_seconds()) if begun and ended else "",
            one_line(state.message or ""),
        ]
        for state, begun, ended in zip(states, times, [*times[1:], None], strict=True)
    ]
    return fit_table(columns, rows, invocation.out.width, indent=2)


def show_heading(text: str, note: str = "") -> Text:
    """The title of a section, with an empty line before it."""
    heading = Text(f"\n{text}", "bold")
    return heading.append(f" ({note})", "not bold bright_black") if note else heading


def show_title(run: RunTimes, noun: str) -> Text:
    """The first line of an inspected run."""
    return Text(f"{noun} ").append(one_line(run.name), "bold")


def say_when_run(run: RunTimes, now: datetime) -> str:
    """When the run started or should start, as seen from now."""
    return say_when(when_run(run), now)


_SPELLINGS = {
    name.lower(): name
    for name in (
        *(kind.capitalize() for kind in StateType),
        "Late",
        "AwaitingRetry",
        "AwaitingConcurrencySlot",
        "Resuming",
        "Submitting",
        "InfrastructurePending",
        "NotReady",
        "Retrying",
        "Cached",
        "RolledBack",
        "TimedOut",
        "Suspended",
    )
}


def _spell_state(name: str) -> str:
    """A state's name as it is stored, however the user wrote it; names that users invented stay as they are."""
    return _SPELLINGS.get(name.lower(), name)
