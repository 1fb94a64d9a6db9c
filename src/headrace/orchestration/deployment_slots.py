"""The slots that runs hold of their deployment's limit, from the claim until they end, are suspended or wait to be started.

A slot is a lease that has no time of its own where the run's attempt shows that it is alive: with the attempt's end the slot
is given back, whoever sees that end. Which runs wait, and who is next, is the line before the limit (`slots`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from headrace.base.ids import uuid7
from headrace.orchestration.slots import (
    SECOND,
    find_place,
    release_slots,
    take_slot,
    wait_to_be_called,
    withdraw_slot_request,
)
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import LATE, PENDING, RUNNING, SCHEDULED
from headrace.rules.verdicts import (
    Effect,
    KeepSlot,
    LeaveLine,
    ReleaseSlot,
    SlotFacts,
    StandInLine,
    TakeSlot,
    Transition,
)
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.rows import NEVER, FlowRunRow, LimitRow


class DeploymentLimit(NamedTuple):
    """The limit that counts for a deployment, and what the deployment says of it."""

    row: LimitRow
    cancels: bool
    grace: float | None


def find_limit(unit: Unit, deployment_id: UUID) -> DeploymentLimit | None:
    """The limit of a deployment, if it has one and that is active."""
    rows = unit.fetch(compiled.find_deployment_limits, deployment_ids=[deployment_id])
    if not rows:
        return None
    options: dict[str, Any] = decode_json(rows[0][1]) if rows[0][1] else {}
    cancels = options.get("collision_strategy") == "CANCEL_NEW"
    return DeploymentLimit(LimitRow._make(rows[0][2:]), cancels, options.get("grace_period_seconds"))


def hold_limits(unit: Unit, deployment_ids: Iterable[UUID | None]) -> None:
    """Hold the limits of deployments until the unit ends, in the order in which everybody does."""
    ids = sorted({each for each in deployment_ids if each is not None})
    rows = unit.fetch(compiled.find_deployment_limits, deployment_ids=ids) if ids else []
    if rows:
        unit.fetch(compiled.lock_limits, names=sorted({row[3] for row in rows}))


def find_slot(unit: Unit, row: FlowRunRow, transition: Transition) -> SlotFacts | None:
    """What the limit of a run's deployment has to say to a transition. Then the run and the limit are held, in that order."""
    if row.deployment_id is None or transition.before not in {None, SCHEDULED, PENDING}:
        return None
    late = transition.target.type is SCHEDULED and transition.target.name == LATE
    if not late and transition.target.type not in {PENDING, RUNNING}:
        return None
    limit = find_limit(unit, row.deployment_id)
    if limit is None or (late and not limit.cancels):
        return None
    unit.fetch(compiled.lock_flow_run, id=row.id)
    held = unit.fetch(compiled.lock_limits, names=[limit.row.name])
    if not held:  # it was deleted, or given up, in this moment
        return None
    limit = limit._replace(row=LimitRow._make(held[0]))
    for lease_id, names, expires in unit.fetch(compiled.find_slot_lease, request_id=row.id):
        if expires > unit.now and limit.row.name in decode_json(names):
            return SlotFacts(lease_id=lease_id, held=True, cancels=limit.cancels, grace=limit.grace)
    place = find_place(unit, limit.row, row.id)
    return SlotFacts(lease_id=uuid7(), place=place, cancels=limit.cancels, grace=limit.grace)


def follow(unit: Unit, row: FlowRunRow, effect: Effect) -> None:
    """Do what a step of a run means for its slot; other effects mean nothing."""
    match effect:
        case TakeSlot(lease_id, seconds):
            if (limit := _hold_limit(unit, row)) is not None:
                take_slot(unit, limit, lease_id, row.id, _expiry(unit, seconds))
        case KeepSlot(lease_id, seconds):
            unit.execute(compiled.set_slot_lease, id=lease_id, new_expires=_expiry(unit, seconds), new_updated=unit.now)
        case ReleaseSlot():
            for found in unit.fetch(compiled.find_slot_lease, request_id=row.id):
                release_slots(unit, found[0])
        case StandInLine():
            if (limit := _hold_limit(unit, row)) is not None:
                wait_to_be_called(unit, limit, row.id)
        case LeaveLine():
            leave_slots(unit, row.id)
        case _:
            pass


def leave_slots(unit: Unit, flow_run_id: UUID) -> None:
    """Give back the slot that a run holds, or its place in line, because it waits no more or is going to be deleted."""
    withdraw_slot_request(unit, flow_run_id)


def _hold_limit(unit: Unit, row: FlowRunRow) -> LimitRow | None:
    limit = find_limit(unit, row.deployment_id) if row.deployment_id is not None else None
    rows = unit.fetch(compiled.lock_limits, names=[limit.row.name]) if limit is not None else []
    return LimitRow._make(rows[0]) if rows else None


def _expiry(unit: Unit, seconds: float | None) -> int:
    return NEVER if seconds is None else unit.now + int(seconds * SECOND)
