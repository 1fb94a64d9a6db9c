"""Flow runs: looked at, counted, changed, deleted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.base.errors import ObjectNotFound
from headrace.orchestration import flow_runs
from headrace.orchestration.administration.graphs import draw_graph
from headrace.orchestration.administration.history import count_history, cut_intervals
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.administration.states import find_state
from headrace.orchestration.deployment_slots import leave_slots
from headrace.orchestration.events import list_states
from headrace.orchestration.explanations import explain_flow_run
from headrace.orchestration.places import name_places
from headrace.orchestration.unit import Unit
from headrace.schema.explanation import Explanation
from headrace.schema.filters import RunSelection
from headrace.schema.graph import Graph
from headrace.schema.run import FlowRun, FlowRunSort, FlowRunUpdate, Page, RunHistoryInterval, RunSpan
from headrace.schema.state import State, StateType
from headrace.schema.wire import Labels, decode_json
from headrace.storage import compiled, deletions, runs, tables
from headrace.storage.rows import FlowRunRow, to_flow_run
from headrace.storage.texts import storable_json

MOST_SPANS = 1000
"""The most runs in one chart."""


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
            found = [to_flow_run(row, unit.now) for row in rows]
            name_places(unit, found)
            return found

        return self._read_runs(list_them)

    def count_flow_runs(self, selection: RunSelection | None = None) -> int:
        wanted = selection or RunSelection()
        return self._read_runs(
            lambda unit: runs.count_runs(unit.connection, unit.workspace_id, tables.flow_runs, wanted)
        )

    def flow_run_history(
        self, start: datetime, end: datetime, interval: float, selection: RunSelection | None = None
    ) -> list[RunHistoryInterval]:
        intervals = cut_intervals(start, end, interval)
        return self._read_runs(
            lambda unit: count_history(unit, tables.flow_runs, selection or RunSelection(), intervals)
        )

    def flow_run_lateness(self, selection: RunSelection | None = None) -> float | None:
        wanted = selection or RunSelection()
        average = self._read_runs(
            lambda unit: runs.measure_lateness(unit.connection, unit.workspace_id, wanted, unit.now)
        )
        return None if average is None else average / 1_000_000

    def list_flow_run_spans(
        self, selection: RunSelection | None = None, sort: FlowRunSort = FlowRunSort.ID_DESC, page: Page = Page()
    ) -> list[RunSpan]:
        wanted, part = selection or RunSelection(), checked(page, MOST_SPANS)
        rows = self._read_runs(
            lambda unit: runs.list_spans(unit.connection, unit.workspace_id, wanted, sort, part, unit.now)
        )
        return [_to_span(row) for row in rows]

    def read_flow_run_graph(self, flow_run_id: UUID, since: datetime | None = None) -> Graph:
        return self._read_runs(lambda unit: draw_graph(unit, flow_run_id, since))

    def explain_flow_run(self, flow_run_id: UUID) -> Explanation:
        return self._read_runs(lambda unit: explain_flow_run(unit, flow_run_id))

    def label_flow_run(self, flow_run_id: UUID, labels: Labels) -> None:
        def label(unit: Unit) -> None:
            found = unit.fetch(compiled.lock_flow_run, id=flow_run_id)
            if not found:
                raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
            row = FlowRunRow._make(found[0])
            before: Labels = decode_json(row.labels) if row.labels else {}
            merged = {**before, **labels}
            changed = {"labels": storable_json(merged), "updated": unit.now}
            runs.change_run(unit.connection, unit.workspace_id, tables.flow_runs, flow_run_id, changed)

        self._desk.write(label)

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        self._desk.write(lambda unit: flow_runs.update_flow_run(unit, flow_run_id, update))

    def delete_flow_run(self, flow_run_id: UUID) -> None:
        def delete(unit: Unit) -> int:
            leave_slots(unit, flow_run_id)
            return deletions.delete_flow_run(unit.connection, unit.workspace_id, flow_run_id)

        deleted = self._desk.write(delete)
        if not deleted:
            raise ObjectNotFound(f"There is no flow run with id {flow_run_id}.")

    def list_flow_run_states(self, flow_run_id: UUID) -> list[State]:
        def list_them(unit: Unit) -> list[State]:
            flow_runs.read_flow_run(unit, flow_run_id)
            return list_states(unit, flow_run_id)

        return self._read_runs(list_them)

    def read_flow_run_state(self, state_id: UUID) -> State:
        return self._read_runs(lambda unit: find_state(unit, tables.flow_runs, state_id))


def _to_span(row: runs.SpanRow) -> RunSpan:
    return RunSpan(
        id=row.id,
        state_type=StateType(row.state_type),
        timestamp=to_datetime(row.timestamp),
        duration=row.duration / 1_000_000,
        lateness=row.lateness / 1_000_000,
    )
