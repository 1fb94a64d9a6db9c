"""Loops that several servers share, what a schedule does with slots that pass, and what goes after a while."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Float, Id, Text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables, the columns and the index."""
    op.create_table(
        "loop_leases",
        sa.Column("name", Text, nullable=False),
        sa.Column("holder", Text, nullable=True),
        sa.Column("place", Text, nullable=True),
        sa.Column("interval", Float, nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("looked", sa.BigInteger(), nullable=True),
        sa.Column("took", Float, nullable=True),
        sa.Column("lag", Float, nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("error", Text, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_loop_leases"),
    )
    op.create_table(
        "told_statuses",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "kind", "subject_id", name="pk_told_statuses"),
    )
    op.add_column("deployment_schedules", sa.Column("catchup", Text, nullable=True))
    op.add_column("deployment_schedules", sa.Column("max_lateness", sa.BigInteger(), nullable=True))
    op.add_column("deployment_schedules", sa.Column("overlap", Text, nullable=True))
    passing = sa.text("kind IN ('custom', 'slots', 'background')")
    op.create_index(
        "ix_events_passing", "events", ["workspace_id", "occurred"], sqlite_where=passing, postgresql_where=passing
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_events_passing", "events")
    for column in ("overlap", "max_lateness", "catchup"):
        op.drop_column("deployment_schedules", column)
    op.drop_table("told_statuses")
    op.drop_table("loop_leases")
