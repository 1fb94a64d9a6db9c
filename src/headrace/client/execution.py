"""The verbs of execution over HTTP: each is one call of `schema.calls`, packed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import msgspec

from headrace.base import errors
from headrace.client.heart import Heart
from headrace.client.transport import TIMEOUT, Transport
from headrace.schema import calls
from headrace.schema.checkpoint import Checkpoint, Reopening
from headrace.schema.event import Cursor, EventKind, EventPage
from headrace.schema.fact import Batch
from headrace.schema.flow import Flow, FlowCreate
from headrace.schema.flow_run_input import FlowRunInput, FlowRunInputCreate
from headrace.schema.orchestration import (
    Beat,
    Claim,
    ClaimRequest,
    Decision,
    DueRequest,
    Presence,
    Proposal,
    SlotGrant,
    SlotRequest,
    TaskDecision,
)
from headrace.schema.report import Report
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate, TaskRun, TaskRunCreate
from headrace.schema.state import StateCreate
from headrace.schema.task_worker import WORKER_EPOCH, TaskClaimRequest, TaskClaims
from headrace.schema.wire import encode_leniently, encode_packed
from headrace.schema.work_pool import WorkerBeat

LARGEST_PART = 8 * 2**20
"""About how many bytes of facts travel in one request."""

LONGEST_POLL = 20.0
"""Seconds one request may wait for events: less than what proxies take for a dead connection."""


class RemoteExecution:
    """`gateway.execution.Execution` of a server. It owns its transport, and closes it.

    Attempts that begin through it are beaten for every `interval` seconds until they end. Who watches over a `supervised`
    process beats for the run that was claimed for it; of others, its subflows, only the process knows. Without an interval
    nobody beats, and attempts show no presence.
    """

    def __init__(self, transport: Transport, interval: float | None = None, *, supervised: bool = False) -> None:
        self._transport = transport
        self._seen = threading.local()
        self._heart = Heart(transport, self.beat, interval) if interval else None
        self._supervised = supervised
        self._presence = Presence(kind="beat", interval=interval) if interval else Presence()

    # runs

    def register_flow(self, flow: FlowCreate) -> Flow:
        return self._call("register_flow", calls.RegisterFlow(flow))

    def create_flow_run(self, run: FlowRunCreate, batch: Batch | None = None) -> FlowRun:
        made: FlowRun = self._call("create_flow_run", calls.CreateFlowRun(run, self._lighten(batch)))
        if self._heart is not None and run.presence is not None and made.id == run.id and not _has_ended(made):
            self._heart.begin(made.id, made.epoch)
        return made

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        return self._call("read_flow_run", calls.ReadFlowRun(flow_run_id))

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        self._call("update_flow_run", calls.UpdateFlowRun(flow_run_id, update))

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        light = msgspec.structs.replace(proposal, batch=self._lighten(proposal.batch))
        decision: Decision = self._call("propose_flow_run_state", calls.ProposeFlowRunState(light))
        if self._heart is not None:
            if decision.state is not None and decision.state.is_final():
                self._heart.end(proposal.flow_run_id)
            elif proposal.presence is not None and decision.written and self._is_ours(proposal.flow_run_id):
                self._heart.begin(proposal.flow_run_id, decision.epoch)
        return decision

    def _is_ours(self, flow_run_id: UUID) -> bool:
        """Whether nobody else beats for a run that this process executes."""
        return not self._supervised or (self._heart is not None and self._heart.beats_for(flow_run_id))

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Decision:
        return self._call("resume_flow_run", calls.ResumeFlowRun(flow_run_id, run_input))

    def reopen_flow_run(self, request: Reopening) -> Claim:
        claim: Claim = self._call("reopen_flow_run", calls.ReopenFlowRun(request))
        if self._heart is not None and request.presence is not None:
            self._heart.begin(claim.flow_run.id, claim.epoch)
        return claim

    def list_checkpoints(self, flow_run_id: UUID) -> list[Checkpoint]:
        return self._call("list_checkpoints", calls.ListCheckpoints(flow_run_id))

    def create_task_run(self, run: TaskRunCreate) -> TaskRun:
        return self._call("create_task_run", calls.CreateTaskRun(run))

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        return self._call("read_task_run", calls.ReadTaskRun(task_run_id))

    def propose_task_run_state(self, task_run_id: UUID, state: StateCreate, force: bool = False) -> TaskDecision:
        return self._call("propose_task_run_state", calls.ProposeTaskRunState(task_run_id, state, force))

    # inputs

    def create_flow_run_input(self, flow_run_id: UUID, create: FlowRunInputCreate) -> None:
        self._call("create_flow_run_input", calls.CreateFlowRunInput(flow_run_id, create))

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> FlowRunInput:
        return self._call("read_flow_run_input", calls.ReadFlowRunInput(flow_run_id, key))

    def list_flow_run_inputs(
        self, flow_run_id: UUID, prefix: str, limit: int = 1, exclude_keys: Sequence[str] = ()
    ) -> list[FlowRunInput]:
        call = calls.ListFlowRunInputs(flow_run_id, prefix, limit, [*exclude_keys])
        return self._call("list_flow_run_inputs", call)

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        self._call("delete_flow_run_input", calls.DeleteFlowRunInput(flow_run_id, key))

    # leases

    def beat(self, beats: Sequence[Beat]) -> list[UUID]:
        return self._call("beat", calls.BeatAll([*beats]))

    def crash_if_dead(self) -> int:
        return self._call("crash_if_dead", calls.CrashIfDead())

    def end_attempt(self, flow_run_id: UUID, epoch: int, message: str, late: bool = False) -> bool:
        return self._call("end_attempt", calls.EndAttempt(flow_run_id, epoch, message, late))

    # work

    def claim_flow_runs(self, request: ClaimRequest) -> list[Claim]:
        return self._call("claim_flow_runs", calls.ClaimFlowRuns(request))

    def release_claim(self, flow_run_id: UUID, epoch: int) -> bool:
        return self._call("release_claim", calls.ReleaseClaim(flow_run_id, epoch))

    def list_due_flow_runs(self, request: DueRequest) -> list[FlowRun]:
        return self._call("list_due_flow_runs", calls.ListDueFlowRuns(request))

    def beat_worker(self, beat: WorkerBeat) -> None:
        self._call("beat_worker", calls.BeatWorker(beat))

    # background tasks

    def claim_task_runs(self, request: TaskClaimRequest) -> TaskClaims:
        answer: TaskClaims = self._call("claim_task_runs", calls.ClaimTaskRuns(request))
        if self._heart is not None and not answer.recognised:
            self._heart.begin(request.worker_id, WORKER_EPOCH)
        return answer

    def release_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        return self._call("release_task_run", calls.ReleaseTaskRun(task_run_id, epoch))

    def hand_over_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        return self._call("hand_over_task_run", calls.HandOverTaskRun(task_run_id, epoch))

    def end_task_worker(self, worker_id: UUID) -> bool:
        if self._heart is not None:
            self._heart.end(worker_id)
        return self._call("end_task_worker", calls.EndTaskWorker(worker_id))

    # slots

    def acquire_slots(self, request: SlotRequest) -> SlotGrant:
        return self._call("acquire_slots", calls.AcquireSlots(request))

    def find_limited(self, names: list[str]) -> list[str]:
        return self._call("find_limited", calls.FindLimited(names))

    def renew_slots(self, lease_id: UUID, duration: float) -> bool:
        return self._call("renew_slots", calls.RenewSlots(lease_id, duration))

    def release_slots(self, lease_id: UUID) -> bool:
        return self._call("release_slots", calls.ReleaseSlots(lease_id))

    def release_held_slots(self, names: list[str], occupy: int) -> int:
        return self._call("release_held_slots", calls.ReleaseHeldSlots(names, occupy))

    def withdraw_slot_request(self, request_id: UUID) -> None:
        self._call("withdraw_slot_request", calls.WithdrawSlotRequest(request_id))

    # telemetry

    def deliver(self, batch: Batch) -> int:
        rest = self._lighten(batch)
        return self._call("deliver", calls.Deliver(batch if rest is None else rest))

    def report(self, reports: Sequence[Report]) -> None:
        self._call("report", calls.ReportAll([*reports]))

    # live

    def read_events(self, after: Cursor, limit: int = 500, kinds: tuple[EventKind, ...] = ()) -> EventPage:
        page: EventPage = self._call("read_events", calls.ReadEvents(after, limit, kinds))
        self._seen.cursor = page.cursor
        return page

    def last_cursor(self) -> Cursor:
        self._seen.cursor = cursor = self._call("last_cursor", calls.LastCursor())
        return cursor

    def wait_for_events(self, timeout: float) -> bool:
        after: Cursor | None = getattr(self._seen, "cursor", None)
        return self._call("wait_for_events", calls.WaitForEvents(after, min(timeout, LONGEST_POLL)))

    # life

    def ledger(self) -> None:
        return None

    def presence(self) -> Presence:
        return self._presence

    def close(self) -> None:
        if self._heart is not None:
            self._heart.stop()
        self._transport.close()

    def _call(self, verb: str, call: calls.Call) -> Any:
        route, answers = _route(verb)
        content, media = _encode(call)
        patience = TIMEOUT + call.timeout if isinstance(call, calls.WaitForEvents) else TIMEOUT
        answer = self._transport.send(
            "POST", f"{calls.PREFIX}/{route.path}", content, media=media, timeout=patience, repeatable=True
        )
        try:
            return answers[media].decode(answer)
        except msgspec.DecodeError as error:
            raise errors.GatewayError(
                f"The server at {self._transport.shown} answers in a form that this version does not read: {error}."
            ) from None

    def _lighten(self, batch: Batch | None) -> Batch | None:
        """Deliver all but the last part of a batch that is too large for one request, and return that part."""
        if batch is None:
            return None
        *before, last = cut(batch, LARGEST_PART)
        for part in before:
            self._call("deliver", calls.Deliver(part))
        return last


def _has_ended(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def cut(batch: Batch, largest: int) -> list[Batch]:
    """The batch in parts of about `largest` bytes each; one fact is never cut."""
    parts = [batch]
    while any(len(part.facts) > 1 and _weigh(part) > largest for part in parts):
        parts = [half for part in parts for half in (_halve(part) if _weigh(part) > largest else (part,))]
    return parts


def _halve(batch: Batch) -> tuple[Batch, ...]:
    middle = len(batch.facts) // 2
    if not middle:
        return (batch,)
    first, second = batch.facts[:middle], batch.facts[middle:]
    return (
        Batch(batch.journal_id, batch.first, first, batch.attempts),
        Batch(batch.journal_id, batch.first + middle, second, batch.attempts),
    )


def _weigh(batch: Batch) -> int:
    return len(_encode(batch)[0])


def _encode(value: Any) -> tuple[bytes, str]:
    """The bytes of a body, and what they are: JSON where only that can hold it, as for numbers of more than 64 bits."""
    try:
        return encode_packed(value), calls.MSGPACK
    except (ValueError, OverflowError):
        return encode_leniently(value), calls.JSON


@cache
def _route(verb: str) -> tuple[calls.Route, dict[str, Any]]:
    """Where a verb is called, and what reads its answer."""
    route = next(route for route in (*calls.ROUTES, calls.WAIT) if route.verb == verb)
    return route, {
        calls.MSGPACK: msgspec.msgpack.Decoder(route.answer),
        calls.JSON: msgspec.json.Decoder(route.answer),
    }
