"""The tables of the background loops, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, text

from headrace.storage.declaration import metadata, required, table
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


def add_slot_policies(schedules: Table) -> None:
    """Add to schedules what they do with slots that pass: columns of a later revision, so they come last."""
    for column in (Column("catchup", Text), Column("max_lateness", Micros), Column("overlap", Text)):
        schedules.append_column(column)
