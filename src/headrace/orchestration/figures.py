"""Figures of flow runs, for the triggers that watch them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from headrace.orchestration.triggering import Rule
from headrace.orchestration.unit import Unit
from headrace.rules.metrics import Measured, measure
from headrace.rules.resources import has_labels, has_related
from headrace.schema.action import read_seconds
from headrace.schema.state import StateType
from headrace.schema.trigger import MetricTrigger, list_triggers
from headrace.schema.wire import decode_json
from headrace.schema.wire_event import FLOW_RUN, ID, NAME, ROLE, Resource
from headrace.storage import figures as queries
from headrace.storage.figures import FigureRow


def measure_rules(unit: Unit, rules: Sequence[Rule]) -> dict[UUID, dict[UUID, float | None]]:
    """The figures that automations watch, by automation and trigger."""
    return {
        rule.row.id: {
            trigger.id: _measure(unit, trigger)
            for trigger in list_triggers(rule.trigger)
            if isinstance(trigger, MetricTrigger) and trigger.id is not None
        }
        for rule in rules
    }


def _measure(unit: Unit, trigger: MetricTrigger) -> float | None:
    query = trigger.metric
    since = unit.now - round(read_seconds(query.range, "range") * 1_000_000)
    rows = queries.list_latest(unit.connection, unit.workspace_id, query.name, since, unit.now)
    measured = [
        Measured(
            state=None if row.state_type is None else StateType(row.state_type),
            expected=row.expected_start_time,
            started=row.start_time,
            ended=row.end_time,
            ran=row.total_run_time,
        )
        for row in rows
        if _is_meant(trigger, row)
    ]
    return measure(query.name, measured, unit.now)


def _is_meant(trigger: MetricTrigger, row: FigureRow) -> bool:
    if not has_labels({ID: f"{FLOW_RUN}{row.id}", NAME: row.name}, trigger.match):
        return False
    found: list[Resource] = [{ID: f"prefect.flow.{row.flow_id}", ROLE: "flow", NAME: row.flow_name}]
    for kind, found_id, name in (
        ("deployment", row.deployment_id, row.deployment_name),
        ("work-pool", row.work_pool_id, None),
        ("work-queue", row.work_queue_id, None),
    ):
        if found_id is not None:
            found.append({ID: f"prefect.{kind}.{found_id}", ROLE: kind, **({NAME: name} if name else {})})
    found += [{ID: f"prefect.tag.{tag}", ROLE: "tag"} for tag in decode_json(row.tags)]
    return has_related(found, trigger.match_related)
