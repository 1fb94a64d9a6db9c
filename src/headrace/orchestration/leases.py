"""Leases: who executes a flow run, under which epoch, and how one can tell that they are alive."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from headrace.orchestration.unit import Unit
from headrace.rules.transitions import is_terminal
from headrace.schema.orchestration import Beat, Presence
from headrace.schema.state import StateType
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow


def take_lease(unit: Unit, flow_run_id: UUID, epoch: int, presence: Presence, holder: str | None = None) -> None:
    """Hold the run for an attempt, whoever held it before."""
    row = (
        flow_run_id,
        epoch,
        holder,
        presence.kind,
        presence.name,
        presence.interval,
        0,
        None,
        unit.now,
        unit.now,
    )
    unit.insert(compiled.take_leases, [row])


def release_lease(unit: Unit, flow_run_id: UUID) -> None:
    """Hold the run no more."""
    unit.execute(compiled.release_lease, flow_run_id=flow_run_id)


def is_held(unit: Unit, row: FlowRunRow) -> bool:
    """Whether somebody executes the run, as far as is known."""
    return row.infrastructure_pid is not None or bool(unit.fetch(compiled.find_lease, flow_run_id=row.id))


def beat(unit: Unit, beats: Sequence[Beat]) -> list[UUID]:
    """Move the counters of leases; return the runs whose attempt is over and must end itself."""
    fenced: list[UUID] = []
    for each in beats:
        alive = unit.execute(compiled.beat_lease, flow_run_id=each.flow_run_id, epoch=each.epoch, new_updated=unit.now)
        if not alive and _is_over(unit, each):
            fenced.append(each.flow_run_id)
    return fenced


def _is_over(unit: Unit, each: Beat) -> bool:
    rows = unit.fetch(compiled.find_flow_run, id=each.flow_run_id)
    if not rows:
        return True
    row = FlowRunRow(*rows[0])
    return row.epoch != each.epoch or (row.state_type is not None and is_terminal(StateType(row.state_type)))
