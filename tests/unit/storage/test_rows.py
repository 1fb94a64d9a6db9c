from typing import Any

import pytest
from sqlalchemy import Table

from headrace.storage import compiled, rows, tag_rows
from headrace.storage import tables as t


@pytest.mark.parametrize(
    ("row", "table"),
    [
        (rows.FlowRow, t.flows),
        (rows.FlowRunRow, t.flow_runs),
        (rows.TaskRunRow, t.task_runs),
        (tag_rows.TagRow, t.flow_run_tags),
        (tag_rows.TagRow, t.task_run_tags),
        (rows.ArtifactRow, t.artifacts),
        (rows.ResultRow, t.results),
        (rows.LimitRow, t.concurrency_limits),
    ],
)
def test_a_row_has_the_columns_of_its_table_in_their_order(row: Any, table: Table) -> None:
    assert ("workspace_id", *row._fields) == tuple(table.c.keys())


@pytest.mark.parametrize(
    ("insertion", "fields"),
    [
        (compiled.insert_flows, rows.FlowRow._fields),
        (compiled.insert_flow_runs, rows.FlowRunRow._fields),
        (compiled.insert_task_runs, rows.TaskRunRow._fields),
        (compiled.replace_task_runs, rows.TaskRunRow._fields),
        (compiled.insert_flow_run_tags, tag_rows.TagRow._fields),
        (compiled.insert_task_run_tags, tag_rows.TagRow._fields),
        (compiled.insert_artifacts, rows.ArtifactRow._fields),
        (compiled.insert_results, rows.ResultRow._fields),
        (compiled.insert_logs, rows.LogRow._fields),
    ],
)
def test_inserts_take_whole_rows(insertion: Any, fields: tuple[str, ...]) -> None:
    assert insertion.columns == ("workspace_id", *fields)
