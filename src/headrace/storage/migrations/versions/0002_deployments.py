"""Deployments with their schedules; work pools, their queues and workers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Float, Id, Json, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, and the index of the runs that take up a place in a queue."""
    op.create_table(
        "deployments",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("version", Text, nullable=True),
        sa.Column("description", Text, nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("concurrency_options", Json, nullable=True),
        sa.Column("global_concurrency_limit_id", Id, nullable=True),
        sa.Column("enforce_parameter_schema", sa.Boolean(), nullable=False),
        sa.Column("parameter_openapi_schema", Json, nullable=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("labels", Json, nullable=True),
        sa.Column("work_pool_id", Id, nullable=True),
        sa.Column("work_queue_id", Id, nullable=True),
        sa.Column("job_variables", Json, nullable=False),
        sa.Column("pull_steps", Json, nullable=True),
        sa.Column("path", Text, nullable=True),
        sa.Column("entrypoint", Text, nullable=True),
        sa.Column("storage_document_id", Id, nullable=True),
        sa.Column("infrastructure_document_id", Id, nullable=True),
        sa.Column("version_info", Json, nullable=True),
        sa.Column("last_polled", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_deployments"),
        sa.UniqueConstraint("workspace_id", "flow_id", "name", name="uq_deployments_name"),
    )
    op.create_index("ix_deployments_name", "deployments", ["workspace_id", "name", "id"])
    for column in ("work_pool_id", "work_queue_id"):
        op.create_index(f"ix_deployments_{column}", "deployments", ["workspace_id", column], **present(column))
    op.create_table(
        "deployment_schedules",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("deployment_id", Id, nullable=False),
        sa.Column("slug", Text, nullable=True),
        sa.Column("schedule", Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("max_scheduled_runs", sa.Integer(), nullable=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_deployment_schedules"),
        sa.UniqueConstraint("workspace_id", "deployment_id", "slug", name="uq_deployment_schedules_slug"),
    )
    op.create_index(
        "ix_deployment_schedules_look_at", "deployment_schedules", ["workspace_id", "look_at"], **present("look_at")
    )
    op.create_table(
        "work_pools",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("description", Text, nullable=True),
        sa.Column("base_job_template", Json, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("default_queue_id", Id, nullable=False),
        sa.Column("storage_configuration", Json, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_work_pools"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_work_pools_name"),
    )
    op.create_table(
        "work_queues",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("work_pool_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("description", Text, nullable=True),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("last_polled", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_work_queues"),
        sa.UniqueConstraint("workspace_id", "work_pool_id", "name", name="uq_work_queues_name"),
    )
    op.create_table(
        "workers",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("work_pool_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("last_heartbeat_time", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_interval", Float, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_workers"),
        sa.UniqueConstraint("workspace_id", "work_pool_id", "name", name="uq_workers_name"),
    )
    active = sa.text("work_queue_id IS NOT NULL AND state_type IN ('PENDING', 'RUNNING', 'CANCELLING')")
    op.create_index(
        "ix_flow_runs_active",
        "flow_runs",
        ["workspace_id", "work_queue_id"],
        sqlite_where=active,
        postgresql_where=active,
    )


def present(column: str) -> dict[str, Any]:
    """Options of an index that holds only the rows where the column has a value."""
    condition = sa.column(column).is_not(None)
    return {"sqlite_where": condition, "postgresql_where": condition}


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_flow_runs_active", "flow_runs")
    for table in ("workers", "work_queues", "work_pools", "deployment_schedules", "deployments"):
        op.drop_table(table)
