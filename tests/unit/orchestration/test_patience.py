"""Runs that nobody resumes in time."""

from headrace.base.clock import FrozenClock
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.patience import Patience
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRun
from headrace.schema.state import StateCreate, StateType
from headrace.storage.database import Database
from headrace.storage.rows import FlowRunRow
from tests.conformance.scenes import Stage


def paused(stage: Stage, seconds: float | None) -> FlowRun:
    ends = None if seconds is None else stage.after(seconds)
    return stage.propose(stage.running(), StateType.PAUSED, pause_timeout=ends).flow_run


def test_a_run_that_nobody_resumes_in_time_fails(database: Database, clock: FrozenClock, stage: Stage) -> None:
    patience = Patience(database, clock, batch=2)
    patient = [paused(stage, None), paused(stage, 3600), paused(stage, 3600)]
    late = [paused(stage, 60) for _ in range(3)]
    clock.advance(69)
    assert patience.run_once() == 0
    clock.advance(2)
    assert patience.run_once() == 3
    states = [stage.execution.read_flow_run(run.id).state for run in late]
    assert {state and (state.type, state.message) for state in states} == {
        (StateType.FAILED, "The run was paused and not resumed in time.")
    }
    assert {stage.execution.read_flow_run(run.id).state_type for run in patient} == {StateType.PAUSED}
    assert patience.run_once() == 0


class Slow(Patience):
    """Sees a run, and is overtaken by whoever resumes it."""

    stage: Stage

    def _find(self, desk: Desk) -> list[FlowRunRow]:
        found = super()._find(desk)
        for row in found:
            self.stage.execution.propose_flow_run_state(
                Proposal(flow_run_id=row.id, state=StateCreate(type=StateType.RUNNING), force=True)
            )
        return found


def test_a_run_that_moves_on_after_it_was_seen_is_left_alone(
    database: Database, clock: FrozenClock, stage: Stage
) -> None:
    patience = Slow(database, clock)
    patience.stage = stage
    run = paused(stage, 60)
    clock.advance(71)
    assert patience.run_once() == 0
    assert stage.execution.read_flow_run(run.id).state_type is StateType.RUNNING
