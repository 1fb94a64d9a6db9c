"""Task runs: looked at, counted, deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from headrace.base.errors import ObjectNotFound
from headrace.orchestration import task_runs
from headrace.orchestration.administration.history import count_history, cut_intervals
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.administration.states import find_state
from headrace.orchestration.events import list_states
from headrace.orchestration.unit import Unit
from headrace.schema.filters import RunSelection
from headrace.schema.run import Page, RunHistoryInterval, TaskRun, TaskRunSort, TaskRunUpdate
from headrace.schema.state import State, StateType
from headrace.storage import deletions, runs, tables
from headrace.storage.rows import to_task_run
from headrace.storage.texts import storable


class TaskRunVerbs(Office):
    """The verbs on task runs."""

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        return self._read_runs(lambda unit: task_runs.read_task_run(unit, task_run_id))

    def list_task_runs(
        self, selection: RunSelection | None = None, sort: TaskRunSort = TaskRunSort.ID_DESC, page: Page = Page()
    ) -> list[TaskRun]:
        wanted, part = selection or RunSelection(), checked(page)

        def list_them(unit: Unit) -> list[TaskRun]:
            rows = runs.list_task_runs(unit.connection, unit.workspace_id, wanted, sort, part)
            return [to_task_run(row, unit.now) for row in rows]

        return self._read_runs(list_them)

    def count_task_runs(self, selection: RunSelection | None = None) -> int:
        wanted = selection or RunSelection()
        return self._read_runs(
            lambda unit: runs.count_runs(unit.connection, unit.workspace_id, tables.task_runs, wanted)
        )

    def task_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        intervals = cut_intervals(start, end, interval)
        return self._read_runs(
            lambda unit: count_history(unit, tables.task_runs, selection or RunSelection(), intervals)
        )

    def count_task_runs_by_state(self, selection: RunSelection | None = None) -> dict[StateType, int]:
        wanted = selection or RunSelection()
        counts = self._read_runs(lambda unit: runs.count_task_runs_by_state(unit.connection, unit.workspace_id, wanted))
        return {StateType(kind): count for kind, count in counts.items()}

    def count_task_runs_by_flow_run(self, flow_run_ids: list[UUID]) -> dict[UUID, int]:
        checked(Page(len(flow_run_ids)))
        counts = self._read_runs(
            lambda unit: runs.count_task_runs_by_flow_run(unit.connection, unit.workspace_id, flow_run_ids)
        )
        return {run_id: counts.get(run_id, 0) for run_id in flow_run_ids}

    def update_task_run(self, task_run_id: UUID, update: TaskRunUpdate) -> None:
        def change(unit: Unit) -> int:
            changed = (
                {"updated": unit.now} if update.name is UNSET else {"updated": unit.now, "name": storable(update.name)}
            )
            return runs.change_run(unit.connection, unit.workspace_id, tables.task_runs, task_run_id, changed)

        if not self._desk.write(change):
            raise ObjectNotFound(f"There is no task run with id {task_run_id}.")

    def delete_task_run(self, task_run_id: UUID) -> None:
        deleted = self._desk.write(
            lambda unit: deletions.delete_task_run(unit.connection, unit.workspace_id, task_run_id)
        )
        if not deleted:
            raise ObjectNotFound(f"There is no task run with id {task_run_id}.")

    def list_task_run_states(self, task_run_id: UUID) -> list[State]:
        def list_them(unit: Unit) -> list[State]:
            task_runs.read_task_run(unit, task_run_id)
            return list_states(unit, task_run_id)

        return self._read_runs(list_them)

    def read_task_run_state(self, state_id: UUID) -> State:
        return self._read_runs(lambda unit: find_state(unit, tables.task_runs, state_id))
