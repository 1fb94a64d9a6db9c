"""Runs that the orchestrator made and this process has claimed, as a worker's processes execute them."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.base import clock
from headrace.engine.context import current_flow_run
from headrace.engine.flow_definition import Flow
from headrace.engine.task_definition import Task
from headrace.rules.transitions import COMPLETED, FAILED, SCHEDULED
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Claim, ClaimRequest
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunPolicy
from headrace.schema.state import StateCreate
from tests.unit.engine.conftest import Stage


def claim(stage: Stage, parameters: dict[str, Any] | None = None, **what: Any) -> Claim:
    gateway = stage.recorder.gateway
    flow = gateway.register_flow(FlowCreate(name="add"))
    state = StateCreate(type=SCHEDULED)
    gateway.create_flow_run(FlowRunCreate(flow_id=flow.id, state=state, parameters=parameters or {}, **what))
    request = ClaimRequest(before=clock.now(), limit=1, claimant="worker", presence=gateway.presence())
    return gateway.claim_flow_runs(request)[0]


def read(stage: Stage, claimed: Claim) -> FlowRun:
    stage.settle()
    return stage.recorder.gateway.read_flow_run(claimed.flow_run.id)


def add(x: int, y: int = 2) -> int:
    return x + y


def test_a_claimed_run_is_executed_under_its_claim(stage: Stage) -> None:
    seen: list[FlowRun] = []

    def within(x: int) -> int:
        seen.append(current_flow_run().run)
        return Task(add)(x)

    flow = Flow(within, name="add", retries=2, version="7", flow_run_name="adding {x}")
    claimed = claim(stage, {"x": "5"}, empirical_policy=FlowRunPolicy(pause_keys=["1"]))
    assert flow.execute(claimed).type is COMPLETED
    run = read(stage, claimed)
    assert (run.state_type, run.epoch, run.run_count) == (COMPLETED, claimed.epoch, 1)
    assert (run.name, run.flow_version) == ("adding 5", "7")
    assert (run.empirical_policy.retries, run.empirical_policy.pause_keys) == (2, ["1"])
    assert seen[0].id == claimed.flow_run.id
    assert [made.flow_run_id for made in stage.recorder.task_runs()] == [run.id]
    assert stage.recorder.path(run.id) == ["Scheduled", "Pending", "Running", "Completed"]


def test_a_claimed_run_of_an_async_flow_is_executed_in_a_loop(stage: Stage) -> None:
    async def within(x: int) -> int:
        return x

    claimed = claim(stage, {"x": 1})
    assert Flow(within).execute(claimed).type is COMPLETED
    assert read(stage, claimed).state_type is COMPLETED


@pytest.mark.parametrize(
    ("parameters", "says"),
    [({"x": "many"}, "x"), ({}, "x"), ({"x": 1, "z": 2}, "z")],
)
def test_parameters_that_do_not_fit_fail_the_run(stage: Stage, parameters: dict[str, Any], says: str) -> None:
    claimed = claim(stage, parameters)
    state = Flow(add).execute(claimed)
    assert state.type is FAILED
    assert says in (state.message or "")
    assert read(stage, claimed).state_type is FAILED


def test_a_claimed_run_is_tried_again_in_its_process(stage: Stage) -> None:
    tries: list[int] = []

    def fails_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")

    claimed = claim(stage)
    assert Flow(fails_once, retries=1).execute(claimed).type is COMPLETED
    run = read(stage, claimed)
    assert (run.run_count, run.epoch) == (2, claimed.epoch)


def test_what_ends_a_claimed_run_from_outside_crashes_it(stage: Stage) -> None:
    def interrupted() -> None:
        raise SystemExit(3)

    claimed = claim(stage)
    with pytest.raises(SystemExit):
        Flow(interrupted).execute(claimed)
    assert stage.recorder.path(claimed.flow_run.id)[-1] == "Crashed"
