"""What engines, workers and supervisors may ask.

Verbs are synchronous and short: none waits for anything but its own transaction. Every verb is bound to one workspace.
All raise `Unavailable` when nothing answers in time (the request may be repeated: every verb is idempotent by the ids it
carries), and `InvalidRequest` when the request cannot mean anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

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


class Execution(Protocol):
    """The verbs of execution: runs, work, slots, telemetry."""

    # runs

    def register_flow(self, flow: FlowCreate) -> Flow:
        """Make the flow known and return it. The same name again returns the same flow and adds no second one."""
        ...

    def create_flow_run(self, run: FlowRunCreate, batch: Batch | None = None) -> FlowRun:
        """Create a flow run and return it as stored.

        The same `id`, or the same (flow_id, idempotency_key), again returns the run that exists. Without a state the
        run is PENDING. `batch` is stored first, in the same transaction, so a subflow's parent task run exists.
        Raises `ObjectNotFound` when the flow does not exist.
        """
        ...

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        """Return the flow run. Raises `ObjectNotFound`."""
        ...

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        """Change what the update names; what it leaves out stays. Raises `ObjectNotFound`."""
        ...

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        """Ask that a flow run enter a state, and return what was decided.

        Decided in one transaction by the rules; the batch carried along is stored first and stays stored whatever is
        decided. ACCEPT: the run is in the proposed state. REJECT: the run is in another one, returned. WAIT: ask again
        after `delay` seconds. ABORT: stop working on the run. A state that begins an attempt raises the run's epoch and
        takes its lease; a final state gives the lease back. The child state of a subflow is mirrored on its parent task
        run. Every accepted state appends its event in the same transaction.
        Raises `ObjectNotFound`, and `StaleEpoch` when the proposal's epoch is not the run's: the attempt is fenced.
        """
        ...

    def resume_flow_run(self, flow_run_id: UUID, run_input: dict[str, Any] | None = None) -> Decision:
        """Let a paused run go on, and return what was decided.

        One whose process waits is RUNNING again; one that is suspended is SCHEDULED, to start from the top. `run_input` is
        what the run asks for: it is kept for it, in the same transaction, under the key that the run has named. ABORT: the
        run is not paused, or asks for nothing. REJECT: its time has passed, or the input does not fit its schema; then it
        is paused still. Raises `ObjectNotFound`.
        """
        ...

    def reopen_flow_run(self, request: Reopening) -> Claim:
        """Let a run that has ended begin another attempt, and return it with the attempt's epoch.

        With a presence it is the caller's to execute, PENDING; without, it is SCHEDULED, for a worker of its deployment. What
        earlier attempts finished is found by `list_checkpoints`, but for what `from_task` leaves out. One that has not ended
        is taken away from its attempt if a new attempt of its parent takes it up. Raises `ObjectNotFound`, `StaleEpoch` when
        that attempt is over itself, and `InvalidRequest` for a run that has not ended, that nobody could start, or without
        such a task, and for parameters that do not fit its deployment.
        """
        ...

    def list_checkpoints(self, flow_run_id: UUID) -> list[Checkpoint]:
        """Return the calls with an identity that attempts of the run have made, oldest first, ended or not."""
        ...

    def create_task_run(self, run: TaskRunCreate) -> TaskRun:
        """Create a task run whose life others decide (placeholders of subflows, background runs).

        The same (flow_run_id, task_key, dynamic_key) again returns the run that exists. A SCHEDULED state that is deferred
        makes it a background run, which a worker of its task takes when it is due.
        """
        ...

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        """Return the task run. Raises `ObjectNotFound`."""
        ...

    def propose_task_run_state(self, task_run_id: UUID, state: StateCreate, force: bool = False) -> TaskDecision:
        """Ask that a task run whose life others decide enter a state, and return what was decided.

        ACCEPT: the run is in the proposed state. REJECT: it has ended, its state is returned. ABORT: no such step is
        possible; with `force` every step is. Raises `ObjectNotFound`.
        """
        ...

    # inputs

    def create_flow_run_input(self, flow_run_id: UUID, create: FlowRunInputCreate) -> None:
        """Leave a text for a flow run. Raises `ObjectNotFound` without the run, `ObjectAlreadyExists` for a key in use."""
        ...

    def read_flow_run_input(self, flow_run_id: UUID, key: str) -> FlowRunInput:
        """Return what was left for a flow run under a key. Raises `ObjectNotFound`."""
        ...

    def list_flow_run_inputs(
        self, flow_run_id: UUID, prefix: str, limit: int = 1, exclude_keys: Sequence[str] = ()
    ) -> list[FlowRunInput]:
        """Return what was left under keys that begin with a prefix and are not excluded, oldest first, at most `limit`."""
        ...

    def delete_flow_run_input(self, flow_run_id: UUID, key: str) -> None:
        """Delete what was left for a flow run under a key. Raises `ObjectNotFound`."""
        ...

    # leases

    def beat(self, beats: Sequence[Beat]) -> list[UUID]:
        """Show that attempts, or task workers, are alive; return those that are fenced and must end themselves."""
        ...

    def crash_if_dead(self) -> int:
        """Look once at every lease whose holder's death can be seen at once (locks); return how many have died.

        Their flow runs crash. What a task worker had is offered again; a run that three workers have died with crashes.
        """
        ...

    def end_attempt(self, flow_run_id: UUID, epoch: int, message: str, late: bool = False) -> bool:
        """Say that what executed an attempt has ended; the run crashes, for this reason, if it still is that attempt's.

        With `late` it was ended because of a time limit, so the run has failed as TimedOut, or, if it has retries left and a
        deployment, waits to be started again. False when the attempt does not hold the run: the run has ended, is suspended
        or waits for its start, or another attempt holds it.
        """
        ...

    # work

    def claim_flow_runs(self, request: ClaimRequest) -> list[Claim]:
        """Take scheduled runs that are due: each becomes PENDING under a new epoch, and nobody else's.

        Two claimants never get the same run. Oldest expected start first, within queues of the same priority.
        Raises `ObjectNotFound` for a work pool that does not exist.
        """
        ...

    def list_due_flow_runs(self, request: DueRequest) -> list[FlowRun]:
        """Return the runs that a claim would be given, without taking them: whoever starts one proposes PENDING first."""
        ...

    def release_claim(self, flow_run_id: UUID, epoch: int) -> bool:
        """Give a claimed run back unstarted: it is SCHEDULED again. False when the claim was not held any more."""
        ...

    def beat_worker(self, beat: WorkerBeat) -> None:
        """Show that a worker is there. Raises `ObjectNotFound` when its work pool does not exist."""
        ...

    # background tasks

    def claim_task_runs(self, request: TaskClaimRequest) -> TaskClaims:
        """Take background runs that are due: each becomes PENDING under a new epoch, and nobody else's. Oldest first.

        The worker is known from then on, under its lease; what it has comes back to all workers when it dies. Facts of an
        epoch that is over are history. An event of kind `background` tells when a run is due, and when one has ended.
        """
        ...

    def release_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        """Give a claimed run back: it is SCHEDULED again, and keeps its place. False when the claim was not held any more."""
        ...

    def hand_over_task_run(self, task_run_id: UUID, epoch: int) -> bool:
        """Let a claimed run go to who executes it and shows no sign of life, so that only its states tell of it.

        False when the claim was not held any more.
        """
        ...

    def end_task_worker(self, worker_id: UUID) -> bool:
        """Say that a task worker is gone, and give back what it has. False when it is not known any more."""
        ...

    # slots

    def acquire_slots(self, request: SlotRequest) -> SlotGrant:
        """Take slots of all limits named, or none: a lease, or a place in line, first come first served.

        Held slots never exceed a limit. The same `request_id` again returns the lease it already got. When slots come
        free, an event of kind `slots` tells each request in line that may have them. Raises `InvalidRequest` when slots
        of a rate are asked for and do not fade.
        """
        ...

    def find_limited(self, names: list[str]) -> list[str]:
        """Return those of the names that have an active limit, in order."""
        ...

    def renew_slots(self, lease_id: UUID, duration: float) -> bool:
        """Keep a slot lease for `duration` more seconds; False when it has expired and the slots are gone."""
        ...

    def release_slots(self, lease_id: UUID) -> bool:
        """Give slots back; the next in line can have them at once. False when the lease had ended already."""
        ...

    def release_held_slots(self, names: list[str], occupy: int) -> int:
        """Give back leases of nobody known on exactly these limits, oldest first, until `occupy` slots of each are free;
        return how many were given back. For clients that take slots and remember no lease.
        """
        ...

    def withdraw_slot_request(self, request_id: UUID) -> None:
        """Leave the line, and give back the lease if it was granted meanwhile."""
        ...

    # telemetry

    def deliver(self, batch: Batch) -> int:
        """Store facts and return the journal's high-water mark: every fact up to it is stored.

        Facts at or below the mark are skipped, so a batch may be sent again. Facts under an epoch that is not the
        run's are kept as history and move nothing. A gap (`first` beyond the mark + 1) raises `LostFacts`.
        """
        ...

    def report(self, reports: Sequence[Report]) -> None:
        """Store what clients tell that keep no journal: each report once, by its id, in whatever order it comes.

        States of task runs are facts like those of a journal, put in order by their time, then by the ids of their
        reports. A beat takes the lease of the flow run's present attempt, or keeps it. When this returns, all is stored.
        """
        ...

    # live

    def read_events(self, after: Cursor, limit: int = 500, kinds: tuple[EventKind, ...] = ()) -> EventPage:
        """Return the events after the cursor, in order, at most `limit`. No event committed later ever comes before one
        returned already, whatever the order in which transactions commit.

        With `kinds` only events of those are returned, out of `limit` that are looked at: a page may be empty although the
        log goes on. It ends where the page's cursor is the one that was asked for.
        """
        ...

    def last_cursor(self) -> Cursor:
        """Return the place where the log ends now: reading from here gives only what happens from here on."""
        ...

    def wait_for_events(self, timeout: float) -> bool:
        """Block up to `timeout` seconds until something may have been appended; a hint, the cursor is the truth."""
        ...

    # life

    def presence(self) -> Presence:
        """How an attempt run by this process through this gateway shows that it is alive."""
        ...

    def ledger(self) -> str | None:
        """How the names of this process's own files begin in which facts are noted before they are delivered.

        What is noted there is stored when the process is found dead. None where nobody would find it.
        """
        ...

    def close(self) -> None:
        """Give up connections and locks. What was answered is stored; nothing may be asked afterwards."""
        ...
