"""Task runs: looked at, counted, deleted."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.orchestration import task_runs
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.administration.states import find_state
from headrace.orchestration.events import list_states
from headrace.orchestration.unit import Unit
from headrace.schema.filters import RunSelection
from headrace.schema.run import Page, TaskRun, TaskRunSort
from headrace.schema.state import State
from headrace.storage import deletions, runs, tables
from headrace.storage.rows import to_task_run


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
        return self._read_runs(lambda unit: runs.count_task_runs(unit.connection, unit.workspace_id, wanted))

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
