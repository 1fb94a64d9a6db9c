"""What a decision is made of: the transition asked for, the verdict on it and the effects that follow, as values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from headrace.rules.slots import Place
from headrace.schema.orchestration import Presence
from headrace.schema.run import FlowRunPolicy
from headrace.schema.schedule import Overlap
from headrace.schema.state import State, StateCreate, StateType


class Transition(Struct, frozen=True, kw_only=True):
    """A run in state `source` (None: it does not exist yet) is asked to enter `target`.

    `epoch` is the attempt that asks; None when somebody else does, who does not execute the run. `renewal`: whoever asks
    renews the slot that the run holds of its deployment's limit at least every so many seconds; None for who does not.
    """

    target: StateCreate
    source: State | None = None
    epoch: int | None = None
    presence: Presence | None = None
    renewal: float | None = None

    @property
    def before(self) -> StateType | None:
        """The type of the state the run is in."""
        return self.source.type if self.source else None


class RaiseEpoch(Struct, frozen=True):
    """A new attempt begins: what the one before still asks for is refused."""


class TakeLease(Struct, frozen=True):
    """The attempt's lease is held from now on, and shown to be held as `presence` says."""

    presence: Presence


class ReleaseLease(Struct, frozen=True):
    """Nobody executes the run any more."""


class Offer(Struct, frozen=True):
    """Somebody has to start the run when its scheduled time has come."""


class MirrorOnParent(Struct, frozen=True):
    """The task run that stands for this flow run in its parent enters the same state."""


class ChangePolicy(Struct, frozen=True):
    """The run's policy is replaced."""

    policy: FlowRunPolicy


class CrashTaskRuns(Struct, frozen=True):
    """The run's task runs that had not ended have died with it."""


class CancelRuns(Struct, frozen=True):
    """Other runs are to end, so that this one has its turn."""

    flow_run_ids: tuple[UUID, ...]


class TakeSlot(Struct, frozen=True):
    """The run holds a slot of its deployment's limit, under the lease `lease_id`, and waits in line for it no more.

    The lease lasts for `seconds`, unless it is renewed; None: for as long as the run's attempt.
    """

    lease_id: UUID
    seconds: float | None = None


class KeepSlot(Struct, frozen=True):
    """The slot that the run holds of its deployment's limit is its own for so much longer: see `TakeSlot`."""

    lease_id: UUID
    seconds: float | None = None


class ReleaseSlot(Struct, frozen=True):
    """The run holds no slot of its deployment's limit any more; whoever may have it now is called."""


class StandInLine(Struct, frozen=True):
    """The run waits in line before its deployment's limit: nobody can take it until it is called."""


class LeaveLine(Struct, frozen=True):
    """The run waits in line no more."""


Effect = (
    CancelRuns
    | RaiseEpoch
    | TakeLease
    | ReleaseLease
    | Offer
    | MirrorOnParent
    | ChangePolicy
    | CrashTaskRuns
    | TakeSlot
    | KeepSlot
    | ReleaseSlot
    | StandInLine
    | LeaveLine
)


class Accept(Struct, frozen=True):
    """The run enters `state`: the one proposed, completed."""

    state: StateCreate
    effects: tuple[Effect, ...] = ()


class Reject(Struct, frozen=True):
    """The run does not enter the state proposed. It enters `state` instead; without one it stays where it is."""

    reason: str
    state: StateCreate | None = None
    effects: tuple[Effect, ...] = ()


class Wait(Struct, frozen=True):
    """Not yet: ask again after `delay` seconds."""

    reason: str
    delay: float


class Abort(Struct, frozen=True):
    """Stop working on this run."""

    reason: str


Verdict = Accept | Reject | Wait | Abort


class SlotFacts(Struct, frozen=True, kw_only=True):
    """The limit of a run's deployment, as the run finds it.

    `held`: it holds a slot, under the lease `lease_id`; otherwise that is what its lease would be called, and `place` is
    its place in line, None when there is room for it. `cancels`: who finds no room is cancelled and does not wait.
    `grace` is how many seconds it may take from the claim until the run begins, if the deployment says so.
    """

    lease_id: UUID
    held: bool = False
    place: Place | None = None
    cancels: bool = False
    grace: float | None = None


class Turn(Struct, frozen=True, kw_only=True):
    """What decides about a run that a schedule made and nobody has started.

    `slot` is its instant and `max_lateness` a duration, in microseconds; `under_way` are the earlier runs of the schedule
    that have begun and not ended.
    """

    slot: int
    max_lateness: int | None = None
    overlap: Overlap | None = None
    under_way: tuple[UUID, ...] = ()


class FlowRunFacts(Struct, frozen=True, kw_only=True):
    """What a decision about a flow run may depend on. `now` is in microseconds; `held`: somebody executes the run.

    `slot` is what its deployment's limit has to say, if it has one and it matters; `full` names the work pool or queue
    of the run that executes as many runs as it may; `turn` is there for runs that a schedule made, until somebody starts
    them.
    """

    flow_run_id: UUID
    now: int
    policy: FlowRunPolicy
    run_count: int = 0
    deployment_id: UUID | None = None
    parent_task_run_id: UUID | None = None
    held: bool = False
    slot: SlotFacts | None = None
    full: str | None = None
    turn: Turn | None = None


FlowRunPolicyFunction = Callable[[Transition, FlowRunFacts], Verdict | None]
"""One idea about flow runs: a verdict, or None where it has nothing to say."""

_Facts = TypeVar("_Facts")


def first_verdict(
    policies: tuple[Callable[[Transition, _Facts], Verdict | None], ...], transition: Transition, facts: _Facts
) -> Verdict:
    """What the first policy says that has something to say; if none has, the transition is accepted."""
    for policy in policies:
        verdict = policy(transition, facts)
        if verdict is not None:
            return verdict
    return Accept(transition.target)
