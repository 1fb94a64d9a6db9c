"""The verbs of execution as calls over HTTP: one path and one body for each, shared by Headrace's client and server.

A body is JSON or MessagePack, as its content type says, and is answered in kind. Its fields are the parameters of the
verb of the same name in `gateway.execution`.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

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
    Proposal,
    SlotGrant,
    SlotRequest,
    TaskDecision,
)
from headrace.schema.report import Report
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate, TaskRun, TaskRunCreate
from headrace.schema.state import StateCreate
from headrace.schema.task_worker import TaskClaimRequest, TaskClaims
from headrace.schema.work_pool import WorkerBeat

PREFIX = "/execution"
JSON = "application/json"
MSGPACK = "application/msgpack"


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of a verb."""


class RegisterFlow(Call, frozen=True):
    """`register_flow`"""

    flow: FlowCreate


class CreateFlowRun(Call, frozen=True):
    """`create_flow_run`"""

    run: FlowRunCreate
    batch: Batch | None = None


class ReadFlowRun(Call, frozen=True):
    """`read_flow_run`"""

    flow_run_id: UUID


class UpdateFlowRun(Call, frozen=True):
    """`update_flow_run`"""

    flow_run_id: UUID
    update: FlowRunUpdate


class ProposeFlowRunState(Call, frozen=True):
    """`propose_flow_run_state`"""

    proposal: Proposal


class ResumeFlowRun(Call, frozen=True):
    """`resume_flow_run`"""

    flow_run_id: UUID
    run_input: dict[str, Any] | None = None


class CreateFlowRunInput(Call, frozen=True):
    """`create_flow_run_input`"""

    flow_run_id: UUID
    create: FlowRunInputCreate


class ReadFlowRunInput(Call, frozen=True):
    """`read_flow_run_input`"""

    flow_run_id: UUID
    key: str


class ListFlowRunInputs(Call, frozen=True):
    """`list_flow_run_inputs`"""

    flow_run_id: UUID
    prefix: str
    limit: Annotated[int, Meta(ge=1, le=200)]
    exclude_keys: list[str]


class DeleteFlowRunInput(Call, frozen=True):
    """`delete_flow_run_input`"""

    flow_run_id: UUID
    key: str


class CreateTaskRun(Call, frozen=True):
    """`create_task_run`"""

    run: TaskRunCreate


class ReadTaskRun(Call, frozen=True):
    """`read_task_run`"""

    task_run_id: UUID


class BeatAll(Call, frozen=True):
    """`beat`"""

    beats: list[Beat]


class CrashIfDead(Call, frozen=True):
    """`crash_if_dead`"""


class EndAttempt(Call, frozen=True):
    """`end_attempt`"""

    flow_run_id: UUID
    epoch: int
    message: str
    late: bool = False


class ReopenFlowRun(Call, frozen=True):
    """`reopen_flow_run`"""

    request: Reopening


class ListCheckpoints(Call, frozen=True):
    """`list_checkpoints`"""

    flow_run_id: UUID


class ClaimFlowRuns(Call, frozen=True):
    """`claim_flow_runs`"""

    request: ClaimRequest


class ReleaseClaim(Call, frozen=True):
    """`release_claim`"""

    flow_run_id: UUID
    epoch: int


class ListDueFlowRuns(Call, frozen=True):
    """`list_due_flow_runs`"""

    request: DueRequest


class BeatWorker(Call, frozen=True):
    """`beat_worker`"""

    beat: WorkerBeat


class ClaimTaskRuns(Call, frozen=True):
    """`claim_task_runs`"""

    request: TaskClaimRequest


class ReleaseTaskRun(Call, frozen=True):
    """`release_task_run`"""

    task_run_id: UUID
    epoch: int


class HandOverTaskRun(Call, frozen=True):
    """`hand_over_task_run`"""

    task_run_id: UUID
    epoch: int


class EndTaskWorker(Call, frozen=True):
    """`end_task_worker`"""

    worker_id: UUID


class AcquireSlots(Call, frozen=True):
    """`acquire_slots`"""

    request: SlotRequest


class FindLimited(Call, frozen=True):
    """`find_limited`"""

    names: list[str]


class RenewSlots(Call, frozen=True):
    """`renew_slots`"""

    lease_id: UUID
    duration: float


class ReleaseSlots(Call, frozen=True):
    """`release_slots`"""

    lease_id: UUID


class WithdrawSlotRequest(Call, frozen=True):
    """`withdraw_slot_request`"""

    request_id: UUID


