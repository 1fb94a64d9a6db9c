"""Flow runs: looked at, counted, changed, deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.orchestration import flow_runs
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.administration.states import find_state
from headrace.orchestration.events import list_states
from headrace.orchestration.unit import Unit
from headrace.schema.filters import RunSelection
from headrace.schema.run import FlowRun, FlowRunSort, FlowRunUpdate, Page, RunHistoryInterval, RunHistoryState
from headrace.schema.state import State, StateType
from headrace.storage import deletions, runs, tables
from headrace.storage.rows import to_flow_run

MOST_INTERVALS = 500
"""The most intervals in one history."""


class FlowRunVerbs(Office):
    """The verbs on flow runs."""

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        return self._read_runs(lambda unit: flow_runs.read_flow_run(unit, flow_run_id))

    def list_flow_runs(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[FlowRun]:
        wanted, part = selection or RunSelection(), checked(page)

        def list_them(unit: Unit) -> list[FlowRun]:
            rows = runs.list_flow_runs(unit.connection, unit.workspace_id, wanted, sort, part)
            return [to_flow_run(row, unit.now) for row in rows]

        return self._read_runs(list_them)

    def count_flow_runs(self, selection: RunSelection | None = None) -> int:
        wanted = selection or RunSelection()
        return self._read_runs(lambda unit: runs.count_flow_runs(unit.connection, unit.workspace_id, wanted))

    def flow_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        wanted = selection or RunSelection()
        first, last, width = to_micros(start), to_micros(end), round(interval * 1_000_000)
        if width <= 0 or last <= first:
            raise InvalidRequest("A history needs an end after its start, and an interval above 0.")
        if (last - first) > MOST_INTERVALS * width:
            raise InvalidRequest(f"A history has at most {MOST_INTERVALS} intervals: take a longer one.")

        def count(unit: Unit) -> list[runs.HistoryRow]:
            return runs.count_history(unit.connection, unit.workspace_id, wanted, first, last, width, unit.now)

        return _to_history(self._read_runs(count), first, last, width)

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        self._desk.write(lambda unit: flow_runs.update_flow_run(unit, flow_run_id, update))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        deleted = self._desk.write(
            lambda unit: deletions.delete_flow_run(unit.connection, unit.workspace_id, flow_run_id)
        )
        if not deleted:
            raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")

    def list_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        def list_them(unit: Unit) -> list[State]:
            flow_runs.read_flow_run(unit, flow_run_id)
            return list_states(unit, flow_run_id)

        return self._read_runs(list_them)

    def read_flow_run_state(self, state_id: UUID) -> State:
        return self._read_runs(lambda unit: find_state(unit, tables.flow_runs, state_id))


def _to_history(rows: list[runs.HistoryRow], first: int, last: int, width: int) -> list[RunHistoryInterval]:
    """Every interval, those without runs included."""
    intervals = [
        RunHistoryInterval(
            interval_start=to_datetime(begin),
            interval_end=to_datetime(begin) + timedelta(microseconds=width),
            states=[],
        )
        for begin in range(first, last, width)
    ]
    for row in rows:
        intervals[row.interval].states.append(
            RunHistoryState(
                state_type=StateType(row.state_type),
                state_name=row.state_name,
                count_runs=row.runs,
                sum_estimated_run_time=row.run_time / 1_000_000,
                sum_estimated_lateness=row.lateness / 1_000_000,
            )
        )
    return intervals
