"""Wide queries on deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from headrace.schema.deployment import DeploymentSort
from headrace.schema.filters import RunSelection
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.deployment_rows import DeploymentRow
from headrace.storage.dialect import DIALECTS
from headrace.storage.hints import by_index
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.selections import select_deployments

_deployment = t.deployments.c

ACTIVE = ("PENDING", "RUNNING", "CANCELLING")
"""The states in which a run is executed, or about to be."""


def find_deployments(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> list[DeploymentRow]:
    """The deployments with some ids."""
    return _fetch(connection, _deployments(workspace_id).where(_deployment.id.in_(ids)))


def lock_deployment(connection: Connection, workspace_id: UUID, deployment_id: UUID) -> DeploymentRow | None:
    """The deployment with an id, held: whoever changes it or its schedules, or makes runs of it, takes turns."""
    rows = _fetch(connection, _deployments(workspace_id).where(_deployment.id == deployment_id).with_for_update())
    return rows[0] if rows else None


def find_deployment_by_name(
    connection: Connection, workspace_id: UUID, flow_name: str, name: str
) -> DeploymentRow | None:
    """The deployment of that name, of the flow of that name."""
    flow = t.flows.c
    of_flow = select(flow.id).where(flow.workspace_id == workspace_id, flow.name == flow_name).scalar_subquery()
    query = _deployments(workspace_id).where(_deployment.flow_id == of_flow, _deployment.name == name)
    rows = _fetch(connection, query)
    return rows[0] if rows else None


def lock_deployment_of_flow(
    connection: Connection, workspace_id: UUID, flow_id: UUID, name: str
) -> DeploymentRow | None:
    """The deployment of that name, held."""
    query = _deployments(workspace_id).where(_deployment.flow_id == flow_id, _deployment.name == name)
    rows = _fetch(connection, query.with_for_update())
    return rows[0] if rows else None


def list_deployments(
    connection: Connection, workspace_id: UUID, selection: RunSelection, sort: DeploymentSort, page: Page
) -> list[DeploymentRow]:
    """The deployments that a selection names, in order."""
    name, _, direction = sort.value.rpartition("_")
    order = Order(_deployment[name.lower()], _deployment.id, direction == "DESC")
    rows = fetch_page(connection, _selected(connection, workspace_id, selection), order, page)
    return [DeploymentRow._make(row) for row in rows]


def count_deployments(connection: Connection, workspace_id: UUID, selection: RunSelection) -> int:
    """How many deployments a selection names."""
    return count_rows(connection, _selected(connection, workspace_id, selection))


def count_by_flow(connection: Connection, workspace_id: UUID, flow_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many deployments each of some flows has."""
    own = [_deployment.workspace_id == workspace_id, _deployment.flow_id.in_(flow_ids)]
    query = select(_deployment.flow_id, func.count()).where(*own).group_by(_deployment.flow_id)
    return {row[0]: row[1] for row in connection.select(query)}


def insert_deployment(connection: Connection, workspace_id: UUID, row: DeploymentRow) -> bool:
    """Keep a deployment; False when its flow has one of that name."""
    insert = DIALECTS[connection.dialect].insert(t.deployments).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def change_deployment(connection: Connection, workspace_id: UUID, deployment_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of a deployment; how many there were."""
    own = (_deployment.workspace_id == workspace_id) & (_deployment.id == deployment_id)
    return connection.change(update(t.deployments).where(own).values(changed))


def delete_deployment(connection: Connection, workspace_id: UUID, deployment_id: UUID) -> None:
    """Delete a deployment with its schedules."""
    schedule = t.deployment_schedules.c
    of_it = (schedule.workspace_id == workspace_id) & (schedule.deployment_id == deployment_id)
    connection.change(delete(t.deployment_schedules).where(of_it))
    own = (_deployment.workspace_id == workspace_id) & (_deployment.id == deployment_id)
    connection.change(delete(t.deployments).where(own))


def find_deployments_of_flow(connection: Connection, workspace_id: UUID, flow_id: UUID) -> list[UUID]:
    """The deployments of a flow."""
    query = select(_deployment.id).where(_deployment.workspace_id == workspace_id, _deployment.flow_id == flow_id)
    return [row[0] for row in connection.select(query)]


def find_active_runs(connection: Connection, workspace_id: UUID, deployment_id: UUID) -> list[UUID]:
    """The runs of a deployment that are pending, running or being cancelled."""
    run = t.flow_runs.c
    active = [run.workspace_id == workspace_id, run.deployment_id == deployment_id, run.state_type.in_(ACTIVE)]
    # Not by their deployment: that would be all the runs it ever had.
    query = by_index(select(run.id).where(*active), t.flow_runs, "ix_flow_runs_state_type")
    return [row[0] for row in connection.select(query.order_by(run.id))]


def find_runs_in_line(connection: Connection, workspace_id: UUID, deployment_id: UUID) -> list[UUID]:
    """The runs of a deployment that wait in line before its limit, in the order of coming."""
    run, waiter = t.flow_runs.c, t.slot_waiters.c
    joined = t.slot_waiters.join(t.flow_runs, (run.workspace_id == waiter.workspace_id) & (run.id == waiter.request_id))
    query = select(waiter.request_id).select_from(joined).order_by(waiter.sequence)
    of_deployment = [waiter.workspace_id == workspace_id, run.deployment_id == deployment_id]
    return [row[0] for row in connection.select(query.where(*of_deployment))]


def forget_limit(connection: Connection, workspace_id: UUID, limit_id: UUID) -> None:
    """Say of deployments that had a limit that they have none."""
    having = (_deployment.workspace_id == workspace_id) & (_deployment.global_concurrency_limit_id == limit_id)
    none = {"global_concurrency_limit_id": None, "concurrency_limit": None}
    connection.change(update(t.deployments).where(having).values(none))


def note_limit(connection: Connection, workspace_id: UUID, limit_id: UUID, slots: int) -> None:
    """Say of the deployment whose own limit it is how many runs it allows."""
    own = [_deployment.workspace_id == workspace_id, _deployment.global_concurrency_limit_id == limit_id]
    stated = _deployment.concurrency_limit.is_not(None)
    connection.change(update(t.deployments).where(*own, stated).values(concurrency_limit=slots))


def _fetch(connection: Connection, query: Query) -> list[DeploymentRow]:
    return [DeploymentRow._make(row) for row in connection.select(query)]


def _deployments(workspace_id: UUID) -> Query:
    return select(*(_deployment[name] for name in DeploymentRow._fields)).where(
        _deployment.workspace_id == workspace_id
    )


def _selected(connection: Connection, workspace_id: UUID, selection: RunSelection) -> Query:
    wanted = select_deployments(workspace_id, selection, DIALECTS[connection.dialect])
    return select(*(_deployment[name] for name in DeploymentRow._fields)).where(wanted)