class ReleaseHeldSlots(Call, frozen=True):
    """`release_held_slots`"""

    names: list[str]
    occupy: int


class ProposeTaskRunState(Call, frozen=True):
    """`propose_task_run_state`"""

    task_run_id: UUID
    state: StateCreate
    force: bool = False


class Deliver(Call, frozen=True):
    """`deliver`"""

    batch: Batch


class ReportAll(Call, frozen=True):
    """`report`"""

    reports: list[Report]


class ReadEvents(Call, frozen=True):
    """`read_events`"""

    after: Cursor
    limit: int = 500
    kinds: tuple[EventKind, ...] = ()


class LastCursor(Call, frozen=True):
    """`last_cursor`"""


class WaitForEvents(Call, frozen=True):
    """`wait_for_events`, with the place up to which the caller has read; without one, it waits for what comes now."""

    after: Cursor | None
    timeout: Annotated[float, Meta(ge=0, le=60)]


class Route(Struct, frozen=True):
    """Where a verb is called: `POST <prefix>/<path>`, with which body, and what it answers."""

    verb: str
    path: str
    call: type[Call]
    answer: Any


ROUTES: tuple[Route, ...] = (
    Route("register_flow", "flows", RegisterFlow, Flow),
    Route("create_flow_run", "flow-runs", CreateFlowRun, FlowRun),
    Route("read_flow_run", "flow-runs/read", ReadFlowRun, FlowRun),
    Route("update_flow_run", "flow-runs/update", UpdateFlowRun, None),
    Route("propose_flow_run_state", "proposals", ProposeFlowRunState, Decision),
    Route("resume_flow_run", "flow-runs/resume", ResumeFlowRun, Decision),
    Route("reopen_flow_run", "flow-runs/reopen", ReopenFlowRun, Claim),
    Route("list_checkpoints", "flow-runs/checkpoints", ListCheckpoints, list[Checkpoint]),
    Route("create_flow_run_input", "inputs", CreateFlowRunInput, None),
    Route("read_flow_run_input", "inputs/read", ReadFlowRunInput, FlowRunInput),
    Route("list_flow_run_inputs", "inputs/list", ListFlowRunInputs, list[FlowRunInput]),
    Route("delete_flow_run_input", "inputs/delete", DeleteFlowRunInput, None),
    Route("create_task_run", "task-runs", CreateTaskRun, TaskRun),
    Route("read_task_run", "task-runs/read", ReadTaskRun, TaskRun),
    Route("propose_task_run_state", "task-runs/proposals", ProposeTaskRunState, TaskDecision),
    Route("beat", "beats", BeatAll, list[UUID]),
    Route("crash_if_dead", "deaths", CrashIfDead, int),
    Route("end_attempt", "attempts/end", EndAttempt, bool),
    Route("claim_flow_runs", "claims", ClaimFlowRuns, list[Claim]),
    Route("release_claim", "claims/release", ReleaseClaim, bool),
    Route("list_due_flow_runs", "claims/due", ListDueFlowRuns, list[FlowRun]),
    Route("beat_worker", "workers/beats", BeatWorker, None),
    Route("claim_task_runs", "task-runs/claims", ClaimTaskRuns, TaskClaims),
    Route("release_task_run", "task-runs/release", ReleaseTaskRun, bool),
    Route("hand_over_task_run", "task-runs/hand-over", HandOverTaskRun, bool),
    Route("end_task_worker", "task-workers/end", EndTaskWorker, bool),
    Route("acquire_slots", "slots", AcquireSlots, SlotGrant),
    Route("find_limited", "slots/limited", FindLimited, list[str]),
    Route("renew_slots", "slots/renew", RenewSlots, bool),
    Route("release_slots", "slots/release", ReleaseSlots, bool),
    Route("release_held_slots", "slots/release-held", ReleaseHeldSlots, int),
    Route("withdraw_slot_request", "slots/withdraw", WithdrawSlotRequest, None),
    Route("deliver", "journal", Deliver, int),
    Route("report", "reports", ReportAll, None),
    Route("read_events", "events", ReadEvents, EventPage),
    Route("last_cursor", "events/last", LastCursor, Cursor),
)
"""Every verb of execution that is answered at once."""

WAIT = Route("wait_for_events", "events/wait", WaitForEvents, bool)
"""The one verb that waits: a request is held open for it."""

LOCAL_VERBS = frozenset({"presence", "ledger", "close"})
"""The verbs that each process answers for itself."""
