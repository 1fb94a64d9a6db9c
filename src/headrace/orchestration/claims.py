"""Claims: runs that are due go to whoever takes them first, and to nobody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from headrace.base.clock import to_micros
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import PENDING, SCHEDULED
from headrace.schema.orchestration import Claim, ClaimRequest, Decision, Proposal, Verb
from headrace.schema.state import StateCreate, StateDetails
from headrace.storage import compiled
from headrace.storage.rows import FlowRunRow, to_current_state


def claim_flow_runs(unit: Unit, request: ClaimRequest) -> list[Claim]:
    """Take runs that are due: each becomes PENDING under a new epoch, its lease the claimant's."""
    claims: list[Claim] = []
    for row in _find_due(unit, request):
        proposal = Proposal(flow_run_id=row.id, state=StateCreate(type=PENDING), presence=request.presence)
        decision = propose(unit, proposal, holder=request.claimant)
        if isinstance(decision, Decision) and decision.verb is Verb.ACCEPT:
            claims.append(Claim(flow_run=decision.flow_run, epoch=decision.epoch))
    return claims


def release_claim(unit: Unit, flow_run_id: UUID, epoch: int) -> bool:
    """Give a claimed run back unstarted; False when the claim was not held any more."""
    row = load_flow_run(unit, flow_run_id)
    if row is None or row.epoch != epoch or row.state_type != PENDING:
        return False
    state = to_current_state(row)
    time = state.state_details.scheduled_time if state else None
    back = StateCreate(type=SCHEDULED, state_details=StateDetails(scheduled_time=time))
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=back, epoch=epoch))
    return isinstance(decision, Decision) and decision.verb is Verb.ACCEPT


def _find_due(unit: Unit, request: ClaimRequest) -> list[FlowRunRow]:
    narrowed: dict[str, Any] = {"before": to_micros(request.before), "limit": request.limit}
    if request.work_queue_ids is not None:
        narrowed["work_queue_ids"] = request.work_queue_ids
    if request.deployment_ids is not None:
        narrowed["deployment_ids"] = request.deployment_ids
    match request:
        case ClaimRequest(work_queue_ids=None, deployment_ids=None):
            statement = compiled.lock_due
        case ClaimRequest(deployment_ids=None):
            statement = compiled.lock_due_in_queues
        case ClaimRequest(work_queue_ids=None):
            statement = compiled.lock_due_of_deployments
        case _:
            statement = compiled.lock_due_in_queues_of_deployments
    return [FlowRunRow._make(values) for values in unit.fetch(statement, **narrowed)]
