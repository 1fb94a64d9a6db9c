"""The limits that deployments are given: one of their own, or one that they share by its id with others.

A deployment's own limit is a concurrency limit like any other, named after the deployment. It is made, changed and deleted
with what the deployment says; runs that are executing when it is made count from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.slots import call_waiting, dismiss_waiting
from headrace.orchestration.unit import Unit
from headrace.storage import deployments as deployment_queries
from headrace.storage import limits as queries
from headrace.storage.deployment_rows import DeploymentRow
from headrace.storage.rows import NEVER, LimitRow

OWN_LIMIT = "deployment:"
"""With what the name of a deployment's own limit begins; the deployment's id follows."""

SHARED, OWN = "global_concurrency_limit_id", "concurrency_limit"
"""What requests call the id of a limit that is shared, and how many runs a deployment's own limit allows."""


def settle_limit(unit: Unit, row: DeploymentRow, told: Mapping[str, Any]) -> dict[str, Any]:
    """Give a deployment the limit that a request speaks of, if it speaks of one; the columns that follow from it.

    Who names a limit that there is shares it; otherwise a number is a limit of the deployment's own, and none is no limit.
    Raises `ObjectNotFound` for a limit that there is not.
    """
    if not told.keys() & {SHARED, OWN}:
        return {}
    shared, slots = told.get(SHARED), told.get(OWN)
    own = queries.find_limit(unit.connection, unit.workspace_id, f"{OWN_LIMIT}{row.id}")
    if own is not None and shared == own.id:
        shared, slots = None, slots or own.slots
    if shared is not None and not queries.find_limits_by_id(unit.connection, unit.workspace_id, [shared]):
        raise ObjectNotFound(f"There is no concurrency limit with id {shared}.")
    if shared is None and slots is None and SHARED not in told and row.concurrency_limit is None:
        return {}  # none of its own is wanted, and it has none
    before = row.global_concurrency_limit_id
    kept = own is not None and before == own.id and shared is None and slots is not None
    if before is not None and before != shared and not kept:
        waiting = deployment_queries.find_runs_in_line(unit.connection, unit.workspace_id, row.id)
        dismiss_waiting(unit, waiting)
    if shared is None and slots is not None:
        return {SHARED: _keep_own_limit(unit, row, own, slots), OWN: slots}
    drop_own_limit(unit, row.id)
    return {SHARED: shared, OWN: None}


def drop_own_limit(unit: Unit, deployment_id: UUID) -> None:
    """Delete a deployment's own limit, if it has one. Who waits for it waits no more."""
    own = queries.find_limit(unit.connection, unit.workspace_id, f"{OWN_LIMIT}{deployment_id}")
    if own is not None:
        call_waiting(unit, [own.id], gone=True)
        queries.delete_limit(unit.connection, unit.workspace_id, own.id)


def find_limits(unit: Unit, rows: Sequence[DeploymentRow]) -> dict[UUID, LimitRow]:
    """The limits of deployments, by their ids."""
    ids = [each for each in {row.global_concurrency_limit_id for row in rows} if each is not None]
    found = queries.find_limits_by_id(unit.connection, unit.workspace_id, ids) if ids else []
    return {limit.id: limit for limit in found}


def _keep_own_limit(unit: Unit, row: DeploymentRow, own: LimitRow | None, slots: int) -> UUID:
    if own is not None:
        changed = {"slots": slots, "updated": unit.now}
        queries.change_limit(unit.connection, unit.workspace_id, own.id, changed)
        if slots > own.slots:
            call_waiting(unit, [own.id])
        return own.id
    made = LimitRow(uuid7(), f"{OWN_LIMIT}{row.id}", slots, True, 0.0, 0.0, unit.now, unit.now, unit.now)
    queries.insert_limit(unit.connection, unit.workspace_id, made)
    for run_id in deployment_queries.find_active_runs(unit.connection, unit.workspace_id, row.id):
        queries.insert_lease(unit.connection, unit.workspace_id, made, run_id, NEVER, unit.now)
    return made.id
