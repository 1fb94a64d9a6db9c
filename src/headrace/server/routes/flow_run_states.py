from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import field

from headrace.schema.filters import RunSelection
from headrace.schema.listing import FlowRunBulkSetState
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import Page
from headrace.schema.state import State, StateCreate
from headrace.schema.wire import Request as Body
from headrace.schema.wire import Wire
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.responses import OrchestrationResult, answer_decision, to_result
from headrace.server.version import renews_slots

RENEWAL = 300.0
"""Seconds for which a slot of a deployment's limit is a run's whose client renews it, from its start and each time."""

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


class SetState(Body, kw_only=True):
    """Proposes a state."""

    state: StateCreate
    force: bool = False


class Resumption(Body, kw_only=True):
    """Asks that a paused run go on."""

    run_input: dict[str, Any] | None = None


class BulkResult(OrchestrationResult, kw_only=True):
    """What was decided about one run of several."""

    flow_run_id: UUID


class BulkResults(Wire, kw_only=True):
    """What was decided about each of several runs."""

    results: list[BulkResult] = field(default_factory=list[BulkResult])


@post("/api/flow_runs/{flow_run_id:str}/set_state", **needs(RUN))
def set_flow_run_state(
    flow_run_id: FromPath[UUID], data: JSONBody[SetState], execution: Runs, request: Request[Any, Any, Any]
) -> Response[OrchestrationResult]:
    """Propose a state for a flow run and return what was decided.

    201 when a state was written, 200 when none was: the decision may be to refuse the state, to wait, or to abort. Raises
    `ObjectNotFound` for a run that does not exist.
    """
    renewal = RENEWAL if renews_slots(request.headers.get("user-agent", "")) else None
    return answer_decision(propose(execution, flow_run_id, data.state, data.force, renewal))


@post("/api/flow_runs/{flow_run_id:str}/resume", **needs(EDIT))
def resume_flow_run(
    flow_run_id: FromPath[UUID], data: JSONBody[Resumption], execution: Runs
) -> Response[OrchestrationResult]:
    return answer_decision(execution.resume_flow_run(flow_run_id, data.run_input))


@post("/api/flow_runs/bulk_set_state", status_code=200, **needs(EDIT))
def set_flow_run_states(data: JSONBody[FlowRunBulkSetState], administration: Office, execution: Runs) -> BulkResults:
    """Propose a state for flow runs that the filter names, and return what was decided about each."""
    found = administration.list_flow_runs(RunSelection(flow_runs=data.flow_runs), page=Page(data.limit))
    decided = [(run.id, to_result(propose(execution, run.id, data.state, data.force))) for run in found]
    return BulkResults(
        results=[
            BulkResult(flow_run_id=run_id, state=result.state, status=result.status, details=result.details)
            for run_id, result in decided
        ]
    )


@get("/api/flow_run_states/{state_id:str}", **needs(READ))
def read_flow_run_state(state_id: FromPath[UUID], administration: Office) -> State:
    return administration.read_flow_run_state(state_id)


@get("/api/flow_run_states/", **needs(READ))
def list_flow_run_states(flow_run_id: FromQuery[UUID], administration: Office) -> list[State]:
    return administration.list_flow_run_states(flow_run_id)


def propose(
    execution: Runs, flow_run_id: UUID, state: StateCreate, force: bool = False, renewal: float | None = None
) -> Decision:
    """Ask that a flow run enter a state, for a client that does not execute it under an epoch of ours."""
    proposal = Proposal(flow_run_id=flow_run_id, state=state, force=force, renewal=renewal)
    return execution.propose_flow_run_state(proposal)


routes = [
    set_flow_run_state,
    resume_flow_run,
    set_flow_run_states,
    read_flow_run_state,
    list_flow_run_states,
]
