"""What background loops ask every second or two, and mostly find nothing: as text, so that a server at rest costs little."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Executable, bindparam, select

from headrace.storage import tables as t
from headrace.storage.automation_rows import ActionRow, AutomationRow
from headrace.storage.deployment_rows import ScheduleRow
from headrace.storage.dialect import Dialect
from headrace.storage.hints import Query, by_index
from headrace.storage.outbox_rows import MessageRow
from headrace.storage.statements.registry import has, own, select_columns, statement


@statement
def find_enabled_automations(_: Dialect) -> Executable:
    """The automations that are enabled, those made first first."""
    automation = t.automations.c
    query = select_columns(t.automations, AutomationRow._fields).where(own(t.automations), automation.enabled)
    return query.order_by(automation.id)


@statement
def find_automation_cursor(_: Dialect) -> Executable:
    """How far automations have read the log."""
    cursor = t.automation_cursors.c
    return select(cursor.xid, cursor.id).where(own(t.automation_cursors))


@statement
def find_due_actions(_: Dialect) -> Executable:
    """What is to be done by now, in the order in which it was fired."""
    action = t.automation_actions.c
    query = select_columns(t.automation_actions, ActionRow._fields).where(own(t.automation_actions), _is_by(action.due))
    return _first(query.order_by(action.due, action.firing_id, action.number))


@statement
def find_due_messages(_: Dialect) -> Executable:
    """Messages that are due, the oldest first."""
    message = t.outbox_messages.c
    query = select_columns(t.outbox_messages, MessageRow._fields).where(own(t.outbox_messages), _is_by(message.due))
    return _first(query.order_by(message.due, message.id))


@statement
def find_schedules_to_look_at(_: Dialect) -> Executable:
    """Schedules that need further runs by now, those that have waited longest first."""
    schedule = t.deployment_schedules.c
    query = select_columns(t.deployment_schedules, ScheduleRow._fields)
    found = [own(t.deployment_schedules), _is_by(schedule.look_at)]
    return _first(query.where(*found).order_by(schedule.look_at))


@statement
def find_passed_slots(_: Dialect) -> Executable:
    """Runs that nobody has started within the time that their schedule gives them."""
    run, schedule, deployment = t.flow_runs.c, t.deployment_schedules.c, t.deployments.c
    # From the schedules that give a time, of which there are few, to what waits of their flows: many runs may be late.
    passed = [
        own(t.deployment_schedules),
        schedule.max_lateness.is_not(None),
        deployment.workspace_id == schedule.workspace_id,
        deployment.id == schedule.deployment_id,
        run.workspace_id == schedule.workspace_id,
        run.flow_id == deployment.flow_id,
        run.next_scheduled_start_time < bindparam("now", type_=BigInteger) - schedule.max_lateness,
        run.created_by_id == schedule.id,
        run.epoch == 0,
    ]
    return _first(by_index(select(run.id).where(*passed), t.flow_runs, "ix_flow_runs_next_of_flow"))


@statement
def find_runs_awaiting(_: Dialect) -> Executable:
    """Runs in a state of some name which a schedule made, by id: which run, and which schedule."""
    run = t.flow_runs.c
    query = select(run.id, run.created_by_id).where(*has(t.flow_runs, "state_name"), run.created_by_id.is_not(None))
    return _first(query.order_by(run.id))


def _is_by(instant: ColumnElement[Any]) -> ColumnElement[bool]:
    return instant <= bindparam("now", type_=BigInteger)


def _first(query: Query) -> Query:
    return query.limit(bindparam("limit", type_=BigInteger))
