"""Rows of automations, of what their triggers remember and of what they fired, and the wire types they become."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from msgspec import json

from headrace.base.clock import to_datetime
from headrace.schema.action import Actions, AnyAction
from headrace.schema.automation import Automation
from headrace.schema.trigger import AnyTrigger
from headrace.schema.wire import decode_json

_trigger = json.Decoder(AnyTrigger)
_actions = json.Decoder(Actions)
_action = json.Decoder(AnyAction)


class AutomationRow(NamedTuple):
    """A row of automations; trigger, actions, tags and resources are JSON."""

    id: UUID
    name: str
    description: str
    enabled: bool
    tags: str
    trigger: str
    actions: str
    actions_on_trigger: str
    actions_on_resolve: str
    owner_resource: str | None
    resources: str
    begin_xid: int
    begin_id: int
    created: int
    updated: int


class BucketRow(NamedTuple):
    """A row of automation_buckets; labels and state are JSON."""

    automation_id: UUID
    trigger_id: UUID
    key: str
    labels: str
    state: str
    depth: int
    cause: UUID | None
    due: int | None
    updated: int


class FiringRow(NamedTuple):
    """A row of automation_firings; labels, event and lineage are JSON."""

    id: UUID
    automation_id: UUID
    key: str
    mood: str
    labels: str
    event: str | None
    occurred: int
    depth: int
    chain: UUID
    lineage: str
    recurring: bool
    created: int
    updated: int


class ActionRow(NamedTuple):
    """A row of automation_actions; action is JSON."""

    firing_id: UUID
    number: int
    action: str
    due: int | None
    failure: str | None
    updated: int


def to_trigger(row: AutomationRow) -> AnyTrigger:
    """The trigger of an automation."""
    return _trigger.decode(row.trigger)


def to_actions(text: str) -> Actions:
    """Some of an automation's actions."""
    return _actions.decode(text)


def to_action(row: ActionRow) -> AnyAction:
    """The action of a row."""
    return _action.decode(row.action)


def to_automation(row: AutomationRow) -> Automation:
    """The automation a row holds."""
    return Automation(
        id=row.id,
        name=row.name,
        description=row.description,
        enabled=row.enabled,
        tags=decode_json(row.tags),
        trigger=to_trigger(row),
        actions=to_actions(row.actions),
        actions_on_trigger=to_actions(row.actions_on_trigger),
        actions_on_resolve=to_actions(row.actions_on_resolve),
        owner_resource=row.owner_resource,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )
