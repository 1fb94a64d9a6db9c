"""How many runs there are of each state, kept by triggers: to count a long history run by run takes too long."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Text

revision = "0013"
down_revision = "0012"

# In words of its own, not those of `storage.count_tables`: when these change, databases of this revision have what follows.
COUNTED = ("flow_runs", "task_runs")
KEY = ("workspace_id", "kind", "state_type", "state_name", "session")
ADD = f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET number = run_counts.number + excluded.number"
STATE = "coalesce(state_type, '') AS state_type, coalesce(state_name, '') AS state_name"

SQLITE = {
    "inserted": ("AFTER INSERT", "", {"new": 1}),
    "updated": (
        "AFTER UPDATE OF state_type, state_name",
        "WHEN old.state_type IS NOT new.state_type OR old.state_name IS NOT new.state_name",
        {"old": -1, "new": 1},
    ),
    "deleted": ("AFTER DELETE", "", {"old": -1}),
}
POSTGRESQL = {
    "inserted": ("INSERT", "NEW TABLE AS entered", {"entered": 1}),
    "updated": ("UPDATE", "OLD TABLE AS gone NEW TABLE AS entered", {"entered": 1, "gone": -1}),
    "deleted": ("DELETE", "OLD TABLE AS gone", {"gone": -1}),
}


def upgrade() -> None:
    """Create the table and the triggers, and count what is there."""
    op.create_table(
        "run_counts",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("state_type", Text, nullable=False),
        sa.Column("state_name", Text, nullable=False),
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*KEY, name="pk_run_counts"),
        sqlite_with_rowid=False,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _sqlite() if is_sqlite else _postgresql():
        op.execute(sql)
    for table in COUNTED:
        rows = f"SELECT workspace_id, '{table}', {STATE}, 0, count(*) FROM {table} GROUP BY 1, 3, 4"
        op.execute(f"INSERT INTO run_counts {rows}")


def downgrade() -> None:
    """Drop them."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in COUNTED:
        for done in SQLITE:
            op.execute(f"DROP TRIGGER count_{table}_{done}" + ("" if is_sqlite else f" ON {table}"))
    if not is_sqlite:
        op.execute("DROP FUNCTION count_runs()")
    op.drop_table("run_counts")


def _sqlite() -> Iterator[str]:
    for table in COUNTED:
        for done, (moment, condition, changes) in SQLITE.items():
            added = " ".join(
                f"INSERT INTO run_counts VALUES ({row}.workspace_id, '{table}', coalesce({row}.state_type, ''),"
                f" coalesce({row}.state_name, ''), 0, {change}) {ADD};"
                for row, change in changes.items()
            )
            yield f"CREATE TRIGGER count_{table}_{done} {moment} ON {table} {condition} BEGIN {added} END"


def _postgresql() -> Iterator[str]:
    branches: list[str] = []
    for operation, _, changes in POSTGRESQL.values():
        rows = " UNION ALL ".join(
            f"SELECT workspace_id, {STATE}, {change} AS change FROM {table}" for table, change in changes.items()
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
    for table in COUNTED:
        for done, (operation, seen, _) in POSTGRESQL.items():
            yield (
                f"CREATE TRIGGER count_{table}_{done} AFTER {operation} ON {table} REFERENCING {seen}"
                " FOR EACH STATEMENT EXECUTE FUNCTION count_runs()"
            )
