"""Automations: made, changed, enabled and disabled, deleted. What happens because of them is in `triggering` and `actions`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.events import last_cursor
from headrace.orchestration.unit import Unit
from headrace.rules import windows
from headrace.rules.hydration import list_templates
from headrace.rules.templates import check
from headrace.schema.action import AnyAction, CallWebhook, RunDeployment, SendEmailNotification, SendNotification
from headrace.schema.automation import AUTOMATION, Automation, AutomationCreate, AutomationUpdate
from headrace.schema.trigger import AnyTrigger, EventTrigger, MetricTrigger, list_triggers
from headrace.schema.wire import decode_json, encode_json
from headrace.schema.wire_event import ID
from headrace.storage import automations as queries
from headrace.storage import firings
from headrace.storage.automation_rows import AutomationRow, BucketRow, to_automation, to_trigger
from headrace.storage.texts import storable, storable_json

LISTS = ("actions", "actions_on_trigger", "actions_on_resolve")

SELECTED = {
    "deployment_id": "prefect.deployment.",
    "work_pool_id": "prefect.work-pool.",
    "work_queue_id": "prefect.work-queue.",
    "automation_id": AUTOMATION,
}
"""As which resources actions name what they select."""


def create_automation(unit: Unit, create: AutomationCreate) -> Automation:
    """Make an automation. What happened before is none of its business. Raises `InvalidRequest` for a broken template."""
    begin = _begin(unit)
    row = AutomationRow(
        id=uuid7(),
        **_to_columns(create),
        trigger=_write_trigger(create.trigger),
        owner_resource=create.owner_resource and storable(create.owner_resource),
        resources="[]",
        **begin,
        created=unit.now,
        updated=unit.now,
    )
    row = row._replace(resources=_list_resources(create, row.owner_resource))
    queries.insert_automation(unit.connection, unit.workspace_id, row)
    if row.enabled:
        _start(unit, row)
    return to_automation(row)


def update_automation(unit: Unit, automation_id: UUID, update: AutomationUpdate) -> None:
    """Say anew what an automation is. One whose trigger is another begins anew. Raises `ObjectNotFound`, `InvalidRequest`."""
    _hold(unit)
    row = load_automation(unit, automation_id, held=True)
    changed = _to_columns(update)
    resources = _list_resources(update, row.owner_resource)
    before = to_trigger(row)
    same = _without_ids(before) == _without_ids(update.trigger)
    trigger = row.trigger if same else _write_trigger(update.trigger)
    _change(unit, row, {**changed, "trigger": trigger, "resources": resources}, anew=not same)


def enable_automation(unit: Unit, automation_id: UUID, enabled: bool) -> None:
    """Enable or disable an automation. What happened while it was disabled is none of its business. Raises `ObjectNotFound`."""
    _hold(unit)
    _change(unit, load_automation(unit, automation_id, held=True), {"enabled": enabled}, anew=False)


def delete_automation(unit: Unit, automation_id: UUID) -> None:
    """Delete an automation. Raises `ObjectNotFound`."""
    _hold(unit)
    if not queries.delete_automation(unit.connection, unit.workspace_id, automation_id):
        raise _missing(automation_id)


def delete_owned(unit: Unit, resource_id: str) -> None:
    """Delete the automations that go with a resource."""
    owned = queries.list_owned(unit.connection, unit.workspace_id, resource_id)
    if owned:
        _hold(unit)
    for automation_id in owned:
        queries.delete_automation(unit.connection, unit.workspace_id, automation_id)


def load_automation(unit: Unit, automation_id: UUID, held: bool = False) -> AutomationRow:
    """The row of an automation, held against changes by others if need be. Raises `ObjectNotFound`."""
    row = queries.find_automation(unit.connection, unit.workspace_id, automation_id, held)
    if row is None:
        raise _missing(automation_id)
    return row


def _change(unit: Unit, row: AutomationRow, changed: dict[str, Any], *, anew: bool) -> None:
    after = row._replace(**changed)
    if after.enabled and (anew or not row.enabled):
        changed = {**changed, **_begin(unit)}
    queries.change_automation(unit.connection, unit.workspace_id, row.id, {**changed, "updated": unit.now})
    if anew or after.enabled != row.enabled:
        queries.forget(unit.connection, unit.workspace_id, row.id)
        if after.enabled:
            _start(unit, after)


def _hold(unit: Unit) -> None:
    """Keep events from being taken meanwhile: nobody is to remember anything for a trigger that is another one by then."""
    firings.hold_cursor(unit.connection, unit.workspace_id)


def _begin(unit: Unit) -> dict[str, Any]:
    """From where on an automation follows the log: its end. If nobody follows it yet, from there on it is followed."""
    end = last_cursor(unit)
    firings.begin_cursor(unit.connection, unit.workspace_id, end, unit.now)
    _hold(unit)
    if not queries.list_enabled(unit.connection, unit.workspace_id):
        firings.move_cursor(unit.connection, unit.workspace_id, end, unit.now)
    return {"begin_xid": end.transaction, "begin_id": end.sequence}


def _start(unit: Unit, row: AutomationRow) -> None:
    """Begin to wait, where a trigger waits for something from the first."""
    for trigger in list_triggers(to_trigger(row)):
        window = windows.begin(trigger, unit.now) if isinstance(trigger, EventTrigger) else None
        if window is not None and trigger.id is not None:
            state = encode_json(window)
            bucket = BucketRow(row.id, trigger.id, "", "{}", state, 0, None, window.due, unit.now)
            firings.put_bucket(unit.connection, unit.workspace_id, bucket)


def _to_columns(told: AutomationUpdate) -> dict[str, Any]:
    """The columns that both requests speak of."""
    for name in LISTS:
        for number, action in enumerate(getattr(told, name)):
            _check_templates(action, f"{name}[{number}]")
    return {
        "name": storable(told.name),
        "description": storable(told.description),
        "enabled": told.enabled,
        "tags": storable_json(told.tags),
        **{name: storable_json(getattr(told, name)) for name in LISTS},
    }


def _check_templates(action: AnyAction, where: str) -> None:
    """Raise `InvalidRequest` for a template that is none."""
    templates: list[tuple[str, str]] = []
    match action:
        case SendNotification() | SendEmailNotification():
            templates = [("subject", action.subject), ("body", action.body)]
        case CallWebhook():
            templates = [("payload", action.payload)]
        case RunDeployment():
            given = {"parameters": action.parameters, "job_variables": action.job_variables}
            templates = [(name, text) for name, values in given.items() for text in list_templates(values)]
        case _:
            pass
    for name, text in templates:
        problem = check(text)
        if problem is not None:
            raise InvalidRequest(f"{where}, {name}: {problem}")


def _write_trigger(trigger: AnyTrigger) -> str:
    """The trigger as it is kept, each part of it with an id."""
    taken: set[UUID] = set()
    for each in list_triggers(trigger):
        if each.id is None or each.id in taken:
            each.id = uuid7()
        taken.add(each.id)
    return storable_json(trigger)


def _without_ids(trigger: AnyTrigger) -> Any:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key != "id"}  # pyright: ignore[reportUnknownVariableType]
        return [strip(each) for each in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]

    return strip(decode_json(storable_json(msgspec.to_builtins(trigger))))


def _list_resources(told: AutomationUpdate, owner: str | None) -> str:
    """The resources an automation has to do with: its owner, those its trigger names, those its actions select."""
    found = [] if owner is None else [owner]
    for trigger in list_triggers(told.trigger):
        if isinstance(trigger, (EventTrigger, MetricTrigger)):
            related = trigger.match_related
            for labels in (trigger.match, *([related] if isinstance(related, dict) else related)):
                values = labels.get(ID, [])
                found += [values] if isinstance(values, str) else values
    for name in LISTS:
        found += [resource for action in getattr(told, name) for resource in _select(action)]
    return storable_json([*dict.fromkeys(found)])


def _select(action: AnyAction) -> Iterator[str]:
    for name, prefix in SELECTED.items():
        selected = getattr(action, name, None)
        if selected is not None:
            yield f"{prefix}{selected}"


def _missing(automation_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(f"There is no automation with id {automation_id}.")
