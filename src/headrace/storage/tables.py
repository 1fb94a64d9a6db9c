"""The declared schema, from which a fresh database is created. Migrations lead to exactly this.

Every row belongs to a workspace, and `workspace_id` is part of every unique key, so that one workspace neither sees nor
collides with another. The primary key of what has an id is (workspace_id, id): ids are UUIDv7, so the key is also the
order "newest first", and rows and keys are appended at one end.

No table has foreign keys. Facts arrive in batches, some late, some under an attempt that has been fenced, and are kept
all the same; what belongs together is deleted together by the queries that delete.

Indexes are generous for flow runs. Where facts are written by the thousand (task_runs, events, logs) they are few, and
such that new entries come last or close to it: an index on the names or durations of task runs would more than double
the cost of writing one. Those orders, over a whole workspace, are the only ones that sort.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

from headrace.storage import (
    automation_tables,
    background_tables,
    block_tables,
    count_tables,
    loop_tables,
    outbox_tables,
    search_tables,
    slot_tables,
)
from headrace.storage.declaration import metadata
from headrace.storage.declaration import objects as _objects
from headrace.storage.declaration import present as _present
from headrace.storage.declaration import required as _required
from headrace.storage.declaration import table as _table
from headrace.storage.types import Float, Id, Json, Micros, Sequence, Text, TransactionNumber

# Alembic's own record of the revision, here so that a database created from this declaration carries it too.
schema_revision = Table(
    "schema_revision",
    metadata,
    _required("version_num", String(32)),
    PrimaryKeyConstraint("version_num", name="schema_revision_pkc"),
)

workspaces = Table(
    "workspaces",
    metadata,
    _required("id", Id, primary_key=True),
    _required("name", Text),
    _required("created", Micros),
    _required("updated", Micros),
    UniqueConstraint("name", name="uq_workspaces_name"),
)

# Runs ----------------------------------------------------------------------------------------------------------------

flows = _objects(
    "flows",
    _required("name", Text),
    _required("tags", Json),
    Column("labels", Json),
    UniqueConstraint("workspace_id", "name", name="uq_flows_name"),
)


def _run_columns() -> list[Column[Any]]:
    """What flow runs and task runs share: times, and the projection of their latest state.

    `state` holds that state's message, data and details; its id follows from the run's id and `state_ordinal`.
    `total_run_time` counts the stretches of running that are over, in microseconds.
    """
    return [
        _required("name", Text),
        _required("tags", Json),
        Column("labels", Json),
        _required("run_count", Integer),
        Column("expected_start_time", Micros),
        Column("next_scheduled_start_time", Micros),
        Column("start_time", Micros),
        Column("end_time", Micros),
        _required("total_run_time", Micros),
        Column("state_type", Text),
        Column("state_name", Text),
        Column("state_timestamp", Micros),
        _required("state_ordinal", Integer),
        Column("state", Json),
    ]


def _index_for_history(table: Table) -> None:
    """Index everything that a history of runs reads, so that counting a week of them touches the index alone."""
    names = ("expected_start_time", "state_type", "state_name", "state_timestamp", "start_time", "total_run_time")
    Index(f"ix_{table.name}_expected_start_time", table.c.workspace_id, *(table.c[name] for name in names))


flow_runs = _objects(
    "flow_runs",
    _required("flow_id", Id),
    *_run_columns(),
    _required("epoch", Integer),
    Column("deployment_id", Id),
    Column("deployment_version", Text),
    Column("work_pool_id", Id),
    Column("work_queue_id", Id),
    Column("flow_version", Text),
    _required("parameters", Json),
    _required("context", Json),
    _required("empirical_policy", Json),
    Column("idempotency_key", Text),
    Column("parent_flow_run_id", Id),
    Column("parent_task_run_id", Id),
    _required("auto_scheduled", Boolean),
    Column("infrastructure_document_id", Id),
    Column("infrastructure_pid", Text),
    Column("job_variables", Json),
    Column("created_by_id", Id),
    Column("created_by_type", Text),
    Column("created_by_display_value", Text),
)
Index(
    "uq_flow_runs_idempotency_key",
    flow_runs.c.workspace_id,
    flow_runs.c.idempotency_key,
    flow_runs.c.flow_id,
    unique=True,
    **_present("idempotency_key"),
)
for _column in ("flow_id", "name", "state_type", "state_name", "start_time", "end_time"):
    Index(f"ix_flow_runs_{_column}", flow_runs.c.workspace_id, flow_runs.c[_column], flow_runs.c.id)
for _column in (
    "deployment_id",
    "work_queue_id",
    "next_scheduled_start_time",
    "parent_flow_run_id",
    "parent_task_run_id",
):
    Index(
        f"ix_flow_runs_{_column}", flow_runs.c.workspace_id, flow_runs.c[_column], flow_runs.c.id, **_present(_column)
    )
_index_for_history(flow_runs)
Index(
    "ix_flow_runs_next_of_flow",
    flow_runs.c.workspace_id,
    flow_runs.c.flow_id,
    flow_runs.c.next_scheduled_start_time,
    flow_runs.c.id,
    **_present("next_scheduled_start_time"),
)
loop_tables.index_what_goes_on(flow_runs)

task_runs = _objects(
    "task_runs",
    Column("flow_run_id", Id),
    _required("task_key", Text),
    _required("dynamic_key", Text),
    *_run_columns(),
    _required("flow_run_run_count", Integer),
    Column("task_version", Text),
    Column("cache_key", Text),
    Column("cache_expiration", Micros),
    _required("empirical_policy", Json),
    _required("task_inputs", Json),
)
# Not unique: facts are kept even if an engine names two calls alike; the verb that creates by key looks first.
Index("ix_task_runs_key", task_runs.c.flow_run_id, task_runs.c.task_key, task_runs.c.dynamic_key)
Index("ix_task_runs_state_type", task_runs.c.workspace_id, task_runs.c.state_type, task_runs.c.id)
Index("ix_task_runs_start_time", task_runs.c.workspace_id, task_runs.c.start_time, task_runs.c.state_type)
Index("ix_task_runs_end_time", task_runs.c.workspace_id, task_runs.c.end_time, task_runs.c.state_type)
Index(
    "ix_task_runs_next_scheduled_start_time",
    task_runs.c.workspace_id,
    task_runs.c.next_scheduled_start_time,
    task_runs.c.id,
    **_present("next_scheduled_start_time"),
)
_index_for_history(task_runs)


def _tags(name: str) -> Table:
    """The tags of runs once more, a row for each, in an order that serves the newest runs with a tag.

    Only runs that have tags have rows here, so that the many task runs that have none cost nothing.
    """
    table = _table(
        name,
        _required("tag", Text),
        _required("run_id", Id),
        PrimaryKeyConstraint("workspace_id", "tag", "run_id"),
        sqlite_with_rowid=False,
    )
    Index(f"ix_{name}_run_id", table.c.run_id)
    return table


flow_run_tags = _tags("flow_run_tags")
task_run_tags = _tags("task_run_tags")

run_counts, triggers = count_tables.run_counts, count_tables.triggers

# The log of events ---------------------------------------------------------------------------------------------------

# The history of states and the feed in one: a row for each transition of a flow run, and for each batch of states of a
# task run, packed in `body`. AUTOINCREMENT: a cursor must never meet a number again, not even one whose row is gone.
events = _table(
    "events",
    Column("id", Sequence, Identity(), primary_key=True),
    _required("xid", BigInteger, server_default=TransactionNumber()),
    _required("kind", Text),
    _required("subject_id", Id),
    Column("flow_run_id", Id),
    _required("occurred", Micros),
    _required("body", Json),
    sqlite_autoincrement=True,
)
Index("ix_events_subject_id", events.c.subject_id)
# What clients report of runs: few rows, and none where facts are written by the thousand.
_reported = text("kind = 'custom' AND flow_run_id IS NOT NULL")
Index("ix_events_reported", events.c.flow_run_id, sqlite_where=_reported, postgresql_where=_reported)
Index("ix_events_xid", events.c.xid, events.c.id).ddl_if(dialect="postgresql")
loop_tables.index_what_passes(events)

# What runs leave -----------------------------------------------------------------------------------------------------

# `sequence` is the order of writing, which decides between lines of the same instant.
logs = _table(
    "logs",
    Column("sequence", Sequence, Identity(), primary_key=True),
    _required("id", Id),
    Column("flow_run_id", Id),
    Column("task_run_id", Id),
    _required("name", Text),
    _required("level", Integer),
    _required("message", Text),
    _required("timestamp", Micros),
    sqlite_autoincrement=True,
)
Index("ix_logs_timestamp", logs.c.workspace_id, logs.c.timestamp)
Index("ix_logs_flow_run_id", logs.c.flow_run_id, logs.c.timestamp, **_present("flow_run_id"))
Index("ix_logs_task_run_id", logs.c.task_run_id, logs.c.timestamp, **_present("task_run_id"))

artifacts = _objects(
    "artifacts",
    Column("key", Text),
    Column("type", Text),
    Column("description", Text),
    Column("data", Json),
    Column("metadata_", Json),
    Column("flow_run_id", Id),
    Column("task_run_id", Id),
)
for _column in ("key", "created", "updated"):
    Index(f"ix_artifacts_{_column}", artifacts.c.workspace_id, artifacts.c[_column], artifacts.c.id)
Index("ix_artifacts_flow_run_id", artifacts.c.flow_run_id, **_present("flow_run_id"))
Index("ix_artifacts_task_run_id", artifacts.c.task_run_id, **_present("task_run_id"))

artifact_collections = _objects(
    "artifact_collections",
    _required("key", Text),
    _required("latest_id", Id),
    UniqueConstraint("workspace_id", "key", name="uq_artifact_collections_key"),
    UniqueConstraint("workspace_id", "latest_id", name="uq_artifact_collections_latest_id"),
)

results = _objects(
    "results",
    _required("storage_key", Text),
    _required("location", Text),
    _required("serializer", Text),
    _required("size", BigInteger),
    Column("expiration", Micros),
    Column("flow_run_id", Id),
    Column("task_run_id", Id),
)
Index("ix_results_storage_key", results.c.workspace_id, results.c.storage_key, results.c.id)
Index("ix_results_flow_run_id", results.c.flow_run_id, **_present("flow_run_id"))
Index("ix_results_task_run_id", results.c.task_run_id, **_present("task_run_id"))

# What is left for runs that wait for a person, or are told something while they run.
flow_run_inputs = _objects(
    "flow_run_inputs",
    _required("flow_run_id", Id),
    _required("key", Text),
    _required("value", Text),
    Column("sender", Text),
    UniqueConstraint("workspace_id", "flow_run_id", "key", name="uq_flow_run_inputs_key"),
)

# Who is alive --------------------------------------------------------------------------------------------------------

# Up to which fact each journal is stored: `mark` is the number of its last one.
journals = _table(
    "journals",
    _required("journal_id", Id),
    _required("mark", BigInteger),
    _required("updated", Micros),
    PrimaryKeyConstraint("workspace_id", "journal_id"),
)
Index("ix_journals_updated", journals.c.updated)

# The live attempt of each flow run, and each live task worker under its own id. `beats` counts, so that a looker can watch it
# stand still by a clock of its own; `suspect_since` is when the presence lock was first found free, cleared by its owner.
leases = _table(
    "leases",
    _required("flow_run_id", Id),
    _required("epoch", Integer),
    Column("holder", Text),
    _required("presence_kind", Text),
    Column("presence_name", Text),
    Column("presence_interval", Float),
    _required("beats", BigInteger),
    Column("suspect_since", Micros),
    _required("created", Micros),
    _required("updated", Micros),
    PrimaryKeyConstraint("workspace_id", "flow_run_id"),
)
Index("ix_leases_presence", leases.c.workspace_id, leases.c.presence_kind, leases.c.presence_name)

loop_leases, told_statuses = loop_tables.loop_leases, loop_tables.told_statuses

# Background tasks ----------------------------------------------------------------------------------------------------

background_runs, task_workers = background_tables.background_runs, background_tables.task_workers

# Slots ---------------------------------------------------------------------------------------------------------------

concurrency_limits, slot_leases = slot_tables.concurrency_limits, slot_tables.slot_leases
slot_holds, slot_waiters = slot_tables.slot_holds, slot_tables.slot_waiters

# Deployments and where they run --------------------------------------------------------------------------------------

deployments = _objects(
    "deployments",
    _required("flow_id", Id),
    _required("name", Text),
    Column("version", Text),
    Column("description", Text),
    _required("paused", Boolean),
    Column("concurrency_limit", Integer),
    Column("concurrency_options", Json),
    Column("global_concurrency_limit_id", Id),
    _required("enforce_parameter_schema", Boolean),
    Column("parameter_openapi_schema", Json),
    _required("parameters", Json),
    _required("tags", Json),
    Column("labels", Json),
    Column("work_pool_id", Id),
    Column("work_queue_id", Id),
    _required("job_variables", Json),
    Column("pull_steps", Json),
    Column("path", Text),
    Column("entrypoint", Text),
    Column("storage_document_id", Id),
    Column("infrastructure_document_id", Id),
    Column("version_info", Json),
    Column("last_polled", Micros),
    UniqueConstraint("workspace_id", "flow_id", "name", name="uq_deployments_name"),
)
Index("ix_deployments_name", deployments.c.workspace_id, deployments.c.name, deployments.c.id)
for _column in ("work_pool_id", "work_queue_id"):
    Index(f"ix_deployments_{_column}", deployments.c.workspace_id, deployments.c[_column], **_present(_column))

# `look_at` is when the scheduler has to make further runs; NULL when it never has to: paused, or at its end.
deployment_schedules = _objects(
    "deployment_schedules",
    _required("deployment_id", Id),
    Column("slug", Text),
    _required("schedule", Json),
    _required("active", Boolean),
    Column("max_scheduled_runs", Integer),
    _required("parameters", Json),
    Column("look_at", Micros),
    UniqueConstraint("workspace_id", "deployment_id", "slug", name="uq_deployment_schedules_slug"),
)
loop_tables.add_slot_policies(deployment_schedules)
Index(
    "ix_deployment_schedules_look_at",
    deployment_schedules.c.workspace_id,
    deployment_schedules.c.look_at,
    **_present("look_at"),
)

work_pools = _objects(
    "work_pools",
    _required("name", Text),
    _required("type", Text),
    Column("description", Text),
    _required("base_job_template", Json),
    _required("is_paused", Boolean),
    Column("concurrency_limit", Integer),
    _required("default_queue_id", Id),
    _required("storage_configuration", Json),
    UniqueConstraint("workspace_id", "name", name="uq_work_pools_name"),
)

work_queues = _objects(
    "work_queues",
    _required("work_pool_id", Id),
    _required("name", Text),
    Column("description", Text),
    _required("is_paused", Boolean),
    Column("concurrency_limit", Integer),
    _required("priority", Integer),
    Column("last_polled", Micros),
    UniqueConstraint("workspace_id", "work_pool_id", "name", name="uq_work_queues_name"),
)

workers = _objects(
    "workers",
    _required("work_pool_id", Id),
    _required("name", Text),
    _required("last_heartbeat_time", Micros),
    _required("heartbeat_interval", Float),
    UniqueConstraint("workspace_id", "work_pool_id", "name", name="uq_workers_name"),
)

# What people keep here ------------------------------------------------------------------------------------------------

variables = _objects(
    "variables",
    _required("name", Text),
    _required("value", Json),
    _required("tags", Json),
    UniqueConstraint("workspace_id", "name", name="uq_variables_name"),
)

saved_searches = search_tables.saved_searches

# Blocks --------------------------------------------------------------------------------------------------------------

block_types = block_tables.block_types
block_schemas = block_tables.block_schemas
block_documents = block_tables.block_documents

# Automations ---------------------------------------------------------------------------------------------------------

automations = automation_tables.automations
automation_cursors, automation_buckets = automation_tables.automation_cursors, automation_tables.automation_buckets
automation_firings, automation_actions = automation_tables.automation_firings, automation_tables.automation_actions

# What goes out, and what comes in ------------------------------------------------------------------------------------

outbox_messages, webhooks = outbox_tables.outbox_messages, outbox_tables.webhooks
