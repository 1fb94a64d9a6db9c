"""What a decision is made of: the transition asked for, the verdict on it and the effects that follow, as values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from headrace.schema.orchestration import Presence
from headrace.schema.run import FlowRunPolicy
from headrace.schema.schedule import Overlap
from headrace.schema.state import State, StateCreate, StateType


class Transition(Struct, frozen=True, kw_only=True):
    """A run in state `source` (None: it does not exist yet) is asked to enter `target`.

    `epoch` is the attempt that asks; None when somebody else does, who does not execute the run.
    """

    target: StateCreate
    source: State | None = None
    epoch: int | None = None
    presence: Presence | None = None

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


Effect = CancelRuns | RaiseEpoch | TakeLease | ReleaseLease | Offer | MirrorOnParent | ChangePolicy | CrashTaskRuns


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

    `turn` is there for runs that a schedule made, until somebody starts them.
    """

    flow_run_id: UUID
    now: int
    policy: FlowRunPolicy
    run_count: int = 0
    deployment_id: UUID | None = None
    parent_task_run_id: UUID | None = None
    held: bool = False
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
