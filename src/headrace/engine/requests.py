"""What lifecycles ask for, as values: a test compares them, a driver performs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct

from headrace.engine.results import Result, result_fact
from headrace.engine.serializers import Serializer
from headrace.engine.session import Session
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate


class CreateFlowRun(Struct, frozen=True):
    """Registers the flow, if this process has not done so yet, and creates a run of it."""

    flow: FlowCreate
    run: FlowRunCreate

    def perform(self, session: Session) -> FlowRun:
        """Return the run as stored."""
        self.run.flow_id = session.register_flow(self.flow)
        return session.create_flow_run(self.run)


class ReadFlowRun(Struct, frozen=True):
    """Reads a flow run that exists already."""

    flow_run_id: UUID

    def perform(self, session: Session) -> FlowRun:
        """Return the run as stored."""
        return session.patiently(lambda: session.gateway.read_flow_run(self.flow_run_id))


class UpdateFlowRun(Struct, frozen=True):
    """Changes a flow run."""

    flow_run_id: UUID
    update: FlowRunUpdate

    def perform(self, session: Session) -> None:
        """Make the change."""
        session.patiently(lambda: session.gateway.update_flow_run(self.flow_run_id, self.update))


class Propose(Struct, frozen=True):
    """Proposes a flow-run state; an attempt that begins shows its presence the way this process does."""

    proposal: Proposal

    def perform(self, session: Session) -> Decision:
        """Return what was decided, and remember the epoch the run is executed under."""
        proposal = self.proposal
        if proposal.state.type == "RUNNING":
            proposal.presence = session.gateway.presence()
        decision = session.propose(proposal)
        if decision.state is not None and decision.state.is_final():
            session.attempts.pop(proposal.flow_run_id, None)
        else:
            session.attempts[proposal.flow_run_id] = decision.epoch
        return decision


class StoreResult(Struct, frozen=True):
    """Keeps a value and journals where it is kept."""

    value: Any
    storage_key: str
    serializer: Serializer | str
    folder: Path | None = None
    expiration: int | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
    in_memory: bool = True

    def perform(self, session: Session) -> Result:
        """Return a live handle on the value."""
        record = session.results.write(self.storage_key, self.value, self.serializer, self.expiration, self.folder)
        session.emit(result_fact(record, self.flow_run_id, self.task_run_id))
        result = Result(self.value, record, session.results)
        if not self.in_memory:
            result.forget()
        return result


class FindResult(Struct, frozen=True):
    """Looks for a value kept under a cache key."""

    storage_key: str
    folder: Path | None = None

    def perform(self, session: Session) -> Result | None:
        """Return a live handle on the value, or None when there is none that has not expired."""
        record = session.results.find(self.storage_key, self.folder)
        return None if record is None else Result(record=record, store=session.results)
