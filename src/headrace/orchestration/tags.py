"""The tags of runs, kept as rows of their own beside the runs, by which an index finds them."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.orchestration.unit import Unit
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, TaskRunRow
from headrace.storage.tag_rows import list_tags


def keep_flow_run_tags(unit: Unit, runs: Sequence[FlowRunRow]) -> None:
    """Keep the tags of flow runs that begin."""
    if tags := list_tags(runs):
        unit.insert(compiled.insert_flow_run_tags, tags)


def keep_task_run_tags(unit: Unit, runs: Sequence[TaskRunRow]) -> None:
    """Keep the tags of task runs that begin."""
    if tags := list_tags(runs):
        unit.insert(compiled.insert_task_run_tags, tags)


def replace_flow_run_tags(unit: Unit, runs: Sequence[FlowRunRow]) -> None:
    """Keep the tags of flow runs that may have had others."""
    unit.execute(compiled.forget_flow_run_tags, ids=[run.id for run in runs])
    keep_flow_run_tags(unit, runs)


def replace_task_run_tags(unit: Unit, runs: Sequence[TaskRunRow]) -> None:
    """Keep the tags of task runs that may have had others."""
    unit.execute(compiled.forget_task_run_tags, ids=[run.id for run in runs])
    keep_task_run_tags(unit, runs)
