"""What lifecycles ask for, as values: a test compares them, a driver performs them."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from headrace.base.errors import GatewayError, HeadraceError, MissingResult, ObjectAlreadyExists
from headrace.engine.checkpoints import Checkpoints
from headrace.engine.results import Result, StoredResult, result_fact
from headrace.engine.serializers import Serializer
from headrace.engine.session import Session
from headrace.engine.slots import Lease
from headrace.schema.checkpoint import Reopening
from headrace.schema.flow import FlowCreate
from headrace.schema.flow_run_input import FlowRunInputCreate
from headrace.schema.orchestration import Claim, Decision, Proposal, SlotGrant, SlotRequest
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate

log = logging.getLogger("headrace.results")


class CreateFlowRun(Struct, frozen=True):
    """Registers the flow, if this process has not done so yet, and creates a run of it."""

    flow: FlowCreate
    run: FlowRunCreate

    def perform(self, session: Session) -> FlowRun:
        """Return the run as stored."""
        self.run.presence = session.gateway.presence()
        return session.create_flow_run(self.flow, self.run)


class TakeUpFlowRun(Struct, frozen=True):
    """Tells the orchestrator more of a run that it has made already."""

    run: FlowRun
    told: FlowRunUpdate

    def perform(self, session: Session) -> FlowRun:
        """Return the run as it is now."""
        session.patiently(lambda: session.gateway.update_flow_run(self.run.id, self.told))
        return self.run


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


class ReadFlowRun(Struct, frozen=True):
    """Asks how a flow run stands."""

    flow_run_id: UUID

    def perform(self, session: Session) -> FlowRun:
        """Return the run as it is now."""
        return session.patiently(lambda: session.gateway.read_flow_run(self.flow_run_id))


class LeaveInput(Struct, frozen=True):
    """Leaves a text for a flow run, unless one with that key is there already."""

    flow_run_id: UUID
    create: FlowRunInputCreate

    def perform(self, session: Session) -> None:
        """Have it kept."""
        with contextlib.suppress(ObjectAlreadyExists):
            session.patiently(lambda: session.gateway.create_flow_run_input(self.flow_run_id, self.create))


class ReadInput(Struct, frozen=True):
    """Asks for the text that was left for a flow run under a key."""

    flow_run_id: UUID
    key: str

    def perform(self, session: Session) -> str:
        """Return the text. Raises `ObjectNotFound`."""
        return session.patiently(lambda: session.gateway.read_flow_run_input(self.flow_run_id, self.key)).value


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
    cache_key: str | None = None
    key_folder: Path | None = None
    packed: bool = False

    def perform(self, session: Session) -> Result:
        """Return a live handle on the value. Raises `SerializationError` when it cannot be kept."""
        record = session.results.write(
            self.storage_key,
            self.value,
            self.serializer,
            self.expiration,
            self.folder,
            self.cache_key,
            packed=self.packed,
        )
        if self.key_folder is not None and self.cache_key is not None:
            from headrace.engine.keys import note_key

            note_key(self.key_folder, self.cache_key, record)
        session.emit(result_fact(record, self.flow_run_id, self.task_run_id))
        result = Result(self.value, record, session.results)
        if not self.in_memory:
            result.forget()
        return result


class RestoreResult(Struct, frozen=True):
    """Reads the value of a run that ended in an earlier attempt."""

    record: StoredResult
    in_memory: bool = True

    def perform(self, session: Session) -> Result:
        """Return a live handle on the value. Raises `MissingResult` when it cannot be read."""
        try:
            value = session.results.read(self.record.storage_key, Path(self.record.location))
        except HeadraceError as error:
            reason = str(error).rstrip(".")
            raise MissingResult(f"{reason}. Run the flow run again from this task to have it made anew.") from None
        result = Result(value, self.record, session.results)
        if not self.in_memory:
            result.forget()
        return result


class ReadCheckpoints(Struct, frozen=True):
    """Asks what earlier attempts of a flow run have left behind."""

    flow_run_id: UUID

    def perform(self, session: Session) -> Checkpoints:
        """Return it, to be looked through."""
        return Checkpoints(
            session.patiently(lambda: session.gateway.list_checkpoints(self.flow_run_id)), session.results
        )


class Reopen(Struct, frozen=True):
    """Takes up a flow run that an earlier attempt has left behind."""

    request: Reopening

    def perform(self, session: Session) -> Claim:
        """Return the run, under the epoch of the new attempt; the caller's to execute."""
        request = msgspec.structs.replace(self.request, presence=session.gateway.presence())
        session.patiently(session.journal.flush)  # the task run that stands for it has to be known
        return session.patiently(lambda: session.gateway.reopen_flow_run(request))


