"""How many runs there are of each state: a part of the declared schema (`storage.tables`), and the triggers that keep it.

A count of millions of runs reads them all, on both databases. So the database itself counts, in the transaction that
writes a run, whoever writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Integer, PrimaryKeyConstraint

from headrace.storage.declaration import required, table
from headrace.storage.types import Text

if TYPE_CHECKING:
    from headrace.storage.database import DialectName

COUNTED = ("flow_runs", "task_runs")
"""The tables whose rows are counted, which is also what their counts are called."""

NO_STATE = ""
"""Stands for the type and the name of the state of runs that have none, since a key has no empty part."""

KEPT = 0
"""Stands for the sessions that are over."""

# The sum over all sessions counts. Each PostgreSQL session has rows of its own, so that none waits for another; what
# they leave when they are over is folded into one (`storage.run_counts`). SQLite has one writer, who needs no other.
run_counts = table(
    "run_counts",
    required("kind", Text),
    required("state_type", Text),
    required("state_name", Text),
    required("session", Integer),
    required("number", BigInteger),
    PrimaryKeyConstraint("workspace_id", "kind", "state_type", "state_name", "session"),
    sqlite_with_rowid=False,
)

ADD = (
    "ON CONFLICT (workspace_id, kind, state_type, state_name, session)"
    " DO UPDATE SET number = run_counts.number + excluded.number"
)
STATE = f"coalesce(state_type, '{NO_STATE}') AS state_type, coalesce(state_name, '{NO_STATE}') AS state_name"

# By what is done to a row: when a trigger looks, whether it does anything, and what changes the count by how much.
SQLITE = {
    "inserted": ("AFTER INSERT", "", {"new": 1}),
    "updated": (
        "AFTER UPDATE OF state_type, state_name",
        "WHEN old.state_type IS NOT new.state_type OR old.state_name IS NOT new.state_name",
        {"old": -1, "new": 1},
    ),
    "deleted": ("AFTER DELETE", "", {"old": -1}),
}
# The same of all rows that a statement writes: they are counted once, for each state.
POSTGRESQL = {
    "inserted": ("INSERT", "NEW TABLE AS entered", {"entered": 1}),
    "updated": ("UPDATE", "OLD TABLE AS gone NEW TABLE AS entered", {"entered": 1, "gone": -1}),
    "deleted": ("DELETE", "OLD TABLE AS gone", {"gone": -1}),
}


def triggers(dialect: DialectName) -> tuple[str, ...]:
    """The statements that have a database count."""
    return tuple(_sqlite() if dialect == "sqlite" else _postgresql())


def _sqlite() -> Iterator[str]:
    for counted in COUNTED:
        for done, (moment, condition, changes) in SQLITE.items():
            added = " ".join(
                f"INSERT INTO run_counts VALUES ({row}.workspace_id, '{counted}', coalesce({row}.state_type, '{NO_STATE}'),"
                f" coalesce({row}.state_name, '{NO_STATE}'), {KEPT}, {change}) {ADD};"
                for row, change in changes.items()
            )
            yield f"CREATE TRIGGER count_{counted}_{done} {moment} ON {counted} {condition} BEGIN {added} END"


def _postgresql() -> Iterator[str]:
    branches: list[str] = []
    for operation, _, changes in POSTGRESQL.values():
        rows = " UNION ALL ".join(
            f"SELECT workspace_id, {STATE}, {change} AS change FROM {rows_of}" for rows_of, change in changes.items()
        )
        branches.append(
            f"IF TG_OP = '{operation}' THEN INSERT INTO run_counts"
            " SELECT workspace_id, TG_TABLE_NAME, state_type, state_name, pg_backend_pid(), sum(change)"
            f" FROM ({rows}) AS changed GROUP BY 1, 3, 4 HAVING sum(change) <> 0 {ADD}; END IF;"
        )
    yield (
        "CREATE FUNCTION count_runs() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {' '.join(branches)} RETURN NULL; END $$"
    )
    for counted in COUNTED:
        for done, (operation, seen, _) in POSTGRESQL.items():
            yield (
                f"CREATE TRIGGER count_{counted}_{done} AFTER {operation} ON {counted} REFERENCING {seen}"
                " FOR EACH STATEMENT EXECUTE FUNCTION count_runs()"
            )
