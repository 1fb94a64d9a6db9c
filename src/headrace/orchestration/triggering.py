"""From what happens to firings: events are taken once, in the transaction that says how far they were read.

Who reads on holds the workspace's cursor. What was read before it was held counts only if nobody has read on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec import json

from headrace.base.clock import to_micros
from headrace.base.ids import uuid7
from headrace.orchestration.automation_events import CUT, append_cut, append_firing
from headrace.orchestration.chains import find_link
from headrace.orchestration.unit import Unit
from headrace.rules.chains import DEEPEST, Cause, cause_of
from headrace.rules.compositions import Composition
from headrace.rules.metrics import Watching
from headrace.rules.triggers import (
    Bucket,
    Kept,
    Memory,
    Place,
    Signal,
    find_places,
    key_of,
    take_event,
    take_figures,
    take_time,
)
from headrace.rules.windows import Window
from headrace.schema.event import Cursor
from headrace.schema.trigger import AnyTrigger, EventTrigger, MetricTrigger, list_triggers
from headrace.schema.wire import decode_json, encode_json
from headrace.schema.wire_event import WireEvent
from headrace.storage import automations, firings
from headrace.storage.automation_rows import ActionRow, AutomationRow, BucketRow, FiringRow, to_actions, to_trigger
from headrace.storage.firings import Spot
from headrace.storage.texts import storable_json

BATCH = 500
"""How much of what time changes is looked at in one transaction."""

BUCKETS: Mapping[type[AnyTrigger], type[Bucket]] = {EventTrigger: Window, MetricTrigger: Watching}
"""What the kinds of triggers remember; those that are made of others, a composition."""


class Told(NamedTuple):
    """An event, and its place in the log."""

    cursor: Cursor
    event: WireEvent


class Rule(NamedTuple):
    """An automation that is enabled, and its trigger."""

    row: AutomationRow
    trigger: AnyTrigger

    @property
    def begin(self) -> Cursor:
        """What is at this place of the log or before it is none of its business."""
        return Cursor(self.row.begin_xid, self.row.begin_id)


def load_rules(unit: Unit) -> list[Rule]:
    """The automations that are enabled."""
    rows = automations.list_enabled(unit.connection, unit.workspace_id)
    return [Rule(row, to_trigger(row)) for row in rows]


def take_events(unit: Unit, seen: Cursor, told: Sequence[Told], end: Cursor) -> int | None:
    """Take the events between two places of the log; how many firings there were. None: somebody else has read on."""
    if firings.hold_cursor(unit.connection, unit.workspace_id) != seen:
        return None
    rules = load_rules(unit)
    events = [each for each in told if cause_of(each.event).depth <= DEEPEST and each.event.event != CUT]
    wanted = {
        Spot(rule.row.id, *place)
        for rule in rules
        for cursor, event in events
        if cursor > rule.begin
        for place in find_places(rule.trigger, event)
    }
    memories = _remember(unit, rules, wanted)
    fired = 0
    for cursor, event in events:
        for rule in rules:
            if cursor > rule.begin:
                signals = take_event(
                    rule.trigger, event, to_micros(event.occurred), memories[rule.row.id], cause_of(event)
                )
                fired += sum(_fire(unit, rule, signal, event, f"{event.id}") for signal in signals)
    _keep(unit, memories)
    firings.move_cursor(unit.connection, unit.workspace_id, end, unit.now)
    return fired


def take_due(unit: Unit, seen: Cursor, now: int) -> int | None:
    """Let time take its course up to an instant by which the log was read; how much there was to do. None: somebody else has
    read on.
    """
    if firings.hold_cursor(unit.connection, unit.workspace_id) != seen:
        return None
    due = firings.find_due_buckets(unit.connection, unit.workspace_id, now, BATCH)
    rules = {rule.row.id: rule for rule in load_rules(unit)} if due else {}
    wanted = {
        Spot(row.automation_id, trigger.id, "")
        for row in due
        if row.automation_id in rules
        for trigger in list_triggers(rules[row.automation_id].trigger)
        if trigger.id is not None
    }
    memories = _remember(
        unit, rules.values(), {*wanted, *(Spot(row.automation_id, row.trigger_id, row.key) for row in due)}
    )
    for row in due:
        rule = rules.get(row.automation_id)
        place = Place(row.trigger_id, row.key)
        if rule is None:
            firings.drop_bucket(unit.connection, unit.workspace_id, Spot(row.automation_id, *place))
            continue
        for signal in take_time(rule.trigger, place, row.due or now, memories[row.automation_id]):
            _fire(unit, rule, signal, None, f"{row.trigger_id}:{row.key}:{row.due}")
    _keep(unit, memories)
    return len(due)


def take_measures(unit: Unit, figures: Mapping[UUID, Mapping[UUID, float | None]]) -> int:
    """Take figures, by automation and trigger; how many firings there were."""
    firings.hold_cursor(unit.connection, unit.workspace_id)
    rules = [rule for rule in load_rules(unit) if rule.row.id in figures]
    wanted = {
        Spot(rule.row.id, trigger.id, "")
        for rule in rules
        for trigger in list_triggers(rule.trigger)
        if trigger.id is not None
    }
    memories = _remember(unit, rules, wanted)
    fired = 0
    for rule in rules:
        for signal in take_figures(rule.trigger, figures[rule.row.id], unit.now, memories[rule.row.id]):
            fired += _fire(unit, rule, signal, None, f"figure:{signal.at}")
    _keep(unit, memories)
    return fired


def _fire(unit: Unit, rule: Rule, signal: Signal, event: WireEvent | None, cause: str) -> bool:
    """Keep that an automation fired, with what is to be done; False when that was known, or is one too many."""
    row, link, firing_id = rule.row, find_link(unit, rule.row.id, signal.cause), uuid7()
    chain = link.chain or firing_id
    key = f"{signal.mood}:{key_of(signal.values)}:{cause}"
    firing = FiringRow(
        id=firing_id,
        automation_id=row.id,
        key=key if link.cut is None else f"{firings.CUT}{link.cut.kind}:{chain}",
        mood=signal.mood,
        labels=storable_json(signal.values),
        event=None if event is None else storable_json(event),
        occurred=signal.at,
        depth=link.depth,
        chain=chain,
        lineage=link.lineage,
        recurring=link.recurring,
        created=unit.now,
        updated=unit.now,
    )
    if not firings.insert_firing(unit.connection, unit.workspace_id, firing):
        return False
    if link.cut is not None:
        append_cut(unit, row, firing, link.cut)
        return False
    append_firing(unit, row, firing)
    lists = (row.actions, row.actions_on_trigger) if signal.mood == "Triggered" else (row.actions_on_resolve,)
    actions = [action for text in lists for action in to_actions(text)]
    rows = [
        ActionRow(firing.id, number, storable_json(action), unit.now, None, unit.now)
        for number, action in enumerate(actions)
    ]
    firings.insert_actions(unit.connection, unit.workspace_id, rows)
    return True


def _remember(unit: Unit, rules: Iterable[Rule], wanted: set[Spot]) -> dict[UUID, Memory]:
    """What the automations' triggers remember at some places, by automation."""
    kinds = {
        (rule.row.id, trigger.id): BUCKETS.get(type(trigger), Composition)
        for rule in rules
        for trigger in list_triggers(rule.trigger)
    }
    found: dict[UUID, dict[Place, Kept]] = {rule.row.id: {} for rule in rules}
    for row in firings.find_buckets(unit.connection, unit.workspace_id, wanted):
        kind = kinds.get((row.automation_id, row.trigger_id))
        if kind is not None:
            bucket = json.decode(row.state, type=kind)
            found[row.automation_id][Place(row.trigger_id, row.key)] = Kept(
                bucket, decode_json(row.labels), Cause(row.depth, row.cause)
            )
    return {automation_id: Memory(kept) for automation_id, kept in found.items()}


def _keep(unit: Unit, memories: Mapping[UUID, Memory]) -> None:
    """Keep what has changed of what is remembered."""
    for automation_id, memory in memories.items():
        for place, kept in memory.changes():
            if kept is None:
                firings.drop_bucket(unit.connection, unit.workspace_id, Spot(automation_id, *place))
                continue
            due = kept.bucket.due if isinstance(kept.bucket, Window) else None
            labels, state = storable_json(kept.values), encode_json(kept.bucket)
            row = BucketRow(automation_id, *place, labels, state, *kept.cause, due, unit.now)
            firings.put_bucket(unit.connection, unit.workspace_id, row)
