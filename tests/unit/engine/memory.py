"""An orchestrator in memory for the engine's tests: decides by the real rules, keeps what it is told, and fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from headrace.base import clock, errors
from headrace.base.ids import state_id, uuid7
from headrace.rules.bookkeeping import Progress, enter_flow_run, fold
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.verdicts import (
    Abort,
    Accept,
    ChangePolicy,
    CrashTaskRuns,
    FlowRunFacts,
    MirrorOnParent,
    Offer,
    RaiseEpoch,
    Reject,
    Transition,
    Verdict,
    Wait,
)
from headrace.schema.event import Cursor, EventPage, LoggedEvent
from headrace.schema.fact import (
    ArtifactFact,
    Batch,
    Fact,
    LogFact,
    ResultFact,
    StateFact,
    TaskNameFact,
    TaskRunFact,
    TaskStateFact,
)
from headrace.schema.flow import Flow, FlowCreate
from headrace.schema.orchestration import (
    Beat,
    Claim,
    ClaimRequest,
    Decision,
    Presence,
    Proposal,
    SlotGrant,
    SlotRequest,
    Verb,
)
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunUpdate, TaskRun, TaskRunCreate
from headrace.schema.state import State, StateCreate, StateDetails, StateType


class StoredFlowRun:
    """A flow run with its history."""

    def __init__(self, run: FlowRun) -> None:
        self.run = run
        self.states: list[State] = []
        self.progress = Progress()


class StoredTaskRun:
    """A task run with its history."""

    def __init__(self, made: TaskRunFact) -> None:
        self.made = made
        self.name = made.name
        self.states: list[StateFact] = []
        self.facts: list[TaskStateFact] = []

    @property
    def path(self) -> list[str]:
        """The names of the states it entered."""
        return [state.name for state in self.states]

    @property
    def final(self) -> StateFact | None:
        """The state its story ends in."""
        return fold(Progress(), self.states).state


class MemoryExecution:
    """The verbs of execution that the engine asks. `before` is called with the name of each verb and may raise."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.flows: dict[str, Flow] = {}
        self.flow_runs: dict[UUID, StoredFlowRun] = {}
        self.task_runs: dict[UUID, StoredTaskRun] = {}
        self.logs: list[LogFact] = []
        self.artifacts: list[ArtifactFact] = []
        self.results: list[ResultFact] = []
        self.events: list[LoggedEvent] = []
        self.marks: dict[UUID, int] = {}
        self.batches: list[Batch] = []
        self.verdicts: list[Verdict | BaseException] = []
        self.before: Callable[[str, Any], None] = lambda verb, request: None
        self.closed = False

    # what tests look at

    def flow_run(self, flow: str | None = None) -> StoredFlowRun:
        """The only flow run, or the only one of a flow."""
        ids = [known.id for name, known in self.flows.items() if flow in {None, name}]
        (found,) = [stored for stored in self.flow_runs.values() if stored.run.flow_id in ids]
        return found

    def path(self, flow: str | None = None) -> list[str | None]:
        """The names of the states the only flow run entered."""
        return [state.name for state in self.flow_run(flow).states]

    def task_run(self, key: str | None = None) -> StoredTaskRun:
        """The only task run, or the only one whose key begins so."""
        (found,) = [run for run in self.task_runs.values() if key is None or run.made.task_key.startswith(key)]
        return found

    def messages(self, level: int = 0) -> list[str]:
        """The lines logged, at least of a level."""
        return [line.message for line in self.logs if line.level >= level]

    def cancel(self, flow_run_id: UUID, kind: StateType = StateType.CANCELLING) -> None:
        """Put a flow run into a state from outside."""
        with self.changed:
            self._enter(self.flow_runs[flow_run_id], StateCreate(type=kind), ())

    # runs

    def register_flow(self, flow: FlowCreate) -> Flow:
        self.before("register_flow", flow)
        with self.lock:
            return self.flows.setdefault(flow.name, Flow(id=uuid7(), name=flow.name))

    def create_flow_run(self, run: FlowRunCreate, batch: Batch | None = None) -> FlowRun:
        self.before("create_flow_run", run)
        with self.changed:
            self._store(batch)
            assert run.id is not None
            if run.id not in self.flow_runs:
                stored = StoredFlowRun(
                    FlowRun(
                        id=run.id,
                        flow_id=run.flow_id,
                        name=run.name or "",
                        flow_version=run.flow_version,
                        parameters=run.parameters,
                        parent_task_run_id=run.parent_task_run_id,
                        empirical_policy=run.empirical_policy,
                        tags=run.tags,
                    )
                )
                self.flow_runs[run.id] = stored
                self._enter(stored, run.state or StateCreate(type=StateType.PENDING), ())
            return msgspec.structs.replace(self.flow_runs[run.id].run)

    def read_flow_run(self, flow_run_id: UUID) -> FlowRun:
        self.before("read_flow_run", flow_run_id)
        with self.lock:
            return msgspec.structs.replace(self._find(flow_run_id).run)

    def update_flow_run(self, flow_run_id: UUID, update: FlowRunUpdate) -> None:
        raise NotImplementedError

    def propose_flow_run_state(self, proposal: Proposal) -> Decision:
        self.before("propose_flow_run_state", proposal)
        with self.changed:
            self._store(proposal.batch)
            stored = self._find(proposal.flow_run_id)
            run = stored.run
            if proposal.epoch is not None and proposal.epoch != run.epoch:
                raise errors.StaleEpoch(f"Attempt {proposal.epoch} of {run.name!r} is over.")
            if self.verdicts:
                prepared = self.verdicts.pop(0)
                if isinstance(prepared, BaseException):
                    raise prepared
                return self._perform(stored, prepared)
            transition = Transition(
                source=run.state, target=proposal.state, epoch=proposal.epoch, presence=proposal.presence
            )
            facts = FlowRunFacts(
                flow_run_id=run.id,
                now=clock.micros(),
                policy=run.empirical_policy,
                run_count=run.run_count,
                deployment_id=run.deployment_id,
                parent_task_run_id=run.parent_task_run_id,
                held=True,
            )
            return self._perform(stored, decide_flow_run(transition, facts, proposal.force))

    def create_task_run(self, run: TaskRunCreate) -> TaskRun:
        raise NotImplementedError

    def read_task_run(self, task_run_id: UUID) -> TaskRun:
        raise NotImplementedError

    # leases, work, slots

    def beat(self, beats: Sequence[Beat]) -> list[UUID]:
        raise NotImplementedError

    def crash_if_dead(self) -> int:
        return 0

    def claim_flow_runs(self, request: ClaimRequest) -> list[Claim]:
        raise NotImplementedError

    def release_claim(self, flow_run_id: UUID, epoch: int) -> bool:
        raise NotImplementedError

    def acquire_slots(self, request: SlotRequest) -> SlotGrant:
        raise NotImplementedError

    def renew_slots(self, lease_id: UUID, duration: float) -> bool:
        raise NotImplementedError

    def release_slots(self, lease_id: UUID) -> bool:
        raise NotImplementedError

    def withdraw_slot_request(self, request_id: UUID) -> None:
        raise NotImplementedError

    # telemetry

    def deliver(self, batch: Batch) -> int:
        self.before("deliver", batch)
        with self.changed:
            self._store(batch)
            return self.marks.get(batch.journal_id, 0)

    # live

    def read_events(self, after: Cursor, limit: int = 500) -> EventPage:
        self.before("read_events", after)
        with self.lock:
            events = self.events[after.sequence : after.sequence + limit]
            return EventPage(events=events, cursor=Cursor(0, after.sequence + len(events)))

    def last_cursor(self) -> Cursor:
        self.before("last_cursor", None)
        with self.lock:
            return Cursor(0, len(self.events))

    def wait_for_events(self, timeout: float) -> bool:
        self.before("wait_for_events", timeout)
        with self.changed:
            return self.changed.wait(timeout)

    # life

    def presence(self) -> Presence:
        return Presence(kind="lock", name="alive-test")

    def close(self) -> None:
        self.closed = True

    # how it is done

    def _find(self, flow_run_id: UUID) -> StoredFlowRun:
        if flow_run_id not in self.flow_runs:
            raise errors.ObjectNotFound(f"There is no flow run with id {flow_run_id}.")
        return self.flow_runs[flow_run_id]

    def _perform(self, stored: StoredFlowRun, verdict: Verdict) -> Decision:
        match verdict:
            case Accept(state, effects):
                return self._answer(stored, Verb.ACCEPT, written=self._enter(stored, state, effects))
            case Reject(reason, state, effects):
                written = state is not None and self._enter(stored, state, effects)
                return self._answer(stored, Verb.REJECT, reason, written=written)
            case Wait(reason, delay):
                return self._answer(stored, Verb.WAIT, reason, delay)
            case Abort(reason):
                return self._answer(stored, Verb.ABORT, reason)

    def _answer(
        self,
        stored: StoredFlowRun,
        verb: Verb,
        reason: str | None = None,
        delay: float | None = None,
        written: bool = False,
    ) -> Decision:
        run = msgspec.structs.replace(stored.run)
        state = None if run.state is None else msgspec.structs.replace(run.state)
        return Decision(
            verb=verb, state=state, written=written, epoch=run.epoch, flow_run=run, reason=reason, delay=delay
        )

    def _enter(self, stored: StoredFlowRun, target: StateCreate, effects: tuple[Any, ...]) -> bool:
        run = stored.run
        now = max(clock.micros(), stored.progress.state.timestamp + 1 if stored.progress.state else 0)
        ordinal = len(stored.states) + 1
        fact = StateFact(
            ordinal, target.type, target.name or target.type.capitalize(), now, target.message, target.data
        )
        stored.progress = enter_flow_run(stored.progress, fact, offered=Offer() in effects)
        state = State(
            type=fact.type,
            name=fact.name,
            id=state_id(run.id, ordinal),
            timestamp=clock.to_datetime(now),
            message=fact.message,
            data=msgspec.to_builtins(fact.data),
            state_details=target.state_details,
        )
        stored.states.append(state)
        policies = [effect.policy for effect in effects if isinstance(effect, ChangePolicy)]
        stored.run = msgspec.structs.replace(
            run,
            state=state,
            state_type=state.type,
            state_name=state.name,
            state_id=state.id,
            run_count=stored.progress.run_count,
            epoch=run.epoch + (RaiseEpoch() in effects),
            empirical_policy=policies[0] if policies else run.empirical_policy,
        )
        self._log_event("flow-run", run.id, run.id, state)
        if CrashTaskRuns() in effects:
            for task_run in self.task_runs.values():
                if task_run.made.flow_run_id == run.id and not self._ended(task_run):
                    task_run.states.append(StateFact(len(task_run.states) + 1, StateType.CRASHED, "Crashed", now))
        if MirrorOnParent() in effects and run.parent_task_run_id is not None:
            mirrored = self.task_runs[run.parent_task_run_id]
            mirrored.states.append(StateFact(len(mirrored.states) + 1, fact.type, fact.name, now, fact.message))
        return True

    def _ended(self, task_run: StoredTaskRun) -> bool:
        final = task_run.final
        return final is not None and State(type=final.type).is_final()

    def _store(self, batch: Batch | None) -> None:
        if batch is None:
            return
        mark = self.marks.get(batch.journal_id, 0)
        if batch.first > mark + 1:
            raise errors.InvalidRequest(f"Facts {mark + 1} to {batch.first - 1} of the journal are missing.")
        self.batches.append(batch)
        for fact in batch.facts[mark + 1 - batch.first :]:
            self._store_fact(msgspec.msgpack.decode(msgspec.msgpack.encode(fact), type=Fact))
        self.marks[batch.journal_id] = max(mark, batch.last)
        self.changed.notify_all()

    def _store_fact(self, fact: Fact) -> None:
        match fact:
            case TaskRunFact():
                self.task_runs.setdefault(fact.id, StoredTaskRun(fact))
            case TaskStateFact():
                task_run = self.task_runs[fact.id]
                task_run.states.append(fact.state)
                task_run.facts.append(fact)
                details = StateDetails(task_run_id=fact.id)
                state = State(type=fact.state.type, name=fact.state.name, state_details=details)
                self._log_event("task-run", fact.id, fact.flow_run_id, state)
            case TaskNameFact():
                self.task_runs[fact.id].name = fact.name
            case LogFact():
                self.logs.append(fact)
            case ArtifactFact():
                self.artifacts.append(fact)
            case ResultFact():
                self.results.append(fact)

    def _log_event(self, kind: Any, subject: UUID, flow_run_id: UUID | None, state: State) -> None:
        self.events.append(
            LoggedEvent(
                cursor=Cursor(0, len(self.events) + 1),
                kind=kind,
                subject_id=subject,
                occurred=clock.now(),
                flow_run_id=flow_run_id,
                states=[state],
            )
        )
        self.changed.notify_all()
