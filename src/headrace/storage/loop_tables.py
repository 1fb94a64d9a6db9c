"""The tables of the background loops, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, text

from headrace.storage.declaration import metadata, present, required, table
from headrace.storage.types import Float, Id, Micros, Text

# Who looks after what: of all processes on a database, each loop goes on in one at a time. It belongs to no workspace, for
# it looks at all. `holder` is that process's presence lock, NULL when nobody has it; `beats` counts while it lives, so that
# others can watch it stand still by clocks of their own. The rest says how the last look went.
loop_leases = Table(
    "loop_leases",
    metadata,
    required("name", Text),
    Column("holder", Text),
    Column("place", Text),
    required("interval", Float),
    required("beats", BigInteger),
    required("updated", Micros),
    Column("looked", Micros),
    Column("took", Float),
    Column("lag", Float),
    required("done", BigInteger),
    Column("error", Text),
    PrimaryKeyConstraint("name"),
)

# What was last told of whether a pool, a queue, a deployment or a worker is served, so that only changes are.
told_statuses = table(
    "told_statuses",
    required("kind", Text),
    required("subject_id", Id),
    required("status", Text),
    required("since", Micros),
    PrimaryKeyConstraint("workspace_id", "kind", "subject_id"),
)


def index_what_passes(events: Table) -> None:
    """Index the events that are no states of runs: they go after a while, and the others with their runs."""
    passing = text("kind IN ('custom', 'slots', 'background')")
    Index(
        "ix_events_passing",
        events.c.workspace_id,
        events.c.occurred,
        sqlite_where=passing,
        postgresql_where=passing,
    )


def index_what_goes_on(flow_runs: Table) -> None:
    """Index the runs that have not ended: few beside the others, whatever the history."""
    run = flow_runs.c
    # Those that nobody has started: the ones past their time are found beside many that are late already.
    Index(
        "ix_flow_runs_waiting",
        run.workspace_id,
        run.state_name,
        run.next_scheduled_start_time,
        run.work_queue_id,
        **present("next_scheduled_start_time"),
    )
    unfinished = text(
        "parent_flow_run_id IS NOT NULL AND state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"
    )
    Index(
        "ix_flow_runs_unfinished_subflows",
        run.workspace_id,
        run.parent_flow_run_id,
        run.id,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    # Those that take up a place in their queue.
    active = text("work_queue_id IS NOT NULL AND state_type IN ('PENDING', 'RUNNING', 'CANCELLING')")
    Index("ix_flow_runs_active", run.workspace_id, run.work_queue_id, sqlite_where=active, postgresql_where=active)


def add_slot_policies(schedules: Table) -> None:
    """Add to schedules what they do with slots that pass: columns of a later revision, so they come last."""
    for column in (Column("catchup", Text), Column("max_lateness", Micros), Column("overlap", Text)):
        schedules.append_column(column)
    Index("ix_deployment_schedules_max_lateness", schedules.c.workspace_id, schedules.c.id, **present("max_lateness"))
