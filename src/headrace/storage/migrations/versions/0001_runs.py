"""Everything that flow and task runs need: runs, events, logs, artifacts, results, leases and slots."""

import sqlalchemy as sa
from alembic import op

from headrace.base import clock
from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.storage.types import Float, Id, Json, Sequence, Text, TransactionNumber

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, and the workspace that every database has."""
    op.create_table(
        "workspaces",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
        sa.UniqueConstraint("name", name="uq_workspaces_name"),
    )
    op.create_table(
        "flows",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("labels", Json, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_flows"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_flows_name"),
    )
    op.create_table(
        "flow_runs",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("labels", Json, nullable=True),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", sa.BigInteger(), nullable=True),
        sa.Column("next_scheduled_start_time", sa.BigInteger(), nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=True),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("total_run_time", sa.BigInteger(), nullable=False),
        sa.Column("state_type", Text, nullable=True),
        sa.Column("state_name", Text, nullable=True),
        sa.Column("state_timestamp", sa.BigInteger(), nullable=True),
        sa.Column("state_ordinal", sa.Integer(), nullable=False),
        sa.Column("state", Json, nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("deployment_id", Id, nullable=True),
        sa.Column("deployment_version", Text, nullable=True),
        sa.Column("work_pool_id", Id, nullable=True),
        sa.Column("work_queue_id", Id, nullable=True),
        sa.Column("flow_version", Text, nullable=True),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("context", Json, nullable=False),
        sa.Column("empirical_policy", Json, nullable=False),
        sa.Column("idempotency_key", Text, nullable=True),
        sa.Column("parent_flow_run_id", Id, nullable=True),
        sa.Column("parent_task_run_id", Id, nullable=True),
        sa.Column("auto_scheduled", sa.Boolean(), nullable=False),
        sa.Column("infrastructure_document_id", Id, nullable=True),
        sa.Column("infrastructure_pid", Text, nullable=True),
        sa.Column("job_variables", Json, nullable=True),
        sa.Column("created_by_id", Id, nullable=True),
        sa.Column("created_by_type", Text, nullable=True),
        sa.Column("created_by_display_value", Text, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_flow_runs"),
    )
    op.create_index(
        "ix_flow_runs_deployment_id",
        "flow_runs",
        ["workspace_id", "deployment_id", "id"],
        sqlite_where=sa.text("deployment_id IS NOT NULL"),
        postgresql_where=sa.text("deployment_id IS NOT NULL"),
    )
    op.create_index("ix_flow_runs_end_time", "flow_runs", ["workspace_id", "end_time", "id"])
    op.create_index(
        "ix_flow_runs_expected_start_time",
        "flow_runs",
        [
            "workspace_id",
            "expected_start_time",
            "state_type",
            "state_name",
            "state_timestamp",
            "start_time",
            "total_run_time",
        ],
    )
    op.create_index("ix_flow_runs_flow_id", "flow_runs", ["workspace_id", "flow_id", "id"])
    op.create_index("ix_flow_runs_name", "flow_runs", ["workspace_id", "name", "id"])
    op.create_index(
        "ix_flow_runs_next_scheduled_start_time",
        "flow_runs",
        ["workspace_id", "next_scheduled_start_time", "id"],
        sqlite_where=sa.text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_runs_parent_flow_run_id",
        "flow_runs",
        ["workspace_id", "parent_flow_run_id", "id"],
        sqlite_where=sa.text("parent_flow_run_id IS NOT NULL"),
        postgresql_where=sa.text("parent_flow_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_runs_parent_task_run_id",
        "flow_runs",
        ["workspace_id", "parent_task_run_id", "id"],
        sqlite_where=sa.text("parent_task_run_id IS NOT NULL"),
        postgresql_where=sa.text("parent_task_run_id IS NOT NULL"),
    )
    op.create_index("ix_flow_runs_start_time", "flow_runs", ["workspace_id", "start_time", "id"])
    op.create_index("ix_flow_runs_state_name", "flow_runs", ["workspace_id", "state_name", "id"])
    op.create_index("ix_flow_runs_state_type", "flow_runs", ["workspace_id", "state_type", "id"])
    op.create_index(
        "ix_flow_runs_work_queue_id",
        "flow_runs",
        ["workspace_id", "work_queue_id", "id"],
        sqlite_where=sa.text("work_queue_id IS NOT NULL"),
        postgresql_where=sa.text("work_queue_id IS NOT NULL"),
    )
    op.create_index(
        "uq_flow_runs_idempotency_key",
        "flow_runs",
        ["workspace_id", "idempotency_key", "flow_id"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "task_runs",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=True),
        sa.Column("task_key", Text, nullable=False),
        sa.Column("dynamic_key", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("labels", Json, nullable=True),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", sa.BigInteger(), nullable=True),
        sa.Column("next_scheduled_start_time", sa.BigInteger(), nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=True),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("total_run_time", sa.BigInteger(), nullable=False),
        sa.Column("state_type", Text, nullable=True),
        sa.Column("state_name", Text, nullable=True),
        sa.Column("state_timestamp", sa.BigInteger(), nullable=True),
        sa.Column("state_ordinal", sa.Integer(), nullable=False),
        sa.Column("state", Json, nullable=True),
        sa.Column("flow_run_run_count", sa.Integer(), nullable=False),
        sa.Column("task_version", Text, nullable=True),
        sa.Column("cache_key", Text, nullable=True),
        sa.Column("cache_expiration", sa.BigInteger(), nullable=True),
        sa.Column("empirical_policy", Json, nullable=False),
        sa.Column("task_inputs", Json, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_task_runs"),
    )
    op.create_index("ix_task_runs_end_time", "task_runs", ["workspace_id", "end_time", "state_type"])
    op.create_index(
        "ix_task_runs_expected_start_time",
        "task_runs",
        [
            "workspace_id",
            "expected_start_time",
            "state_type",
            "state_name",
            "state_timestamp",
            "start_time",
            "total_run_time",
        ],
    )
    op.create_index("ix_task_runs_key", "task_runs", ["flow_run_id", "task_key", "dynamic_key"])
    op.create_index(
        "ix_task_runs_next_scheduled_start_time",
        "task_runs",
        ["workspace_id", "next_scheduled_start_time", "id"],
        sqlite_where=sa.text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index("ix_task_runs_start_time", "task_runs", ["workspace_id", "start_time", "state_type"])
    op.create_index("ix_task_runs_state_type", "task_runs", ["workspace_id", "state_type", "id"])
    op.create_table(
        "flow_run_tags",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("tag", Text, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "tag", "run_id", name="pk_flow_run_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_flow_run_tags_run_id", "flow_run_tags", ["run_id"])
    op.create_table(
        "task_run_tags",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("tag", Text, nullable=False),
        sa.Column("run_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "tag", "run_id", name="pk_task_run_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_task_run_tags_run_id", "task_run_tags", ["run_id"])
    op.create_table(
        "events",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Sequence, sa.Identity(), nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default=TransactionNumber(), nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=True),
        sa.Column("occurred", sa.BigInteger(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_subject_id", "events", ["subject_id"])
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_events_xid", "events", ["xid", "id"])
    op.create_table(
        "logs",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("sequence", Sequence, sa.Identity(), nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=True),
        sa.Column("task_run_id", Id, nullable=True),
        sa.Column("name", Text, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_logs"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_logs_flow_run_id",
        "logs",
        ["flow_run_id", "timestamp"],
        sqlite_where=sa.text("flow_run_id IS NOT NULL"),
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_logs_task_run_id",
        "logs",
        ["task_run_id", "timestamp"],
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.create_index("ix_logs_timestamp", "logs", ["workspace_id", "timestamp"])
    op.create_table(
        "artifacts",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Text, nullable=True),
        sa.Column("type", Text, nullable=True),
        sa.Column("description", Text, nullable=True),
        sa.Column("data", Json, nullable=True),
        sa.Column("metadata_", Json, nullable=True),
        sa.Column("flow_run_id", Id, nullable=True),
        sa.Column("task_run_id", Id, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_artifacts"),
    )
    op.create_index("ix_artifacts_created", "artifacts", ["workspace_id", "created", "id"])
    op.create_index(
        "ix_artifacts_flow_run_id",
        "artifacts",
        ["flow_run_id"],
        sqlite_where=sa.text("flow_run_id IS NOT NULL"),
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index("ix_artifacts_key", "artifacts", ["workspace_id", "key", "id"])
    op.create_index(
        "ix_artifacts_task_run_id",
        "artifacts",
        ["task_run_id"],
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.create_index("ix_artifacts_updated", "artifacts", ["workspace_id", "updated", "id"])
    op.create_table(
        "artifact_collections",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("latest_id", Id, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_artifact_collections"),
        sa.UniqueConstraint("workspace_id", "key", name="uq_artifact_collections_key"),
        sa.UniqueConstraint("workspace_id", "latest_id", name="uq_artifact_collections_latest_id"),
    )
    op.create_table(
        "results",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("storage_key", Text, nullable=False),
        sa.Column("location", Text, nullable=False),
        sa.Column("serializer", Text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("expiration", sa.BigInteger(), nullable=True),
        sa.Column("flow_run_id", Id, nullable=True),
        sa.Column("task_run_id", Id, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_results"),
    )
    op.create_index(
        "ix_results_flow_run_id",
        "results",
        ["flow_run_id"],
        sqlite_where=sa.text("flow_run_id IS NOT NULL"),
        postgresql_where=sa.text("flow_run_id IS NOT NULL"),
    )
    op.create_index("ix_results_storage_key", "results", ["workspace_id", "storage_key", "id"])
    op.create_index(
        "ix_results_task_run_id",
        "results",
        ["task_run_id"],
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.create_table(
        "journals",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("journal_id", Id, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "journal_id", name="pk_journals"),
    )
    op.create_index("ix_journals_updated", "journals", ["updated"])
    op.create_table(
        "leases",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", Text, nullable=True),
        sa.Column("presence_kind", Text, nullable=False),
        sa.Column("presence_name", Text, nullable=True),
        sa.Column("presence_interval", Float, nullable=True),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("suspect_since", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "flow_run_id", name="pk_leases"),
    )
    op.create_index("ix_leases_presence", "leases", ["workspace_id", "presence_kind", "presence_name"])
    op.create_table(
        "concurrency_limits",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("slot_decay_per_second", Float, nullable=False),
        sa.Column("level", Float, nullable=False),
        sa.Column("level_since", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_concurrency_limits"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_concurrency_limits_name"),
    )
    op.create_table(
        "slot_leases",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("request_id", Id, nullable=False),
        sa.Column("holder_type", Text, nullable=False),
        sa.Column("holder_id", Id, nullable=True),
        sa.Column("names", Json, nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_slot_leases"),
        sa.UniqueConstraint("workspace_id", "request_id", name="uq_slot_leases_request_id"),
    )
    op.create_index("ix_slot_leases_expires", "slot_leases", ["expires"])
    op.create_index(
        "ix_slot_leases_holder_id",
        "slot_leases",
        ["workspace_id", "holder_id"],
        sqlite_where=sa.text("holder_id IS NOT NULL"),
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_table(
        "slot_holds",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("limit_id", Id, nullable=False),
        sa.Column("lease_id", Id, nullable=False),
        sa.Column("occupied", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "limit_id", "lease_id", name="pk_slot_holds"),
    )
    op.create_index("ix_slot_holds_lease_id", "slot_holds", ["workspace_id", "lease_id"])
    op.create_table(
        "slot_waiters",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("sequence", Sequence, sa.Identity(), nullable=False),
        sa.Column("request_id", Id, nullable=False),
        sa.Column("limit_id", Id, nullable=False),
        sa.Column("occupy", sa.Integer(), nullable=False),
        sa.Column("holder_id", Id, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_slot_waiters"),
        sa.UniqueConstraint("workspace_id", "request_id", "limit_id", name="uq_slot_waiters_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slot_waiters_limit_id", "slot_waiters", ["workspace_id", "limit_id", "sequence"])
    now = clock.micros()
    op.execute(
        sa.insert(
            sa.table(
                "workspaces",
                sa.column("id", Id),
                sa.column("name", Text),
                sa.column("created", sa.BigInteger()),
                sa.column("updated", sa.BigInteger()),
            )
        ).values(id=DEFAULT_WORKSPACE, name="default", created=now, updated=now)
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("slot_waiters")
    op.drop_table("slot_holds")
    op.drop_table("slot_leases")
    op.drop_table("concurrency_limits")
    op.drop_table("leases")
    op.drop_table("journals")
    op.drop_table("results")
    op.drop_table("artifact_collections")
    op.drop_table("artifacts")
    op.drop_table("logs")
    op.drop_table("events")
    op.drop_table("task_run_tags")
    op.drop_table("flow_run_tags")
    op.drop_table("task_runs")
    op.drop_table("flow_runs")
    op.drop_table("flows")
    op.drop_table("workspaces")
