"""What is being cancelled, or was left behind by what has been, and nobody is there to end."""

from headrace.base.clock import FrozenClock
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.loops.sweeper import Sweeper
from headrace.schema.orchestration import Presence
from headrace.schema.run import FlowRun, TaskRunCreate
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkerBeat, WorkPoolCreate
from headrace.storage.database import Database
from tests.conformance.scenes import Stage

BEATING = Presence(kind="beat", interval=10)
SILENT = Presence(kind="none")


def state_of(stage: Stage, run: FlowRun) -> StateType | None:
    return stage.execution.read_flow_run(run.id).state_type


def test_a_run_that_nobody_executes_is_cancelled_in_the_end(
    database: Database, clock: FrozenClock, stage: Stage
) -> None:
    sweeper = Sweeper(database, clock)
    OrchestratedAdministration(database, clock=clock).create_work_pool(WorkPoolCreate(name="pool"))
    beaten = stage.running(presence=BEATING)
    silent, placed = stage.running(presence=SILENT), stage.running(presence=SILENT, work_pool_name="pool")
    for run in (beaten, silent, placed):
        stage.propose(run, StateType.CANCELLING)
    clock.advance(60)
    assert sweeper.run_once() == 0
    clock.advance(1)
    stage.execution.beat_worker(WorkerBeat(work_pool_name="pool", name="w"))
    assert sweeper.run_once() == 0
    clock.advance(100)
    assert sweeper.run_once() == 1
    assert state_of(stage, placed) is StateType.CANCELLED
    clock.advance(440)
    assert sweeper.run_once() == 1
    assert state_of(stage, silent) is StateType.CANCELLED
    assert state_of(stage, beaten) is StateType.CANCELLING


def test_what_a_cancelled_run_left_is_ended_too(database: Database, clock: FrozenClock, stage: Stage) -> None:
    sweeper = Sweeper(database, clock)
    parent, other = stage.running(presence=BEATING), stage.running(presence=BEATING)
    calls = [
        stage.execution.create_task_run(TaskRunCreate(flow_run_id=run.id, task_key="child", dynamic_key=str(number)))
        for number, run in enumerate((parent, parent, parent, other))
    ]
    held = stage.running(presence=BEATING, parent_task_run_id=calls[0].id)
    gone = stage.running(presence=SILENT, parent_task_run_id=calls[1].id)
    waiting = stage.scheduled(3600, parent_task_run_id=calls[2].id)
    foreign = stage.running(presence=SILENT, parent_task_run_id=calls[3].id)
    task = stage.made(parent.id)
    stage.deliver(task, stage.state(task, 1, StateType.PENDING, 0), stage.state(task, 2, StateType.RUNNING, 0))
    stage.propose(parent, StateType.CANCELLED, force=True)
    clock.advance(59)
    assert sweeper.run_once() == 0
    clock.advance(2)
    assert sweeper.run_once() == 4
    assert [state_of(stage, run) for run in (held, gone, waiting, foreign)] == [
        StateType.CANCELLING,
        StateType.CANCELLED,
        StateType.CANCELLED,
        StateType.RUNNING,
    ]
    ended = stage.execution.read_task_run(task.id).state
    assert ended
    assert (ended.type, ended.message) == (StateType.CANCELLED, "Its flow run was cancelled.")
    assert sweeper.run_once() == 0
