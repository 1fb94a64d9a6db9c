"""Queries on what was left for flow runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select

from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS

_input = t.flow_run_inputs.c


class InputRow(NamedTuple):
    """A row of flow_run_inputs."""

    id: UUID
    flow_run_id: UUID
    key: str
    value: str
    sender: str | None
    created: int
    updated: int


def insert_input(connection: Connection, workspace_id: UUID, row: InputRow) -> bool:
    """Keep an input; False when its run has one with this key already."""
    insert = DIALECTS[connection.dialect].insert(t.flow_run_inputs).on_conflict_do_nothing()
    return bool(connection.change(insert.values(workspace_id=workspace_id, **row._asdict())))


def find_input(connection: Connection, workspace_id: UUID, flow_run_id: UUID, key: str) -> InputRow | None:
    """The input of a run with a key."""
    query = select(*(_input[name] for name in InputRow._fields)).where(
        _input.workspace_id == workspace_id, _input.flow_run_id == flow_run_id, _input.key == key
    )
    rows = connection.select(query)
    return InputRow._make(rows[0]) if rows else None


def list_inputs(
    connection: Connection, workspace_id: UUID, flow_run_id: UUID, prefix: str, limit: int, exclude: Sequence[str]
) -> list[InputRow]:
    """The first inputs of a run whose keys begin with a prefix."""
    query = select(*(_input[name] for name in InputRow._fields)).where(
        _input.workspace_id == workspace_id,
        _input.flow_run_id == flow_run_id,
        _input.key.startswith(prefix, autoescape=True),
        _input.key.not_in(exclude),
    )
    return [InputRow._make(row) for row in connection.select(query.order_by(_input.id).limit(limit))]


def delete_input(connection: Connection, workspace_id: UUID, flow_run_id: UUID, key: str) -> int:
    """Delete the input of a run with a key; how many there were."""
    return connection.change(
        delete(t.flow_run_inputs).where(
            _input.workspace_id == workspace_id, _input.flow_run_id == flow_run_id, _input.key == key
        )
    )
