"""Searches that people keep; and indexes by which the next run of each flow is found, and what was reported of a run."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Json, Text

revision = "0009"
down_revision = "0008"

NEXT_OF_FLOW = "ix_flow_runs_next_of_flow"
REPORTED = "ix_events_reported"


def upgrade() -> None:
    """Create the table and the indexes."""
    op.create_table(
        "saved_searches",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("filters", Json, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_saved_searches"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_saved_searches_name"),
    )
    waiting = sa.text("next_scheduled_start_time IS NOT NULL")
    columns = ["workspace_id", "flow_id", "next_scheduled_start_time", "id"]
    op.create_index(NEXT_OF_FLOW, "flow_runs", columns, sqlite_where=waiting, postgresql_where=waiting)
    reported = sa.text("kind = 'custom' AND flow_run_id IS NOT NULL")
    op.create_index(REPORTED, "events", ["flow_run_id"], sqlite_where=reported, postgresql_where=reported)


def downgrade() -> None:
    """Drop them."""
    op.drop_index(REPORTED, "events")
    op.drop_index(NEXT_OF_FLOW, "flow_runs")
    op.drop_table("saved_searches")
