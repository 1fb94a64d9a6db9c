"""Indexes for loops that look for few among many: runs that wait to be started, subflows that have not ended."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the indexes."""
    waiting = sa.text("next_scheduled_start_time IS NOT NULL")
    op.create_index(
        "ix_flow_runs_waiting",
        "flow_runs",
        ["workspace_id", "state_name", "next_scheduled_start_time", "work_queue_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    unfinished = sa.text(
        "parent_flow_run_id IS NOT NULL AND state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')"
    )
    op.create_index(
        "ix_flow_runs_unfinished_subflows",
        "flow_runs",
        ["workspace_id", "parent_flow_run_id", "id"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    limited = sa.text("max_lateness IS NOT NULL")
    op.create_index(
        "ix_deployment_schedules_max_lateness",
        "deployment_schedules",
        ["workspace_id", "id"],
        sqlite_where=limited,
        postgresql_where=limited,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_deployment_schedules_max_lateness", "deployment_schedules")
    op.drop_index("ix_flow_runs_unfinished_subflows", "flow_runs")
    op.drop_index("ix_flow_runs_waiting", "flow_runs")
