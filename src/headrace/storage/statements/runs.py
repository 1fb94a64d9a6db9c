"""Flows, flow runs and the claims on them, task runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Insert,
    Select,
    bindparam,
    delete,
    exists,
    literal_column,
    select,
    update,
)

from headrace.schema.identities import MARK
from headrace.schema.state import TERMINAL
from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.rows import NEVER, FlowRow, FlowRunRow, TaskRunRow
from headrace.storage.statements.registry import has, insert_into, insertion, new, own, select_columns, statement

# Flows ---------------------------------------------------------------------------------------------------------------


@insertion
def insert_flows(dialect: Dialect) -> Insert:
    """Make flows known; the same name again changes nothing."""
    return insert_into(dialect, t.flows).on_conflict_do_nothing()


@statement
def find_flow(_: Dialect) -> Executable:
    """The flow with an id."""
    return select_columns(t.flows, FlowRow._fields).where(*has(t.flows, "id"))


@statement
def find_flow_by_name(_: Dialect) -> Executable:
    """The flow of a name."""
    return select_columns(t.flows, FlowRow._fields).where(*has(t.flows, "name"))


# Flow runs -----------------------------------------------------------------------------------------------------------


@insertion
def insert_flow_runs(dialect: Dialect) -> Insert:
    """Create flow runs; the same id or key again changes nothing."""
    return insert_into(dialect, t.flow_runs).on_conflict_do_nothing()


@statement
def find_flow_run(_: Dialect) -> Executable:
    """The flow run with an id."""
    return select_columns(t.flow_runs, FlowRunRow._fields).where(*has(t.flow_runs, "id"))


@statement
def find_flow_run_by_key(_: Dialect) -> Executable:
    """The run of a flow that was made under an idempotency key."""
    return select_columns(t.flow_runs, FlowRunRow._fields).where(*has(t.flow_runs, "flow_id", "idempotency_key"))


@statement
def lock_flow_run(_: Dialect) -> Executable:
    """The flow run with an id, held."""
    return select_columns(t.flow_runs, FlowRunRow._fields).where(*has(t.flow_runs, "id")).with_for_update()


@statement
def find_epochs(dialect: Dialect) -> Executable:
    """The epochs of flow runs."""
    run = t.flow_runs.c
    return select(run.id, run.epoch).where(own(t.flow_runs), dialect.among(run.id, "ids"))


@statement
def move_flow_run(_: Dialect) -> Executable:
    """Put the run into a state, if it is still in the one that was seen."""
    moved = new(
        t.flow_runs,
        "run_count",
        "expected_start_time",
        "next_scheduled_start_time",
        "start_time",
        "end_time",
        "total_run_time",
        "state_type",
        "state_name",
        "state_timestamp",
        "state_ordinal",
        "state",
        "epoch",
        "updated",
    )
    return update(t.flow_runs).where(*has(t.flow_runs, "id", "state_ordinal")).values(moved)


@statement
def edit_flow_run(_: Dialect) -> Executable:
    """Set all that people may change of a run."""
    edited = new(
        t.flow_runs,
        "name",
        "flow_version",
        "parameters",
        "empirical_policy",
        "tags",
        "infrastructure_pid",
        "job_variables",
        "updated",
    )
    return update(t.flow_runs).where(*has(t.flow_runs, "id")).values(edited)


@statement
def change_flow_run_policy(_: Dialect) -> Executable:
    """Set the policy of a run."""
    return update(t.flow_runs).where(*has(t.flow_runs, "id")).values(new(t.flow_runs, "empirical_policy"))


@statement
def change_flow_run_parameters(_: Dialect) -> Executable:
    """Set the parameters of a run."""
    return update(t.flow_runs).where(*has(t.flow_runs, "id")).values(new(t.flow_runs, "parameters"))


@statement
def move_flow_run_to_parent(_: Dialect) -> Executable:
    """Set which task run stands for a subflow's run."""
    return update(t.flow_runs).where(*has(t.flow_runs, "id")).values(new(t.flow_runs, "parent_task_run_id"))


@insertion
def insert_flow_run_tags(dialect: Dialect) -> Insert:
    """Enter tags of flow runs; those that are there already change nothing."""
    return insert_into(dialect, t.flow_run_tags).on_conflict_do_nothing()


@statement
def forget_flow_run_tags(dialect: Dialect) -> Executable:
    """Remove all tags of some flow runs."""
    return delete(t.flow_run_tags).where(own(t.flow_run_tags), dialect.among(t.flow_run_tags.c.run_id, "ids"))


# Claims --------------------------------------------------------------------------------------------------------------


