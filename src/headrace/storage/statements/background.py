"""Background runs, the claims on them, and the workers that claim."""

from __future__ import annotations

from sqlalchemy import BigInteger, Executable, Insert, bindparam, delete, func, select

from headrace.storage import tables as t
from headrace.storage.background_rows import BackgroundRow, TaskWorkerRow
from headrace.storage.dialect import Dialect
from headrace.storage.statements.registry import has, insert_into, insertion, own, select_columns, statement


@insertion
def insert_background_runs(dialect: Dialect) -> Insert:
    """Offer runs to task workers; those that exist are left as they are."""
    return insert_into(dialect, t.background_runs).on_conflict_do_nothing()


@insertion
def replace_background_runs(dialect: Dialect) -> Insert:
    """Write back rows that were read and held before in the same unit of work."""
    insert = insert_into(dialect, t.background_runs)
    kept = {"workspace_id", "task_run_id"}
    changed = {column.name: insert.excluded[column.name] for column in t.background_runs.c if column.name not in kept}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "task_run_id"], set_=changed)


@statement
def lock_due_background_runs(_: Dialect) -> Executable:
    """Runs of a task that are due, oldest first, held; those another worker is just taking are passed over."""
    run = t.background_runs.c
    return (
        select_columns(t.background_runs, BackgroundRow._fields)
        .where(*has(t.background_runs, "task_key"), run.due <= bindparam("before", type_=BigInteger))
        .order_by(run.due, run.task_run_id)
        .limit(bindparam("limit", type_=BigInteger))
        .with_for_update(skip_locked=True)
    )


@statement
def find_next_due_background_run(dialect: Dialect) -> Executable:
    """When the next run of some tasks is due."""
    run = t.background_runs.c
    waiting = [own(t.background_runs), dialect.among(run.task_key, "task_keys"), run.due.is_not(None)]
    return select(func.min(run.due)).where(*waiting)


@statement
def lock_background_runs(dialect: Dialect) -> Executable:
    """The background runs among some task runs, held."""
    run = t.background_runs.c
    found = [own(t.background_runs), dialect.among(run.task_run_id, "ids")]
    return (
        select_columns(t.background_runs, BackgroundRow._fields)
        .where(*found)
        .order_by(run.task_run_id)
        .with_for_update()
    )


@statement
def lock_held_background_runs(_: Dialect) -> Executable:
    """The runs that a worker has, held."""
    return (
        select_columns(t.background_runs, BackgroundRow._fields)
        .where(*has(t.background_runs, "holder_id"))
        .order_by(t.background_runs.c.task_run_id)
        .with_for_update()
    )


@statement
def find_background_epochs(dialect: Dialect) -> Executable:
    """The epochs of the background runs among some task runs."""
    run = t.background_runs.c
    return select(run.task_run_id, run.epoch).where(own(t.background_runs), dialect.among(run.task_run_id, "ids"))


@insertion
def keep_task_workers(dialect: Dialect) -> Insert:
    """Make workers known, or show that they are still there."""
    insert = insert_into(dialect, t.task_workers)
    changed = {name: insert.excluded[name] for name in ("name", "task_keys", "updated")}
    return insert.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=changed)


@statement
def find_task_workers(_: Dialect) -> Executable:
    """All workers that are there."""
    return (
        select_columns(t.task_workers, TaskWorkerRow._fields)
        .where(own(t.task_workers))
        .order_by(t.task_workers.c.name, t.task_workers.c.id)
    )


@statement
def forget_task_worker(_: Dialect) -> Executable:
    """Forget a worker."""
    return delete(t.task_workers).where(*has(t.task_workers, "id"))
