"""Reports: what clients tell that keep no journal becomes the same facts, each once, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from headrace.base.ids import state_id
from headrace.orchestration.events import append_custom, load_histories
from headrace.orchestration.leases import take_lease
from headrace.orchestration.stories import Stories, store_stories
from headrace.orchestration.unit import Unit
from headrace.rules.bookkeeping import REPORT
from headrace.rules.transitions import is_terminal
from headrace.schema.fact import StateFact, TaskNameFact, TaskStateFact
from headrace.schema.orchestration import Presence
from headrace.schema.report import BeatReport, EventReport, Report, StateReport
from headrace.schema.state import StateType
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, TaskRunRow


def store_reports(unit: Unit, reports: Sequence[Report]) -> None:
    """Store reports that are not stored yet."""
    _store_states(unit, [report for report in reports if isinstance(report, StateReport)])
    append_custom(unit, [report for report in reports if isinstance(report, EventReport)])
    for report in reports:
        if isinstance(report, BeatReport):
            _beat(unit, report)


def _store_states(unit: Unit, reports: Sequence[StateReport]) -> None:
    """Make facts of states, numbered as they come; what orders them is their time and the ids of their reports."""
    if not reports:
        return
    ids = list(dict.fromkeys(report.run.id for report in reports))
    # Held until the end, so that nobody else numbers states of the same runs.
    rows = {values[0]: TaskRunRow._make(values) for values in unit.fetch(compiled.lock_task_runs, ids=ids)}
    histories = load_histories(unit, ids, late=True)
    stories = Stories(frozenset(), rows)
    for report in sorted(reports, key=lambda report: (report.state.timestamp, report.id)):
        run, history = report.run, histories.setdefault(report.run.id, [])
        if any(_is_told(state, report) for state in history):
            continue
        row = rows.get(run.id)
        if row is None or not row.task_key:
            stories.add(run)
        if row is None or report.state.timestamp >= (row.state_timestamp or 0):
            stories.add(TaskNameFact(run.id, run.name))
        details = {**(report.state.details or {}), REPORT: str(report.id)}
        ordinal = max((state.ordinal for state in history), default=0) + 1
        state = msgspec.structs.replace(report.state, ordinal=ordinal, details=details)
        history.append(state)
        stories.add(TaskStateFact(run.id, run.flow_run_id, state, report.run_count))
    store_stories(unit, stories)


def _is_told(state: StateFact, report: StateReport) -> bool:
    """Whether a state is the reported one: by the report's id, or by its own, which a client that made the run tells of."""
    if state.details and state.details.get(REPORT) == str(report.id):
        return True
    return state_id(report.run.id, state.ordinal) == report.id


def _beat(unit: Unit, report: BeatReport) -> None:
    """Hold the flow run for whoever shows to be alive, from its first beat on until it ends."""
    row = _find_flow_run(unit, report.flow_run_id)
    if row is None or row.state_type is None or is_terminal(StateType(row.state_type)):
        return
    if not unit.execute(compiled.beat_lease, flow_run_id=row.id, epoch=row.epoch, new_updated=unit.now):
        take_lease(unit, row.id, row.epoch, Presence(kind="beat", interval=report.interval))


def _find_flow_run(unit: Unit, flow_run_id: UUID) -> FlowRunRow | None:
    rows = unit.fetch(compiled.lock_flow_run, id=flow_run_id)
    return FlowRunRow._make(rows[0]) if rows else None
