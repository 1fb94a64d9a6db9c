"""Further attempts of flow runs: what earlier ones left behind, and the runs that are opened again."""

from typing import Any

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound, StaleEpoch
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.checkpoint import Checkpoint, Reopening
from headrace.schema.deployment import DeploymentCreate, DeploymentUpdate
from headrace.schema.fact import ResultFact, TaskRunFact
from headrace.schema.identities import name_call
from headrace.schema.orchestration import Claim, ClaimRequest
from headrace.schema.presence import Presence
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunPolicy
from headrace.schema.state import StateType
from tests.conformance.scenes import NOBODY, Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType
SOMEBODY = Presence(kind="none")
RECORD = {"storage_key": "k", "location": "/results", "serializer": "pickle", "size": 9, "expiration": None}


def reopen(execution: Execution, run: FlowRun, **how: Any) -> Claim:
    return execution.reopen_flow_run(Reopening(flow_run_id=run.id, **how))


def call(
    stage: Stage,
    run: FlowRun,
    name: str,
    seconds: tuple[float, float | None],
    ordinal: int = 0,
    end: StateType = COMPLETED,
    **what: Any,
) -> TaskRunFact:
    """A call of a task that began and ended so many seconds after now; None for one that has not ended."""
    made = stage.made(run.id, name=f"{name}-0", task_key=f"{name}-1a2b", dynamic_key=name_call(name, ordinal), **what)
    began, ended = seconds
    states = [stage.state(made, 1, PENDING, began), stage.state(made, 2, RUNNING, began, 1)]
    if ended is not None:
        states.append(stage.state(made, 3, end, ended, 1, data=RECORD if end is COMPLETED else None))
    stage.deliver(made, *states)
    return made


def calls(execution: Execution, run: FlowRun) -> list[str]:
    return [found.call for found in execution.list_checkpoints(run.id)]


# what is left behind


