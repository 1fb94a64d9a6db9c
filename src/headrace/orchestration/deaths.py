"""Deaths that can be seen at once: an attempt whose process held a lock is over when the lock is free."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from headrace.orchestration.desk import Desk
from headrace.orchestration.proposals import propose
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import CRASHED
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.state import StateCreate
from headrace.storage import compiled

DIED = "The process that executed this run has died."


class LockedAttempt(NamedTuple):
    """An attempt that shows by a lock that it is alive."""

    flow_run_id: UUID
    epoch: int
    name: str
    suspect_since: int | None


def crash_if_dead(desk: Desk) -> int:
    """Look once at every attempt that is alive by a lock; crash those whose lock is free; return how many.

    Where a lock may be free for a while although its holder lives, what was seen is noted for whoever looks next.
    """
    suspects = {attempt.name: attempt.suspect_since for attempt in desk.read(find_locked)}
    held = {name for name in suspects if desk.database.is_held(name)}
    dead = {name for name, since in suspects.items() if name not in held and not desk.database.is_alive(name, since)}
    if not dead and all((name in held) == (since is None) for name, since in suspects.items()):
        return 0
    return desk.write(lambda unit: _judge(unit, held, dead))


def find_locked(unit: Unit) -> list[LockedAttempt]:
    """The attempts that show by a lock that they are alive."""
    return [LockedAttempt._make(values) for values in unit.fetch(compiled.find_locks)]


def _judge(unit: Unit, held: Collection[str], dead: Collection[str]) -> int:
    crashed = 0
    for attempt in find_locked(unit):
        if attempt.name in dead:
            crashed += crash(unit, attempt.flow_run_id, DIED)
        elif (attempt.name in held) != (attempt.suspect_since is None):
            suspect_since = None if attempt.name in held else unit.now
            unit.execute(
                compiled.suspect_lease,
                flow_run_id=attempt.flow_run_id,
                epoch=attempt.epoch,
                new_suspect_since=suspect_since,
            )
    return crashed


def crash(unit: Unit, flow_run_id: UUID, message: str) -> bool:
    """Say of a run that it was ended from outside; False when it had ended already."""
    state = StateCreate(type=CRASHED, message=message)
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=state))
    return isinstance(decision, Decision) and decision.written
