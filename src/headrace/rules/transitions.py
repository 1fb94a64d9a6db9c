"""The state machine: every state, every name a state may bear, and every arc between two states, each with its meaning.

The tables are the machine. `headrace.rules.drawing` draws docs/states.md from them, the policies end with a look into
them, and nothing else says which step is possible.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from headrace.schema.state import TERMINAL, StateType

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType

LATE: Final = "Late"
AWAITING_RETRY: Final = "AwaitingRetry"
AWAITING_SLOT: Final = "AwaitingConcurrencySlot"
AWAITING_TURN: Final = "AwaitingTurn"
RESUMING: Final = "Resuming"
NOT_READY: Final = "NotReady"
SUBMITTING: Final = "Submitting"
INFRASTRUCTURE_PENDING: Final = "InfrastructurePending"
RETRYING: Final = "Retrying"
CACHED: Final = "Cached"
ROLLED_BACK: Final = "RolledBack"
TIMED_OUT: Final = "TimedOut"
SUSPENDED: Final = "Suspended"
SKIPPED: Final = "Skipped"

ENDING: Final = frozenset({CANCELLING, CANCELLED})
"""Somebody wants the run to end, or it has ended because somebody wanted it to."""

ACTIVE: Final = frozenset({PENDING, RUNNING, CANCELLING})
"""What takes up a place in a work pool and its queue."""

MOVED_ON: Final = frozenset(StateType) - {PAUSED}
"""What ends the wait of a run that is paused."""

MEANINGS: Final = {
    SCHEDULED: "waits for its time, or for somebody to start it",
    PENDING: "somebody has taken it and is about to start it",
    RUNNING: "its code is executing",
    PAUSED: "has stopped in its tracks and waits to be resumed",
    CANCELLING: "somebody wants it to end and it has not ended yet",
    COMPLETED: "ended well",
    FAILED: "ended with an error of its own",
    CANCELLED: "ended because somebody wanted it to",
    CRASHED: "was ended from outside: its process died, was interrupted or told to exit",
}
"""What a run of each type is doing."""


class NamedState(NamedTuple):
    """A name that says more exactly what a state is. Other names are allowed and mean what their type means."""

    name: str
    type: StateType
    meaning: str


NAMES: Final = (
    NamedState(LATE, SCHEDULED, "its time has passed and nobody has started it"),
    NamedState(AWAITING_RETRY, SCHEDULED, "failed, and will be tried again at the scheduled time"),
    NamedState(AWAITING_SLOT, SCHEDULED, "waits because as many runs as allowed are executing"),
    NamedState(AWAITING_TURN, SCHEDULED, "waits until an earlier run of its schedule has ended"),
    NamedState(RESUMING, SCHEDULED, "was suspended, or its process died, and may now be started again from the top"),
    NamedState(SUBMITTING, PENDING, "its worker is handing it to the infrastructure"),
    NamedState(INFRASTRUCTURE_PENDING, PENDING, "the infrastructure has accepted it and is preparing"),
    NamedState(NOT_READY, PENDING, "a run it depends on did not complete"),
    NamedState(RETRYING, RUNNING, "executing again after a failure"),
    NamedState(CACHED, COMPLETED, "its value was already known and has not been computed again"),
    NamedState(ROLLED_BACK, COMPLETED, "it ended well, and what it did was undone afterwards"),
    NamedState(TIMED_OUT, FAILED, "took longer than it was given"),
    NamedState(SUSPENDED, PAUSED, "paused without a process: resuming starts it again from the top"),
    NamedState(SKIPPED, CANCELLED, "its slot passed: nobody started it in time, or an earlier run was still under way"),
)
"""The names with a meaning of their own."""


class Arc(NamedTuple):
    """One step that a run may take. `source` is None for the step into being."""

    source: StateType | None
    target: StateType
    meaning: str


FLOW_RUN_ARCS: Final = (
    Arc(None, SCHEDULED, "created for a time: by a schedule, a person or an automation"),
    Arc(None, PENDING, "created by the process that will execute it"),
    Arc(None, RUNNING, "created by a client that is executing it already"),
    Arc(None, PAUSED, "created to wait until somebody lets it start"),
    Arc(None, COMPLETED, "recorded after the fact"),
    Arc(None, FAILED, "recorded after the fact"),
    Arc(None, CANCELLED, "recorded after the fact"),
    Arc(None, CRASHED, "recorded after the fact"),
    Arc(SCHEDULED, SCHEDULED, "is late, waits for a slot, or gets another time"),
    Arc(SCHEDULED, PENDING, "is claimed"),
    Arc(SCHEDULED, RUNNING, "starts, or is tried again by the process that waited"),
    Arc(SCHEDULED, COMPLETED, "somebody says that the work is done"),
    Arc(SCHEDULED, FAILED, "cannot be started"),
    Arc(SCHEDULED, CANCELLED, "is cancelled before it began"),
    Arc(SCHEDULED, CRASHED, "the process that waited to try again died"),
    Arc(PENDING, PENDING, "moves on towards its start, under another name"),
    Arc(PENDING, SCHEDULED, "its claim is given back"),
    Arc(PENDING, RUNNING, "starts"),
    Arc(PENDING, COMPLETED, "somebody says that the work is done"),
    Arc(PENDING, FAILED, "cannot be started"),
    Arc(PENDING, CANCELLING, "is to be cancelled while its infrastructure starts"),
    Arc(PENDING, CANCELLED, "is cancelled before it began"),
    Arc(PENDING, CRASHED, "its process or infrastructure died before it began"),
    Arc(RUNNING, RUNNING, "a new attempt takes over from one that is gone"),
    Arc(RUNNING, SCHEDULED, "failed with retries left, or is to be started again"),
    Arc(RUNNING, PAUSED, "waits for a person or a time"),
    Arc(RUNNING, COMPLETED, "ends well"),
    Arc(RUNNING, FAILED, "ends with an error of its own"),
    Arc(RUNNING, CANCELLING, "is to be cancelled"),
    Arc(RUNNING, CANCELLED, "is cancelled"),
    Arc(RUNNING, CRASHED, "its process died"),
    Arc(PAUSED, RUNNING, "is resumed where it stands"),
    Arc(PAUSED, SCHEDULED, "is resumed from the top"),
    Arc(PAUSED, COMPLETED, "somebody says that the work is done"),
    Arc(PAUSED, FAILED, "was not resumed in time"),
    Arc(PAUSED, CANCELLING, "is to be cancelled while its process waits"),
    Arc(PAUSED, CANCELLED, "is cancelled while nothing executes it"),
    Arc(PAUSED, CRASHED, "its waiting process died"),
    Arc(CANCELLING, CANCELLED, "has ended, as was wanted"),
    Arc(COMPLETED, SCHEDULED, "is run again: a new attempt"),
    Arc(FAILED, SCHEDULED, "is run again: a new attempt"),
    Arc(CANCELLED, SCHEDULED, "is run again: a new attempt"),
    Arc(CRASHED, SCHEDULED, "is run again: a new attempt"),
)
"""Every step of a flow run."""

TASK_RUN_ARCS: Final = (
    Arc(None, SCHEDULED, "created for somebody else to execute"),
    Arc(None, PENDING, "called or submitted"),
    Arc(None, RUNNING, "called, with nothing to wait for"),
    Arc(None, COMPLETED, "its value was known already"),
    Arc(SCHEDULED, SCHEDULED, "gets another time, or waits for a slot"),
    Arc(SCHEDULED, PENDING, "is taken up"),
    Arc(SCHEDULED, RUNNING, "starts, or is tried again"),
    Arc(SCHEDULED, COMPLETED, "its value is known meanwhile"),
    Arc(SCHEDULED, FAILED, "cannot be started"),
    Arc(SCHEDULED, CANCELLED, "is cancelled before it began"),
    Arc(SCHEDULED, CRASHED, "its process died before it began"),
    Arc(PENDING, PENDING, "moves on towards its start, under another name"),
    Arc(PENDING, SCHEDULED, "waits for a slot"),
    Arc(PENDING, RUNNING, "starts"),
    Arc(PENDING, COMPLETED, "its value was known already"),
    Arc(PENDING, FAILED, "its arguments or its key cannot be made"),
    Arc(PENDING, CANCELLED, "is cancelled before it began"),
    Arc(PENDING, CRASHED, "its process died before it began"),
    Arc(RUNNING, RUNNING, "starts again without waiting"),
    Arc(RUNNING, SCHEDULED, "failed with retries left"),
    Arc(RUNNING, PAUSED, "waits for a person or a time"),
    Arc(RUNNING, COMPLETED, "ends well"),
    Arc(RUNNING, FAILED, "ends with an error of its own"),
    Arc(RUNNING, CANCELLING, "is to be cancelled"),
    Arc(RUNNING, CANCELLED, "is cancelled"),
    Arc(RUNNING, CRASHED, "its process died"),
    Arc(PAUSED, RUNNING, "is resumed"),
    Arc(PAUSED, FAILED, "was not resumed in time"),
    Arc(PAUSED, CANCELLED, "is cancelled while it waits"),
    Arc(PAUSED, CRASHED, "its process died while it waited"),
    Arc(CANCELLING, CANCELLED, "has ended, as was wanted"),
    Arc(COMPLETED, COMPLETED, "what it did is undone (RolledBack)"),
)
"""Every step of a task run."""

_FLOW_RUN_STEPS: Final = frozenset((arc.source, arc.target) for arc in FLOW_RUN_ARCS)
_TASK_RUN_STEPS: Final = frozenset((arc.source, arc.target) for arc in TASK_RUN_ARCS)


def flow_run_may(source: StateType | None, target: StateType) -> bool:
    """Whether the table of flow runs has an arc from `source` to `target`."""
    return (source, target) in _FLOW_RUN_STEPS


def task_run_may(source: StateType | None, target: StateType) -> bool:
    """Whether the table of task runs has an arc from `source` to `target`."""
    return (source, target) in _TASK_RUN_STEPS


def is_terminal(state: StateType | None) -> bool:
    """Whether a run in such a state has ended."""
    return state in TERMINAL