def test_calls_are_found_by_their_identity_oldest_first(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    one = stage.made(run.id, name="a", task_key="load-1a2b", dynamic_key="3f9a.0")
    other = stage.made(run.id, name="b", task_key="load-1a2b", dynamic_key="2-3f9a.1")
    without = stage.made(run.id, dynamic_key="2-7")
    elsewhere = stage.made(stage.running().id, dynamic_key="3f9a.2")
    stage.deliver(one, other, without, elsewhere, *stage.story(one, COMPLETED))
    first, second = execution.list_checkpoints(run.id)
    assert (first.task_run_id, first.name, first.task_key, first.call) == (one.id, "a", "load-1a2b", "3f9a.0")
    assert first.state
    assert (first.state.type, first.result, first.child_flow_run_id) == (COMPLETED, None, None)
    assert second == Checkpoint(task_run_id=other.id, name="b", task_key="load-1a2b", call="3f9a.1", state=None)


def test_a_run_that_made_no_calls_has_left_nothing(execution: Execution, stage: Stage) -> None:
    assert execution.list_checkpoints(stage.running().id) == []
    assert execution.list_checkpoints(uuid7()) == []


def test_where_a_value_is_kept_is_found_in_the_state_it_was_told_with(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    call(stage, run, "load", (0, 1))
    (found,) = execution.list_checkpoints(run.id)
    assert found.result == RECORD


def test_a_value_that_was_kept_after_its_state_was_told_is_found_by_its_record(
    execution: Execution, stage: Stage
) -> None:
    run = stage.running()
    made = stage.made(run.id, dynamic_key="3f9a.0")
    kept = [
        ResultFact(uuid7(), key, "/results", "pickle", 9, stage.clock.now, None, run.id, made.id)
        for key in ("before", "k")
    ]
    of_the_flow = ResultFact(uuid7(), "flow", "/results", "pickle", 9, stage.clock.now, None, run.id)
    stage.deliver(made, *stage.story(made), *kept, of_the_flow)
    (found,) = execution.list_checkpoints(run.id)
    assert found.result == RECORD


def test_the_run_of_a_subflow_is_found_by_its_call(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    made = stage.made(run.id, dynamic_key="3f9a.0")
    create = FlowRunCreate(flow_id=stage.flow("child"), parent_task_run_id=made.id)
    child = execution.create_flow_run(create, stage.batch(made))
    stage.propose(run, RUNNING)
    assert [found.child_flow_run_id for found in execution.list_checkpoints(run.id)] == [child.id]
    stage.propose(run, CRASHED)  # before anybody has found its subflow dead
    (found,) = execution.list_checkpoints(run.id)
    assert found.state
    assert (found.state.type, found.child_flow_run_id) == (CRASHED, child.id)


# opening a run again


@pytest.mark.parametrize("ended", [COMPLETED, FAILED, CRASHED, CANCELLED])
def test_whoever_executes_a_run_again_holds_it(
    ended: StateType, execution: Execution, administration: Administration, stage: Stage
) -> None:
    before = stage.running()
    stage.propose(before, ended)
    stage.clock.advance(5)
    claim = reopen(execution, before, presence=NOBODY, message="Once more.")
    assert claim.flow_run.state
    assert (claim.flow_run.state_type, claim.flow_run.state.message) == (PENDING, "Once more.")
    assert claim.epoch == claim.flow_run.epoch > before.epoch
    with pytest.raises(StaleEpoch):
        stage.propose(before, RUNNING, epoch=before.epoch)
    assert stage.propose(before, RUNNING, epoch=claim.epoch).written
    execution.crash_if_dead()
    execution.crash_if_dead()
    names = [state.name for state in administration.list_flow_run_states(before.id)]
    assert names == ["Pending", "Running", ended.capitalize(), "Scheduled", "Pending", "Running", "Crashed"]


@pytest.mark.parametrize("ended", [COMPLETED, FAILED, CRASHED, CANCELLED])
def test_a_run_of_a_deployment_is_offered_again(ended: StateType, execution: Execution, stage: Stage) -> None:
    run = stage.ended(ended, deployment_id=uuid7())
    claim = reopen(execution, run)
    assert (claim.flow_run.state_type, claim.flow_run.next_scheduled_start_time) == (SCHEDULED, stage.now)
    taken = execution.claim_flow_runs(ClaimRequest(before=stage.now, limit=5, claimant="w", presence=SOMEBODY))
    assert [(each.flow_run.id, each.epoch > claim.epoch) for each in taken] == [(run.id, True)]


def test_a_run_that_nobody_could_start_is_not_offered(execution: Execution, stage: Stage) -> None:
    run = stage.ended(name="monday")
    with pytest.raises(InvalidRequest, match="'monday' has no deployment, so no worker could start it"):
        reopen(execution, run)
    assert execution.read_flow_run(run.id) == run


@pytest.mark.parametrize("state", [SCHEDULED, PENDING, RUNNING, PAUSED, CANCELLING])
def test_a_run_that_has_not_ended_is_left_alone(state: StateType, execution: Execution, stage: Stage) -> None:
    run = stage.run(name="monday", deployment_id=uuid7())
    if state in {PAUSED, CANCELLING}:
        stage.propose(run, RUNNING)
    if state is not PENDING:
        stage.propose(run, state, force=True)
    before = execution.read_flow_run(run.id)
    for presence in (None, NOBODY):
        with pytest.raises(InvalidRequest, match=f"'monday' is {state.capitalize()}: only a run that has ended"):
            reopen(execution, run, presence=presence)
    assert execution.read_flow_run(run.id) == before


def test_a_run_has_to_be_there(execution: Execution) -> None:
    with pytest.raises(ObjectNotFound):
        execution.reopen_flow_run(Reopening(flow_run_id=uuid7(), presence=NOBODY))


def test_parameters_may_be_given_other_values(execution: Execution, stage: Stage) -> None:
    run = stage.ended(parameters={"path": "in", "rows": 3})
    claim = reopen(execution, run, presence=NOBODY, parameters={"rows": [1, {"ünï": None}]})
    assert claim.flow_run.parameters == {"path": "in", "rows": [1, {"ünï": None}]}
    assert execution.read_flow_run(run.id).parameters == claim.flow_run.parameters


def test_other_values_have_to_fit_the_deployment(
    administration: Administration, execution: Execution, stage: Stage
) -> None:
    schema = {"properties": {"rows": {"type": "integer"}, "path": {"type": "string"}}, "required": ["path"]}
    create = DeploymentCreate(name="prod", flow_id=stage.flow("etl"), parameter_openapi_schema=schema)
    made = administration.create_deployment(create)
    run = stage.ended(FAILED, deployment_id=made.id, parameters={"rows": "many"})
    with pytest.raises(InvalidRequest, match='rows: "zz" is not of type "integer"'):
        reopen(execution, run, parameters={"rows": "zz"})
    assert execution.read_flow_run(run.id) == run
    # What the run had is its own, and so is what it never had.
    assert reopen(execution, run, parameters={"rows": 5}).flow_run.parameters == {"rows": 5}
    administration.update_deployment(made.id, DeploymentUpdate(enforce_parameter_schema=False))
    stage.propose(run, FAILED, force=True)
    assert reopen(execution, run, parameters={"rows": "zz"}).flow_run.parameters == {"rows": "zz"}


def test_a_reopened_run_has_its_pauses_before_it_and_all_its_resumes(execution: Execution, stage: Stage) -> None:
    policy = FlowRunPolicy(pause_keys=["1"], resuming=True, on_crash="resume", max_resumes=2, resumes=2)
    run = stage.ended(CRASHED, empirical_policy=policy)
    after = reopen(execution, run, presence=NOBODY).flow_run.empirical_policy
    assert (after.pause_keys, after.resuming, after.resumes) == (None, False, None)
    assert (after.on_crash, after.max_resumes) == ("resume", 2)


# from a task on


def test_from_a_task_on_nothing_is_restored_that_may_have_depended_on_it(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    call(stage, run, "before", (0, 1))
    call(stage, run, "beside", (1, 4))
    call(stage, run, "train", (1, 3))
    call(stage, run, "meanwhile", (2.5, None))
    call(stage, run, "at_once", (3, 5))
    call(stage, run, "after", (4, 6))
    stage.propose(run, CRASHED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    assert calls(execution, run) == [name_call(name, 0) for name in ("before", "beside", "meanwhile")]


def test_what_began_after_the_task_had_failed_and_before_it_was_finished_is_restored(
    execution: Execution, stage: Stage
) -> None:
    run = stage.running()
    call(stage, run, "load", (0, 1))
    call(stage, run, "train", (1, 2), end=FAILED)
    call(stage, run, "load", (3, 4), ordinal=1)
    call(stage, run, "train", (4, 5), ordinal=1)
    call(stage, run, "after", (5, 6))
    stage.propose(run, CRASHED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    assert calls(execution, run) == [name_call("load", 0), name_call("load", 1)]


def test_where_the_task_only_failed_what_began_after_that_runs_again(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    call(stage, run, "before", (0, 1))
    call(stage, run, "train", (1, 2), end=FAILED)
    call(stage, run, "told", (3, 4))
    stage.propose(run, FAILED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    assert calls(execution, run) == [name_call("before", 0)]


def test_what_runs_again_may_run_again_once_more(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    call(stage, run, "train", (0, 1))
    stage.propose(run, CRASHED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    made = stage.made(run.id, name="train-2-0", task_key="train-1a2b", dynamic_key=f"2-{name_call('train', 0)}")
    stage.deliver(made, *stage.story(made))
    assert [found.task_run_id for found in execution.list_checkpoints(run.id)] == [made.id]
    stage.propose(run, CRASHED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    assert execution.list_checkpoints(run.id) == []


def test_a_task_that_never_ended_takes_nothing_with_it(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    call(stage, run, "train", (0, None))
    call(stage, run, "after", (1, 2))
    stage.propose(run, CANCELLED)
    reopen(execution, run, presence=NOBODY, from_task="train")
    assert calls(execution, run) == [name_call("after", 0)]


@pytest.mark.parametrize("name", ["Flows.<locals>.train", "train", "Train a model", "Train a model-2-0"])
def test_a_task_is_called_by_any_name_it_has(name: str, execution: Execution, stage: Stage) -> None:
    run = stage.running()
    made = stage.made(
        run.id, name="Train a model-2-0", task_key="Flows.<locals>.train-1a2b", dynamic_key=name_call("t", 0)
    )
    stage.deliver(made, *stage.story(made))
    stage.propose(run, FAILED)
    reopen(execution, run, presence=NOBODY, from_task=name)
    assert calls(execution, run) == []


def test_a_task_that_is_not_there_is_named_with_those_that_are(execution: Execution, stage: Stage) -> None:
    run = stage.running(name="monday")
    for number, (name, key) in enumerate([("page 3", "fetch"), ("page 4", "fetch"), ("Train-0", "train")]):
        made = stage.made(run.id, name=name, task_key=f"{key}-1a2b", dynamic_key=name_call("x", number))
        stage.deliver(made, *stage.story(made))
    ended = stage.propose(run, FAILED).flow_run
    with pytest.raises(InvalidRequest) as raised:
        reopen(execution, run, presence=NOBODY, from_task="tarin")
    assert str(raised.value) == (
        "Flow run 'monday' has no task 'tarin' that could be run again; its tasks: Train, fetch."
    )
    assert execution.read_flow_run(run.id) == ended
    ordinary = stage.ended(name="tuesday")
    with pytest.raises(InvalidRequest, match="its tasks: none, for it is not durable"):
        reopen(execution, ordinary, presence=NOBODY, from_task="train")


# subflows


def with_child(execution: Execution, stage: Stage, **what: Any) -> tuple[FlowRun, FlowRun]:
    """A running flow with a subflow that is running as well."""
    run = stage.running(**what)
    made = stage.made(run.id, dynamic_key="3f9a.0")
    create = FlowRunCreate(id=stage.new_id(), flow_id=stage.flow("child"), name="child", parent_task_run_id=made.id)
    child = execution.create_flow_run(create, stage.batch(made))
    return run, stage.propose(child, RUNNING, presence=SOMEBODY).flow_run


@pytest.mark.parametrize("state", [RUNNING, CANCELLING, CRASHED, COMPLETED])
def test_a_new_attempt_goes_on_with_its_subflow_whether_that_has_ended_or_not(
    state: StateType, execution: Execution, stage: Stage
) -> None:
    run, child = with_child(execution, stage)
    left = stage.made(child.id, dynamic_key="5c.0")
    stage.deliver(left, *stage.story(left)[:2])
    if state is not RUNNING:
        stage.propose(child, state)
    stage.propose(run, CRASHED)
    epoch = stage.propose(reopen(execution, run, presence=NOBODY).flow_run, RUNNING).epoch
    again = stage.made(run.id, dynamic_key="2-3f9a.0")
    stage.deliver(again)
    claim = reopen(execution, child, presence=NOBODY, parent_task_run_id=again.id, parent_epoch=epoch)
    assert (claim.flow_run.state_type, claim.flow_run.parent_task_run_id) == (PENDING, again.id)
    with pytest.raises(StaleEpoch):
        stage.propose(child, COMPLETED, epoch=child.epoch)
    stage.propose(claim.flow_run, RUNNING, epoch=claim.epoch)
    mirrored = execution.read_task_run(again.id).state
    assert mirrored
    assert (mirrored.type, mirrored.state_details.child_flow_run_id) == (RUNNING, child.id)
    if state is RUNNING:
        assert execution.read_task_run(left.id).state_type is CRASHED


def test_an_attempt_that_is_over_does_not_take_a_subflow_away_from_the_next(execution: Execution, stage: Stage) -> None:
    run, child = with_child(execution, stage)
    stage.propose(run, CRASHED)
    reopen(execution, run, presence=NOBODY)
    made = stage.made(run.id, dynamic_key="2-3f9a.0")
    stage.deliver(made)
    with pytest.raises(StaleEpoch, match=f"Attempt {run.epoch} of flow run {run.name!r} is over"):
        reopen(execution, child, presence=NOBODY, parent_task_run_id=made.id, parent_epoch=run.epoch)
    assert execution.read_flow_run(child.id) == child


def test_nobody_takes_up_a_run_that_is_no_subflow_of_his(execution: Execution, stage: Stage) -> None:
    _, child = with_child(execution, stage)
    other, ordinary = stage.running(), stage.running(name="child")
    made = stage.made(other.id)
    stage.deliver(made)
    for run, parent in ((child, made.id), (child, uuid7()), (ordinary, made.id), (ordinary, uuid7())):
        with pytest.raises(
            InvalidRequest, match="'child' belongs to no earlier attempt of what wants to go on with it"
        ):
            reopen(execution, run, presence=NOBODY, parent_task_run_id=parent)
        assert execution.read_flow_run(run.id) == run


# crashes


def test_a_run_whose_process_dies_is_offered_again_but_not_for_ever(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    policy = FlowRunPolicy(on_crash="resume", max_resumes=2)
    run = stage.scheduled(deployment_id=uuid7(), empirical_policy=policy)
    request = ClaimRequest(before=stage.now, limit=1, claimant="w", presence=NOBODY)
    for resumed in (1, 2, None):
        (claim,) = execution.claim_flow_runs(request)
        stage.propose(claim.flow_run, RUNNING, epoch=claim.epoch, presence=NOBODY)
        task = stage.made(run.id, dynamic_key=f"{claim.epoch}-3f9a.0")
        stage.deliver(task, *stage.story(task)[:2])
        execution.crash_if_dead()
        execution.crash_if_dead()
        now = execution.read_flow_run(run.id)
        assert execution.read_task_run(task.id).state_type is CRASHED
        if resumed is None:
            assert (now.state_type, now.empirical_policy.resumes) == (CRASHED, 2)
            continue
        assert now.state
        assert (now.state_type, now.state.name, now.empirical_policy.resumes) == (SCHEDULED, "Resuming", resumed)
        assert (now.state.message or "").endswith(f"The run is resumed ({resumed} of 2 times).")
        with pytest.raises(StaleEpoch):
            stage.propose(run, COMPLETED, epoch=claim.epoch)
    assert execution.claim_flow_runs(request) == []
    assert len(execution.list_checkpoints(run.id)) == 3
    names = [state.name for state in administration.list_flow_run_states(run.id)]
    assert names == ["Scheduled", *["Pending", "Running", "Resuming"] * 2, "Pending", "Running", "Crashed"]