def _due(*narrowed: ColumnElement[bool]) -> Select[Any]:
    """Runs that somebody has to start, oldest first; those another claimant is just taking are passed over.

    Those that wait in line before the limit of their deployment are left out until they are called.
    """
    run, waiter = t.flow_runs.c, t.slot_waiters.c
    waits = exists().where(
        waiter.workspace_id == run.workspace_id,
        waiter.request_id == run.id,
        waiter.asked == literal_column(str(NEVER)),
    )
    return (
        select_columns(t.flow_runs, FlowRunRow._fields)
        .where(own(t.flow_runs), run.next_scheduled_start_time <= bindparam("before"), ~waits, *narrowed)
        .order_by(run.next_scheduled_start_time, run.id)
        .limit(bindparam("limit", type_=BigInteger))
        .with_for_update(skip_locked=True)
    )


@statement
def lock_due(_: Dialect) -> Executable:
    """Runs due in any queue, of any deployment."""
    return _due()


@statement
def lock_due_in_queues(dialect: Dialect) -> Executable:
    """Runs due in some queues."""
    return _due(dialect.among(t.flow_runs.c.work_queue_id, "work_queue_ids"))


@statement
def lock_due_of_deployments(dialect: Dialect) -> Executable:
    """Runs due of some deployments."""
    return _due(dialect.among(t.flow_runs.c.deployment_id, "deployment_ids"))


@statement
def lock_due_in_queues_of_deployments(dialect: Dialect) -> Executable:
    """Runs due in some queues and of some deployments."""
    run = t.flow_runs.c
    in_queues = dialect.among(run.work_queue_id, "work_queue_ids")
    return _due(in_queues, dialect.among(run.deployment_id, "deployment_ids"))


# Task runs -----------------------------------------------------------------------------------------------------------


@insertion
def insert_task_runs(dialect: Dialect) -> Insert:
    """Create task runs; those that exist are left as they are."""
    return insert_into(dialect, t.task_runs).on_conflict_do_nothing()


@insertion
def replace_task_runs(dialect: Dialect) -> Insert:
    """Write back rows that were read and held before in the same unit of work."""
    insert = insert_into(dialect, t.task_runs)
    kept = {"workspace_id", "id"}
    changed = {column.name: insert.excluded[column.name] for column in t.task_runs.c if column.name not in kept}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=changed)


@statement
def find_task_run(_: Dialect) -> Executable:
    """The task run with an id."""
    return select_columns(t.task_runs, TaskRunRow._fields).where(*has(t.task_runs, "id"))


@statement
def find_task_run_by_key(_: Dialect) -> Executable:
    """The task run that stands for one call within a flow run."""
    found = has(t.task_runs, "flow_run_id", "task_key", "dynamic_key")
    return select_columns(t.task_runs, TaskRunRow._fields).where(*found).order_by(t.task_runs.c.id).limit(1)


@statement
def find_loose_task_run_by_key(_: Dialect) -> Executable:
    """The task run that stands for one call outside of any flow run."""
    found = [*has(t.task_runs, "task_key", "dynamic_key"), t.task_runs.c.flow_run_id.is_(None)]
    return select_columns(t.task_runs, TaskRunRow._fields).where(*found).order_by(t.task_runs.c.id).limit(1)


@statement
def lock_task_runs(dialect: Dialect) -> Executable:
    """The task runs with some ids, held."""
    found = [own(t.task_runs), dialect.among(t.task_runs.c.id, "ids")]
    return select_columns(t.task_runs, TaskRunRow._fields).where(*found).order_by(t.task_runs.c.id).with_for_update()


@statement
def lock_unfinished_task_runs(_: Dialect) -> Executable:
    """The task runs of a flow run that have not ended, held."""
    run = t.task_runs.c
    ended: list[Any] = [literal_column(f"'{state}'") for state in sorted(TERMINAL)]
    found = [*has(t.task_runs, "flow_run_id"), run.state_type.not_in(ended)]
    return select_columns(t.task_runs, TaskRunRow._fields).where(*found).order_by(run.id).with_for_update()


@statement
def find_calls(_: Dialect) -> Executable:
    """The task runs of a flow run whose dynamic key holds the identity of a call, in the order in which they were made."""
    run = t.task_runs.c
    identified = run.dynamic_key.like(literal_column(f"'%{MARK}%'"))
    found = [*has(t.task_runs, "flow_run_id"), identified]
    return select_columns(t.task_runs, TaskRunRow._fields).where(*found).order_by(run.id)


@statement
def change_dynamic_key(_: Dialect) -> Executable:
    """Name a call otherwise."""
    return update(t.task_runs).where(*has(t.task_runs, "id")).values(new(t.task_runs, "dynamic_key"))


@insertion
def insert_task_run_tags(dialect: Dialect) -> Insert:
    """Enter tags of task runs; those that are there already change nothing."""
    return insert_into(dialect, t.task_run_tags).on_conflict_do_nothing()


@statement
def forget_task_run_tags(dialect: Dialect) -> Executable:
    """Remove all tags of some task runs."""
    return delete(t.task_run_tags).where(own(t.task_run_tags), dialect.among(t.task_run_tags.c.run_id, "ids"))
