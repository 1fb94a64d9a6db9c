"""Deaths: attempts whose process held a lock that is free now, and attempts whose beat has stood still for too long."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from headrace.orchestration.desk import Desk
from headrace.orchestration.ledgers import store_ledgers
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.task_claims import end_task_worker
from headrace.orchestration.task_runs import crash_unfinished
from headrace.orchestration.unit import Unit
from headrace.rules.liveness import PATIENCE, Pulse
from headrace.rules.transitions import CRASHED, FAILED, TIMED_OUT
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate, StateDetails
from headrace.storage import compiled
from headrace.storage.rows import to_flow_run_policy
from headrace.storage.texts import storable_json

DIED = "The process that executed this run has died."


class LockedAttempt(NamedTuple):
    """An attempt that shows by a lock that it is alive."""

    flow_run_id: UUID
    epoch: int
    name: str
    suspect_since: int | None


class BeatingAttempt(NamedTuple):
    """An attempt that shows by beats that it is alive."""

    flow_run_id: UUID
    epoch: int
    beats: int
    interval: float

    def pulse(self) -> Pulse[UUID]:
        """What a watch looks at. A new attempt of the same run is another pulse: it moves the counter back to 0."""
        return Pulse(self.flow_run_id, self.epoch * 2**32 + self.beats, self.interval)


def crash_if_dead(desk: Desk) -> int:
    """Look once at every attempt that is alive by a lock; crash those whose lock is free; return how many.

    Where a lock may be free for a while although its holder lives, what was seen is noted for whoever looks next.
    """
    suspects = {attempt.name: attempt.suspect_since for attempt in desk.read(find_locked)}
    held = {name for name in suspects if desk.database.is_held(name)}
    dead = {name for name, since in suspects.items() if name not in held and not desk.database.is_alive(name, since)}
    store_ledgers(desk)  # what the dead had noted belongs to their attempts, and comes before their end
    if not dead and all((name in held) == (since is None) for name, since in suspects.items()):
        return 0
    return desk.write(lambda unit: _judge(unit, held, dead))


def crash_silent(desk: Desk, silent: Collection[BeatingAttempt]) -> int:
    """Crash attempts that a watch has seen stand still; one that has moved meanwhile is left alone."""

    def crash_them(unit: Unit) -> int:
        still = set(find_beating(unit)) & set(silent)
        return sum(_crash(unit, attempt.flow_run_id, _describe_silence(attempt)) for attempt in still)

    return desk.write(crash_them) if silent else 0


def end_attempt(desk: Desk, flow_run_id: UUID, epoch: int, message: str, late: bool = False) -> bool:
    """Crash the run if the attempt holds it; whoever says so has seen what executed it end. A `late` one has timed out."""

    def end(unit: Unit) -> bool:
        holders = unit.fetch(compiled.find_lease, flow_run_id=flow_run_id)
        if holders != [(epoch,)]:
            return False
        return _time_out(unit, flow_run_id, message) if late else _crash(unit, flow_run_id, message)

    store_ledgers(desk)
    return desk.write(end)


def find_locked(unit: Unit) -> list[LockedAttempt]:
    """The attempts that show by a lock that they are alive."""
    return [LockedAttempt._make(values) for values in unit.fetch(compiled.find_locks)]


def find_beating(unit: Unit) -> list[BeatingAttempt]:
    """The attempts that show by beats that they are alive."""
    return [BeatingAttempt._make(values) for values in unit.fetch(compiled.find_pulses)]


def _judge(unit: Unit, held: Collection[str], dead: Collection[str]) -> int:
    crashed = 0
    for attempt in find_locked(unit):
        if attempt.name in dead:
            crashed += _crash(unit, attempt.flow_run_id, DIED)
        elif (attempt.name in held) != (attempt.suspect_since is None):
            suspect_since = None if attempt.name in held else unit.now
            unit.execute(
                compiled.suspect_lease,
                flow_run_id=attempt.flow_run_id,
                epoch=attempt.epoch,
                new_suspect_since=suspect_since,
            )
    return crashed


def _crash(unit: Unit, flow_run_id: UUID, message: str) -> bool:
    """Say of a run that it was ended from outside; False when it had ended already. A task worker leaves what it had."""
    if end_task_worker(unit, flow_run_id, f"The worker that had it is gone: {message}"):
        return True
    state = StateCreate(type=CRASHED, message=message)
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=state))
    return isinstance(decision, Decision) and decision.written


def _time_out(unit: Unit, flow_run_id: UUID, message: str) -> bool:
    """Say of a run that it was ended because of its time limit, and its task runs with it.

    Its process, which would have tried again, is gone: whoever starts runs of its deployment does, if there is one.
    """
    row = load_flow_run(unit, flow_run_id)
    details = StateDetails(retriable=False)
    if row is not None and row.deployment_id is not None:
        details = StateDetails()
        policy = replace(to_flow_run_policy(row), retry_type="reschedule")
        unit.execute(compiled.change_flow_run_policy, id=row.id, new_empirical_policy=storable_json(policy))
    state = StateCreate(type=FAILED, name=TIMED_OUT, message=message, state_details=details)
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=state))
    crash_unfinished(unit, flow_run_id, message)
    return isinstance(decision, Decision) and decision.written


def _describe_silence(attempt: BeatingAttempt) -> str:
    seconds = PATIENCE * attempt.interval
    return f"For more than {seconds:g} s nobody has shown that this run is alive: its process or its machine has died."
