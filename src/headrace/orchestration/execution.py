"""The verbs of execution over a database: each is one unit of work, whose use case is a room of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock
from headrace.base.errors import HeadraceError
from headrace.orchestration import (
    claims,
    deaths,
    events,
    facts,
    flow_runs,
    flows,
    leases,
    places,
    proposals,
    slots,
    task_claims,
    task_runs,
)
from headrace.orchestration.desk import Desk
from headrace.orchestration.reports import store_reports
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
from headrace.schema.task_worker import TaskClaimRequest, TaskClaims
from headrace.schema.work_pool import WorkerBeat
from headrace.schema.workspace import DEFAULT_SCOPE, Scope
from headrace.storage.database import Database


class OrchestratedExecution:
    """`gateway.execution.Execution` over a database, for one workspace. It owns the database: closing closes both."""

    def __init__(self, database: Database, scope: Scope = DEFAULT_SCOPE, clock: Clock = SYSTEM) -> None:
        self._desk = Desk(database, scope, clock)
        self._seen = threading.local()

    # runs

    def register_flow(self, flow: FlowCreate) -> Flow:
        return self._desk.write(lambda unit: flows.register_flow(unit, flow))

    def create_flow_run(self, run: FlowRunCreate, batch: Batch | None = None) -> FlowRun:
        return self._desk.write(lambda unit: flow_runs.create_flow_run(unit, run, batch))

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        return self._desk.read(lambda unit: flow_runs.read_flow_run(unit, flow_run_id))

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        self._desk.write(lambda unit: flow_runs.update_flow_run(unit, flow_run_id, update))

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        decision = self._desk.write(lambda unit: proposals.propose(unit, proposal))
        if isinstance(decision, HeadraceError):
            raise decision
        return decision

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Decision:
        from headrace.orchestration import inputs

        decision = self._desk.write(lambda unit: inputs.resume_flow_run(unit, flow_run_id, run_input))
        if isinstance(decision, HeadraceError):
            raise decision
        return decision

    def reopen_flow_run(self, request: Reopening) -> Claim:
        from headrace.orchestration import attempts

        return self._desk.write(lambda unit: attempts.reopen_flow_run(unit, request))

    def list_checkpoints(self, flow_run_id: UUID) -> list[Checkpoint]:
        from headrace.orchestration import attempts

        return self._desk.read(lambda unit: attempts.list_checkpoints(unit, flow_run_id))

    def create_task_run(self, run: TaskRunCreate) -> TaskRun:
        return self._desk.write(lambda unit: task_runs.create_task_run(unit, run))

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        return self._desk.read(lambda unit: task_runs.read_task_run(unit, task_run_id))

    def propose_task_run_state(self, task_run_id: UUID, state: StateCreate, force: bool = False) -> TaskDecision:
        return self._desk.write(lambda unit: task_runs.propose_task_run_state(unit, task_run_id, state, force))

    # inputs, whose queries a script that only records has no use for

    def create_flow_run_input(self, flow_run_id: UUID, create: FlowRunInputCreate) -> None:
        from headrace.orchestration import inputs

        self._desk.write(lambda unit: inputs.create_flow_run_input(unit, flow_run_id, create))

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> FlowRunInput:
        from headrace.orchestration import inputs

        return self._desk.read(lambda unit: inputs.read_flow_run_input(unit, flow_run_id, key))

    def list_flow_run_inputs(
        self, flow_run_id: UUID, prefix: str, limit: int = 1, exclude_keys: Sequence[str] = ()
    ) -> list[FlowRunInput]:
        from headrace.orchestration import inputs

        return self._desk.read(lambda unit: inputs.list_flow_run_inputs(unit, flow_run_id, prefix, limit, exclude_keys))

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        from headrace.orchestration import inputs

        self._desk.write(lambda unit: inputs.delete_flow_run_input(unit, flow_run_id, key))

    # leases

    def beat(self, beats: Sequence[Beat]) -> list[UUID]:
        return self._desk.write(lambda unit: leases.beat(unit, beats))

    def crash_if_dead(self) -> int:
        return deaths.crash_if_dead(self._desk)

    def end_attempt(self, flow_run_id: UUID, epoch: int, message: str, late: bool = False) -> bool:
        return deaths.end_attempt(self._desk, flow_run_id, epoch, message, late)

    # work

    def claim_flow_runs(self, request: ClaimRequest) -> list[Claim]:
        return self._desk.write(lambda unit: claims.claim_flow_runs(unit, request))

    def list_due_flow_runs(self, request: DueRequest) -> list[FlowRun]:
        return self._desk.write(lambda unit: claims.list_due_flow_runs(unit, request))

    def beat_worker(self, beat: WorkerBeat) -> None:
        self._desk.write(lambda unit: places.beat_worker(unit, beat))

    def release_claim(self, flow_run_id: UUID, epoch: int) -> bool:
        return self._desk.write(lambda unit: claims.release_claim(unit, flow_run_id, epoch))

    # background tasks

    def claim_task_runs(self, request: TaskClaimRequest) -> TaskClaims:
        return self._desk.write(lambda unit: task_claims.claim_task_runs(unit, request))

    def release_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        return self._desk.write(lambda unit: task_claims.release_task_run(unit, task_run_id, epoch))

    def hand_over_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        return self._desk.write(lambda unit: task_claims.hand_over_task_run(unit, task_run_id, epoch))

    def end_task_worker(self, worker_id: UUID) -> bool:
        return self._desk.write(lambda unit: task_claims.end_task_worker(unit, worker_id))

    # slots

    def acquire_slots(self, request: SlotRequest) -> SlotGrant:
        return self._desk.write(lambda unit: slots.acquire_slots(unit, request))

    def find_limited(self, names: list[str]) -> list[str]:
        return self._desk.read(lambda unit: slots.find_limited(unit, names))

    def renew_slots(self, lease_id: UUID, duration: float) -> bool:
        return self._desk.write(lambda unit: slots.renew_slots(unit, lease_id, duration))

    def release_slots(self, lease_id: UUID) -> bool:
        return self._desk.write(lambda unit: slots.release_slots(unit, lease_id))

    def release_held_slots(self, names: list[str], occupy: int) -> int:
        return self._desk.write(lambda unit: slots.release_held_slots(unit, names, occupy))

    def withdraw_slot_request(self, request_id: UUID) -> None:
        self._desk.write(lambda unit: slots.withdraw_slot_request(unit, request_id))

    # telemetry

    def deliver(self, batch: Batch) -> int:
        return self._desk.write(lambda unit: facts.store_batch(unit, batch))

    def report(self, reports: Sequence[Report]) -> None:
        self._desk.write(lambda unit: store_reports(unit, reports))

    # live

    def read_events(self, after: Cursor, limit: int = 500, kinds: tuple[EventKind, ...] = ()) -> EventPage:
        # Taken before reading, so that what is committed meanwhile ends the next wait at once.
        self._seen.moment = self._desk.database.moment()
        return self._desk.read(lambda unit: events.read_events(unit, after, limit, kinds))

    def last_cursor(self) -> Cursor:
        self._seen.moment = self._desk.database.moment()
        return self._desk.read(events.last_cursor)

    def wait_for_events(self, timeout: float) -> bool:
        return self._desk.database.wait(timeout, getattr(self._seen, "moment", None))

    # life

    def presence(self) -> Presence:
        return Presence(kind="lock", name=self._desk.database.presence())

    def ledger(self) -> str | None:
        path = self._desk.database.ledger()
        return None if path is None else f"{path}-{self._desk.scope.workspace_id.hex}"

    def close(self) -> None:
        self._desk.close()
