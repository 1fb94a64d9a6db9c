"""The log of events, what runs leave behind, and how far each journal is stored."""

from __future__ import annotations

from sqlalchemy import BigInteger, Executable, Insert, bindparam, func, literal_column, select, update

from headrace.storage import tables as t
from headrace.storage.dialect import Dialect
from headrace.storage.statements.registry import has, insert_into, insertion, new, own, statement

# The log of events ---------------------------------------------------------------------------------------------------


@insertion
def insert_events(dialect: Dialect) -> Insert:
    """Append to the log."""
    return insert_into(dialect, t.events, without=("id", "xid"))


@statement
def find_history(dialect: Dialect) -> Executable:
    """The events of some runs, in the order in which they were recorded."""
    event = t.events.c
    found = [own(t.events), dialect.among(event.subject_id, "ids")]
    return select(event.subject_id, event.kind, event.body).where(*found).order_by(event.id)


@statement
def read_events(dialect: Dialect) -> Executable:
    """What comes after a place in the log and cannot be preceded by anything committed later."""
    event = t.events.c
    after = dialect.is_after(bindparam("transaction", type_=BigInteger), bindparam("sequence", type_=BigInteger))
    return (
        select(event.xid, event.id, event.kind, event.subject_id, event.flow_run_id, event.occurred, event.body)
        .where(own(t.events), after, dialect.is_settled())
        .order_by(*dialect.cursor_order())
        .limit(bindparam("limit", type_=BigInteger))
    )


@statement
def find_end_of_log(dialect: Dialect) -> Executable:
    """The place after everything that can be read now."""
    if dialect.name == "sqlite":
        return select(literal_column("0", BigInteger), func.coalesce(func.max(t.events.c.id), 0))
    oldest_running = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger)
    return select(oldest_running - 1, literal_column(str(2**63 - 1), BigInteger))


# What runs leave -----------------------------------------------------------------------------------------------------


@insertion
def insert_logs(dialect: Dialect) -> Insert:
    """Keep log lines."""
    return insert_into(dialect, t.logs, without=("sequence",))


@insertion
def insert_artifacts(dialect: Dialect) -> Insert:
    """Keep artifacts; the same id again changes nothing."""
    return insert_into(dialect, t.artifacts).on_conflict_do_nothing()


@statement
def change_artifact(_: Dialect) -> Executable:
    """Give an artifact other data, and another description if there is one."""
    artifact = t.artifacts.c
    told = new(t.artifacts, "data", "description", "updated")
    told["description"] = func.coalesce(told["description"], artifact.description)
    return update(t.artifacts).where(*has(t.artifacts, "id")).values(told)


@insertion
def advance_artifact_collections(dialect: Dialect) -> Insert:
    """Make artifacts the latest of their keys, unless a later one is known."""
    insert = insert_into(dialect, t.artifact_collections)
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "key"],
        set_={"latest_id": insert.excluded.latest_id, "updated": insert.excluded.updated},
        where=insert.excluded.updated >= t.artifact_collections.c.updated,
    )


@statement
def find_results_of_flow_run(_: Dialect) -> Executable:
    """Where the values of a flow run's tasks are kept, in the order in which they were."""
    result = t.results.c
    columns = (
        result.task_run_id,
        result.storage_key,
        result.location,
        result.serializer,
        result.size,
        result.expiration,
    )
    found = [*has(t.results, "flow_run_id"), result.task_run_id.is_not(None)]
    return select(*columns).where(*found).order_by(result.id)


@insertion
def insert_results(dialect: Dialect) -> Insert:
    """Keep records of values; the same id again changes nothing."""
    return insert_into(dialect, t.results).on_conflict_do_nothing()


# Journals ------------------------------------------------------------------------------------------------------------


@insertion
def insert_journals(dialect: Dialect) -> Insert:
    """Make journals known."""
    return insert_into(dialect, t.journals).on_conflict_do_nothing()


@statement
def lock_mark(_: Dialect) -> Executable:
    """Up to which fact a journal is stored, held."""
    return select(t.journals.c.mark).where(*has(t.journals, "journal_id")).with_for_update()


@statement
def advance_mark(_: Dialect) -> Executable:
    """Say up to which fact a journal is stored, if it was stored up to `mark` before."""
    where = has(t.journals, "journal_id", "mark")
    return update(t.journals).where(*where).values(new(t.journals, "mark", "updated"))


@statement
def move_mark(_: Dialect) -> Executable:
    """Say up to which fact a journal is stored."""
    return update(t.journals).where(*has(t.journals, "journal_id")).values(new(t.journals, "mark", "updated"))
