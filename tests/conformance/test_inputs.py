import json
from typing import Any

import pytest

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.deployment import DeploymentCreate
from headrace.schema.flow_run_input import FlowRunInputCreate
from headrace.schema.orchestration import Decision, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from tests.conformance.scenes import Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
KEYS = {"schema": "paused-1-schema", "response": "paused-1-response"}


def leave(execution: Execution, run: FlowRun, key: str, value: str = "…", sender: str | None = None) -> None:
    execution.create_flow_run_input(run.id, FlowRunInputCreate(key=key, value=value, sender=sender))


def answer(decision: Decision) -> tuple[Verb, StateType | None, bool]:
    return decision.verb, decision.state and decision.state.type, decision.written


def paused(stage: Stage, **details: Any) -> FlowRun:
    return stage.propose(stage.running(), PAUSED, **details).flow_run


def suspended(stage: Stage, administration: Administration) -> FlowRun:
    flow = stage.flow()
    deployment = administration.create_deployment(DeploymentCreate(name="daily", flow_id=flow))
    run = stage.running(deployment_id=deployment.id)
    return stage.propose(run, PAUSED, "Suspended", pause_reschedule=True).flow_run


# inputs


def test_what_is_left_is_read_once_per_key(execution: Execution, stage: Stage) -> None:
    run, other = stage.run(), stage.run()
    leave(execution, run, "who/is it?", '"söm\u0000ebody"', "me")
    leave(execution, other, "who/is it?", "another")
    found = execution.read_flow_run_input(run.id, "who/is it?")
    assert (found.flow_run_id, found.key, found.sender, found.created) == (run.id, "who/is it?", "me", stage.now)
    assert "ebody" in found.value
    with pytest.raises(ObjectAlreadyExists, match="has an input with key 'who/is it\\?' already"):
        leave(execution, run, "who/is it?")
    assert execution.read_flow_run_input(other.id, "who/is it?").value == "another"


def test_inputs_are_listed_by_prefix(execution: Execution, stage: Stage) -> None:
    run = stage.run()
    for key in ("in-1", "in-2", "in_3", "other"):
        leave(execution, run, key)

    def keys(*what: Any) -> list[str]:
        return [each.key for each in execution.list_flow_run_inputs(run.id, *what)]

    assert keys("in-") == ["in-1"]
    assert keys("in-", 10) == ["in-1", "in-2"]
    assert keys("in_", 10) == ["in_3"]
    assert keys("", 10, ["in-1", "other"]) == ["in-2", "in_3"]
    assert keys("nothing") == []


def test_inputs_are_deleted_one_by_one_and_with_their_run(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    run = stage.run()
    leave(execution, run, "a")
    leave(execution, run, "b")
    execution.delete_flow_run_input(run.id, "a")
    with pytest.raises(ObjectNotFound, match="no input with key 'a'"):
        execution.delete_flow_run_input(run.id, "a")
    administration.delete_flow_run(run.id)
    with pytest.raises(ObjectNotFound):
        execution.read_flow_run_input(run.id, "b")


def test_nobody_leaves_anything_for_a_run_that_is_not_there(execution: Execution) -> None:
    with pytest.raises(ObjectNotFound, match="There is no flow run"):
        execution.create_flow_run_input(uuid7(), FlowRunInputCreate(key="a", value="b"))


# resuming


def test_a_run_whose_process_waits_goes_on_under_the_same_attempt(execution: Execution, stage: Stage) -> None:
    run = paused(stage)
    decision = execution.resume_flow_run(run.id)
    assert answer(decision) == (Verb.ACCEPT, RUNNING, True)
    assert (decision.epoch, decision.flow_run.run_count) == (run.epoch, run.run_count)


def test_a_suspended_run_is_scheduled(execution: Execution, administration: Administration, stage: Stage) -> None:
    decision = execution.resume_flow_run(suspended(stage, administration).id)
    assert answer(decision) == (Verb.ACCEPT, SCHEDULED, True)
    assert decision.state
    assert decision.state.name == "Resuming"


def test_only_a_paused_run_is_resumed(execution: Execution, stage: Stage) -> None:
    decision = execution.resume_flow_run(stage.running().id)
    assert answer(decision) == (Verb.ABORT, RUNNING, False)
    assert decision.reason == "The run is not paused."
    with pytest.raises(ObjectNotFound):
        execution.resume_flow_run(uuid7())


def test_a_run_resumed_too_late_has_failed(execution: Execution, stage: Stage) -> None:
    run = paused(stage, pause_timeout=stage.after(60), run_input_keyset=KEYS)
    stage.clock.advance(61)
    assert answer(execution.resume_flow_run(run.id, {"x": 1})) == (Verb.REJECT, FAILED, True)
    with pytest.raises(ObjectNotFound):
        execution.read_flow_run_input(run.id, KEYS["response"])


def test_input_is_checked_and_kept(execution: Execution, stage: Stage) -> None:
    run = paused(stage, run_input_keyset=KEYS)
    leave(execution, run, KEYS["schema"], json.dumps(SCHEMA))
    for wrong in ({"x": "many"}, {}, None):
        decision = execution.resume_flow_run(run.id, wrong)
        assert answer(decision) == (Verb.REJECT, PAUSED, False)
        assert "The input is not what the run asks for" in (decision.reason or "")
    assert execution.resume_flow_run(run.id, {"x": 7}).verb is Verb.ACCEPT
    assert json.loads(execution.read_flow_run_input(run.id, KEYS["response"]).value) == {"x": 7}


def test_a_second_pause_of_the_same_key_gets_its_own_input(execution: Execution, stage: Stage) -> None:
    run = paused(stage, run_input_keyset=KEYS)
    execution.resume_flow_run(run.id, {"x": 1})
    stage.propose(run, PAUSED, run_input_keyset=KEYS)
    execution.resume_flow_run(run.id, {"x": 2})
    assert json.loads(execution.read_flow_run_input(run.id, KEYS["response"]).value) == {"x": 2}


@pytest.mark.parametrize(
    ("keys", "schema", "says"),
    [
        (None, None, "The run asks for no input."),
        ({"schema": "s"}, None, "does not say under which key"),
        (KEYS, "{", "is no JSON"),
        (KEYS, "[1]", "cannot be used"),
        (KEYS, '{"type": "nonsense"}', "cannot be used"),
    ],
)
def test_input_that_cannot_be_taken_is_refused(
    execution: Execution, stage: Stage, keys: dict[str, str] | None, schema: str | None, says: str
) -> None:
    run = paused(stage, run_input_keyset=keys)
    if schema is not None:
        leave(execution, run, KEYS["schema"], schema)
    decision = execution.resume_flow_run(run.id, {"x": 1})
    assert not decision.written
    assert says in (decision.reason or "")
    assert execution.read_flow_run(run.id).state_type is PAUSED
