"""Turns: what a schedule says of its slots, loaded for the decision about a run that somebody is about to start."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from headrace.base.clock import to_micros
from headrace.orchestration.unit import Unit
from headrace.rules.verdicts import Turn
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow

UNDER_WAY = ("PENDING", "RUNNING", "CANCELLING", "PAUSED")
"""Types of states of runs that have begun and not ended."""
GOES_ON = ("AwaitingRetry", "Resuming")
"""Names of scheduled runs that have begun before."""


def load_turn(unit: Unit, row: FlowRunRow) -> Turn | None:
    """What decides whether the run may start; None for one that no schedule made, that has begun before, or that may always."""
    slot = slot_of(row)
    if slot is None or row.epoch:
        return None
    rows = unit.fetch(compiled.lock_slot_policy, id=row.created_by_id)
    if not rows:
        return None
    max_lateness, overlap = rows[0]
    under_way: tuple[UUID, ...] = ()
    if overlap is not None:
        found = unit.fetch(
            compiled.find_runs_under_way, schedule_id=row.created_by_id, types=[*UNDER_WAY], names=[*GOES_ON]
        )
        under_way = tuple(each for (each,) in found if each != row.id)
    return Turn(slot=slot, max_lateness=max_lateness, overlap=overlap, under_way=under_way)


def slot_of(row: FlowRunRow) -> int | None:
    """The instant for which a schedule made the run. It is in the run's key: what the run waits for may be put off."""
    if not row.auto_scheduled or row.created_by_id is None or row.idempotency_key is None:
        return None
    return to_micros(datetime.fromisoformat(row.idempotency_key.rpartition(" ")[2]))
