"""Background tasks, and the workers that take them."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Json, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "background_runs",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("task_run_id", Id, nullable=False),
        sa.Column("task_key", Text, nullable=False),
        sa.Column("parameters_id", Id, nullable=True),
        sa.Column("scheduled", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("holder_id", Id, nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "task_run_id", name="pk_background_runs"),
    )
    for name, column, columns in (
        ("ix_background_runs_due", "due", ["workspace_id", "task_key", "due", "task_run_id"]),
        ("ix_background_runs_holder_id", "holder_id", ["workspace_id", "holder_id"]),
    ):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "background_runs", columns, sqlite_where=present, postgresql_where=present)
    op.create_table(
        "task_workers",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("task_keys", Json, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_task_workers"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("task_workers")
    op.drop_table("background_runs")
