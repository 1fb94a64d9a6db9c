"""The events by which automations tell of themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.base.ids import uuid7
from headrace.orchestration.events import append_custom
from headrace.orchestration.unit import Unit
from headrace.rules.chains import Cut
from headrace.schema.action import AnyAction
from headrace.schema.automation import AUTOMATION
from headrace.schema.report import EventReport
from headrace.schema.run import DEPTH, FIRING
from headrace.schema.wire import decode_json
from headrace.schema.wire_event import ID, NAME, ROLE, Resource, WireEvent
from headrace.storage.automation_rows import ActionRow, AutomationRow, FiringRow

ACTION = f"{AUTOMATION}action."
CUT = "headrace.automation.cut"
"""What is said where automations follow one another without an end, instead of yet another firing. None fires because of it."""


def append_firing(unit: Unit, row: AutomationRow, firing: FiringRow) -> None:
    """Tell that an automation fired, or that what it fired for is over."""
    _append(unit, f"{AUTOMATION}{firing.mood.lower()}", row.id, row.name, firing, {})


def append_cut(unit: Unit, row: AutomationRow, firing: FiringRow, cut: Cut) -> None:
    """Tell that an automation is kept from firing any more because of what came of one firing, and why."""
    _append(unit, CUT, row.id, row.name, firing, {"cut": cut.kind, "reason": cut.reason, "chain": str(firing.chain)})


def append_action(
    unit: Unit, what: str, name: str, firing: FiringRow, row: ActionRow, action: AnyAction, told: dict[str, Any]
) -> None:
    """Tell of an action: that it is `triggered`, `executed` or `failed`."""
    kind: str = msgspec.to_builtins(action)["type"]
    payload = {"action_index": row.number, "action_type": kind, "invocation": str(firing.id), **told}
    _append(unit, f"{ACTION}{what}", firing.automation_id, name, firing, payload)


def _append(unit: Unit, event: str, automation_id: UUID, name: str, firing: FiringRow, payload: dict[str, Any]) -> None:
    related: list[Resource] = []
    if firing.event is not None:
        related.append({ID: f"prefect.event.{decode_json(firing.event)['id']}", ROLE: "triggering-event"})
    moment = to_datetime(unit.now)
    told = WireEvent(
        id=uuid7(),
        event=event,
        occurred=moment,
        received=moment,
        resource={ID: f"{AUTOMATION}{automation_id}", NAME: name, DEPTH: str(firing.depth), FIRING: str(firing.id)},
        related=related,
        payload={
            "firing_id": str(firing.id),
            "trigger_state": firing.mood,
            "triggering_labels": decode_json(firing.labels),
            "triggered": to_datetime(firing.occurred).isoformat(),
            **payload,
        },
    )
    append_custom(unit, [EventReport(told.id, unit.now, msgspec.to_builtins(told))])
