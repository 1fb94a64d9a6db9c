"""The tables of background tasks, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint

from headrace.storage.declaration import objects, present, required, table
from headrace.storage.types import Id, Json, Micros, Text

# What a task run that was deferred has besides its row: a task worker takes it when it is `due`, which is NULL while one has it
# (`holder_id`) and after its end. `deaths` counts the workers that died with it.
background_runs = table(
    "background_runs",
    required("task_run_id", Id),
    required("task_key", Text),
    Column("parameters_id", Id),
    required("scheduled", Micros),
    Column("due", Micros),
    Column("holder_id", Id),
    required("epoch", Integer),
    required("deaths", Integer),
    required("created", Micros),
    required("updated", Micros),
    PrimaryKeyConstraint("workspace_id", "task_run_id"),
)
Index(
    "ix_background_runs_due",
    background_runs.c.workspace_id,
    background_runs.c.task_key,
    background_runs.c.due,
    background_runs.c.task_run_id,
    **present("due"),
)
Index(
    "ix_background_runs_holder_id",
    background_runs.c.workspace_id,
    background_runs.c.holder_id,
    **present("holder_id"),
)

task_workers = objects("task_workers", required("name", Text), required("task_keys", Json))
