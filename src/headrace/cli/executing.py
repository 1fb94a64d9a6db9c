"""Executing a run of a deployment in this process, which nobody supervises: for those whose infrastructure starts it."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from msgspec import structs

from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.cli.texts import one_line
from headrace.rules.transitions import INFRASTRUCTURE_PENDING
from headrace.schema.orchestration import Claim, Decision, Proposal
from headrace.schema.state import StateCreate, StateType

if TYPE_CHECKING:
    from headrace.cli.invocation import Invocation
    from headrace.schema.run import FlowRun

WAITING = frozenset({StateType.SCHEDULED, StateType.PENDING})
"""How a run stands that has not begun."""


def execute_here(run: FlowRun, invocation: Invocation) -> None:
    """Take a run and execute it. Exits with 1 when it does not complete.

    Raises `InvalidRequest` when it does not wait to be executed, `ConfigurationError` when it is not known what it is.
    """
    shown = f"Flow run {one_line(run.name)} ({run.id})"
    if run.state_type not in WAITING:
        raise InvalidRequest(f"{shown} is {run.state_name}: only a run that waits to begin can be executed.")
    from headrace.workers.execution import execute
    from headrace.workers.jobs import draw_up

    with invocation.administration() as administration:
        try:
            charge = draw_up(Claim(flow_run=run, epoch=0), administration, invocation.environ)
        except ConfigurationError as error:
            raise ConfigurationError(f"{shown} cannot be executed: {error}") from None
    try:
        decision = _take(run, invocation)
        if not decision.written:
            raise InvalidRequest(f"{shown} cannot be executed. {decision.reason or ''}".strip())
        claim = Claim(flow_run=decision.flow_run, epoch=decision.epoch)
        code = execute(structs.replace(charge, claim=claim), supervised=False)
    finally:
        shutil.rmtree(charge.folder, ignore_errors=True)
    if code:
        sys.exit(1)


def _take(run: FlowRun, invocation: Invocation) -> Decision:
    """Make the run this process's: Pending, under a name that whoever handed it over has not used."""
    name = INFRASTRUCTURE_PENDING if run.state_type is StateType.PENDING else None
    state = StateCreate(type=StateType.PENDING, name=name, message="Taken by `headrace flow-run execute`.")
    with invocation.execution() as execution:
        return execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=state))