class KeepValue(Struct, frozen=True):
    """Keeps the value of a transaction under its key."""

    store: Any
    key: str
    value: Any
    serializer: Serializer | str
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None

    def perform(self, session: Session) -> Result:
        """Return a live handle on the value. Raises `SerializationError` when it cannot be kept."""
        record = self.store.write(self.key, self.value, self.serializer)
        session.emit(result_fact(record, self.flow_run_id, self.task_run_id))
        return Result(self.value, record, self.store)


class FindResult(Struct, frozen=True):
    """Looks for a value kept under a key for calls with this cache key."""

    storage_key: str
    folder: Path | None = None
    cache_key: str | None = None
    in_memory: bool = True
    key_folder: Path | None = None

    def perform(self, session: Session) -> Result | None:
        """Return a live handle on the value, or None when there is none that has not expired and can be read."""
        storage_key, folder = self.storage_key, self.folder
        if self.key_folder is not None and self.cache_key is not None:
            from headrace.engine.keys import find_key

            known = find_key(self.key_folder, self.cache_key)
            if known is None:
                return None
            storage_key, folder = known.storage_key, Path(known.location)
        record = session.results.find(storage_key, folder, self.cache_key)
        if record is None:
            return None
        try:
            value = session.results.read(record.storage_key, Path(record.location))
        except HeadraceError as error:
            log.warning("A cached value is computed anew: %s", error)
            return None
        result = Result(value, record, session.results)
        if not self.in_memory:
            result.forget()
        return result


class Holder(Protocol):
    """Where a lease is kept as soon as it is granted: whoever asked may have been interrupted meanwhile."""

    lease: Lease | None


class TakeSlots(Struct, frozen=True):
    """Takes slots, or a place in line whose turn the live channel listens for. Once granted they are kept.

    `patient` waits for an orchestrator that cannot be reached.
    """

    request: SlotRequest
    holder: Holder
    patient: bool = True

    def perform(self, session: Session) -> SlotGrant:
        """Return a lease, or when to ask again."""
        request = self.request
        grant = self._ask(session)
        if grant.lease_id is None and request.queue and session.live.expect(request.request_id):
            grant = self._ask(session)  # what came free before the log was listened to has called nobody here
        if grant.lease_id is not None:
            self.holder.lease = Lease(grant.lease_id, grant.names, request.duration)
            if grant.names and request.mode == "concurrency":
                session.slots.hold(self.holder.lease)
        return grant

    def _ask(self, session: Session) -> SlotGrant:
        if not self.patient:
            return session.gateway.acquire_slots(self.request)
        return session.patiently(lambda: session.gateway.acquire_slots(self.request))


class GiveSlotsBack(Struct, frozen=True):
    """Gives slots back."""

    lease: Lease

    def perform(self, session: Session) -> None:
        """Do it, or say that they come free by themselves."""
        session.slots.release(self.lease)


class LeaveLine(Struct, frozen=True):
    """Gives up a place in line, and the slots if they were granted meanwhile."""

    request_id: UUID

    def perform(self, session: Session) -> None:
        """Do it. Where nobody answers, who does not ask again is forgotten by himself."""
        with contextlib.suppress(GatewayError):
            session.gateway.withdraw_slot_request(self.request_id)


class FindLimited(Struct, frozen=True):
    """Finds out which names have a limit."""

    names: list[str]

    def perform(self, session: Session) -> list[str]:
        """Return those of the names that have one."""
        limited = session.patiently(lambda: session.gateway.find_limited(self.names))
        session.slots.note_limited(self.names, limited)
        return limited
