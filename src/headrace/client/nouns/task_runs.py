from __future__ import annotations

from datetime import datetime
from uuid import UUID

from headrace.client.nouns.asking import Asking, part, select
from headrace.schema.filters import RunSelection
from headrace.schema.listing import FlowRunIds
from headrace.schema.run import Page, RunHistoryInterval, TaskRun, TaskRunSort, TaskRunUpdate
from headrace.schema.state import State, StateType


class TaskRunCalls(Asking):
    """The verbs on task runs."""

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        return self._read(f"/task_runs/{task_run_id}", TaskRun)

    def list_task_runs(
        self, selection: RunSelection | None = None, sort: TaskRunSort = TaskRunSort.ID_DESC, page: Page = Page()
    ) -> list[TaskRun]:
        return self._list("/task_runs/filter", list[TaskRun], select(selection, **part(page, sort=sort)))

    def count_task_runs(self, selection: RunSelection | None = None) -> int:
        return self._list("/task_runs/count", int, select(selection))

    def task_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        body = select(selection, history_start=start, history_end=end, history_interval_seconds=interval)
        return self._list("/task_runs/history", list[RunHistoryInterval], body)

    def count_task_runs_by_state(self, selection: RunSelection | None = None) -> dict[StateType, int]:
        counts = self._list("/ui/task_runs/count", dict[StateType, int], select(selection))
        return {kind: count for kind, count in counts.items() if count}

    def count_task_runs_by_flow_run(self, flow_run_ids: list[UUID]) -> dict[UUID, int]:
        asked = FlowRunIds(flow_run_ids=flow_run_ids)
        return self._list("/ui/flow_runs/count-task-runs", dict[UUID, int], asked)

    def update_task_run(self, task_run_id: UUID, update: TaskRunUpdate) -> None:
        self._update(f"/task_runs/{task_run_id}", update)

    def delete_task_run(self, task_run_id: UUID) -> None:
        self._delete(f"/task_runs/{task_run_id}")

    def list_task_run_states(self, task_run_id: UUID) -> list[State]:
        return self._read("/task_run_states/", list[State], task_run_id=str(task_run_id))

    def read_task_run_state(self, state_id: UUID) -> State:
        return self._read(f"/task_run_states/{state_id}", State)
