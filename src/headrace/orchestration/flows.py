"""Flows: the names under which runs are recorded."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.unit import Unit
from headrace.schema.flow import Flow, FlowCreate
from headrace.storage import compiled
from headrace.storage.rows import FlowRow, to_flow
from headrace.storage.texts import storable, storable_json


def register_flow(unit: Unit, flow: FlowCreate) -> Flow:
    """Make a flow known, once, and return it."""
    found = find_flow_by_name(unit, flow.name)
    if found is None:
        labels = None if flow.labels is None else storable_json(flow.labels)
        row = FlowRow(uuid7(), storable(flow.name), storable_json(flow.tags), labels, unit.now, unit.now)
        if unit.insert(compiled.insert_flows, [row]):
            return to_flow(row)
        found = find_flow_by_name(unit, flow.name)  # somebody else was just faster
    if found is None:
        raise ObjectNotFound(f"Flow {flow.name!r} was deleted while it was being registered.")
    return found


def find_flow_by_name(unit: Unit, name: str) -> Flow | None:
    """The flow of a name, if there is one."""
    rows = unit.fetch(compiled.find_flow_by_name, name=name)
    return to_flow(FlowRow(*rows[0])) if rows else None


def load_flow(unit: Unit, flow_id: UUID) -> Flow:
    """The flow with an id. Raises `ObjectNotFound`."""
    rows = unit.fetch(compiled.find_flow, id=flow_id)
    if not rows:
        raise ObjectNotFound(f"There is no flow with id {flow_id}.")
    return to_flow(FlowRow(*rows[0]))
