"""One run of a task while it executes: what its lifecycle decides about, and the facts it states."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from headrace.base import clock, errors
from headrace.base.ids import state_id, uuid7
from headrace.engine.calls import identify_call
from headrace.engine.context import FlowContext, RunContext, TaskContext, current_tags
from headrace.engine.futures import find_futures, resolve
from headrace.engine.inputs import Awaited, list_awaited, trace_inputs
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.locking import Lock
from headrace.engine.logs import RunLogger, take_over_print
from headrace.engine.naming import render_run_name
from headrace.engine.requests import StoreResult
from headrace.engine.results import Result
from headrace.engine.slot_lifecycle import Hold
from headrace.engine.transactions import CommitMode, Node, TransactionState, get_transaction
from headrace.rules.slots import TAG_LIMIT
from headrace.rules.task_policy import refuse_task_run
from headrace.rules.transitions import NOT_READY, ROLLED_BACK, is_terminal
from headrace.schema.fact import StateFact, TaskRunFact, TaskStateFact
from headrace.schema.run import TaskRun
from headrace.schema.state import State, StateDetails, StateType

if TYPE_CHECKING:
    from headrace.engine.checkpoints import Restored
    from headrace.engine.commands import Request
    from headrace.engine.definitions import TaskDefinition
    from headrace.engine.results import Result
    from headrace.engine.session import Session


class RunningTask:
    """A task run, from its call to its final state. `ended` is that state, with live data, once it has been told.

    `iteration` says what becomes of the items if it is a generator's; `lost` is how often it was executed by a process that
    died meanwhile, which costs no retry.
    """

    __slots__ = (
        "_storage_key", "again", "arguments", "awaited", "cache_expiration", "cache_key", "context", "created", "durable",
        "dynamic_key", "ended", "flow_run_id", "hold", "id", "iteration", "lock", "lost", "name", "ordinal",
        "parameters", "restored", "run_count", "session", "state_name", "state_type", "tags", "task", "timestamp",
        "transaction", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        task: TaskDefinition,
        parameters: dict[str, Any],
        parent: RunContext | None,
        wait_for: Awaited = None,
    ) -> None:
        self.session = session
        self.task = task
        self.parameters = parameters
        self.arguments = parameters
        self.awaited = list_awaited(wait_for)
        self.id = uuid7()
        flow = parent.flow_run if parent is not None else None
        if flow is None:
            self.flow_run_id = None
            self.dynamic_key = str(self.id)
        else:
            self.flow_run_id = flow.run.id
            self.dynamic_key = flow.next_call(task.task_key)
        self.name = f"{task.name}-{self.dynamic_key if flow is not None else str(self.id)[-4:]}"
        self.durable = task.durable if task.durable is not None else flow is not None and flow.durable
        extra = current_tags.get()
        self.tags = sorted(task.tags | extra) if extra else task.sorted_tags
        self.upstream = find_futures(parameters)
        if self.awaited:
            find_futures(self.awaited, self.upstream)
        self.run_count = 0
        self.lost = 0
        self.ordinal = 0
        self.timestamp = self.created = clock.micros()
        self.state_type: StateType | None = None
        self.state_name = ""
        self.cache_key: str | None = None
        self.cache_expiration: int | None = None
        self._storage_key: str | None = None
        self.ended: State | None = None
        self.iteration = Iteration(Sink.CALLER) if task.is_generator else None
        self.hold = Hold(session)
        self.lock: Lock | None = None
        prints = task.log_prints if task.log_prints is not None else _inherited_prints(session, parent)
        if prints:
            take_over_print()
        self.context = TaskContext(
            session,
            task,
            self.id,
            self.name,
            parameters,
            self.tags,
            prints,
            _persists(task, session, parent),
            parent,
        )
        self.restored: Restored | None = None
        self.again: str | None = None
        if self.durable and parent is not None and flow is not None and not task.is_generator:
            self._identify(parent, flow)
        outer = get_transaction()
        self.transaction = (
            TaskTransaction(self, outer) if outer is not None or task.commit_hooks or task.rollback_hooks else None
        )
        self.context.transaction = self.transaction

    def _identify(self, parent: RunContext, flow: FlowContext) -> None:
        """Find out which call this is. One that an earlier attempt has finished is the task run that it was then."""
        call, self.restored, self.again = identify_call(parent, flow, self.task.task_key, self.parameters)
        self.context.call = call
        if self.restored is not None:
            made = self.restored.checkpoint
            self.id = self.context.run_id = made.task_run_id
            self.name = self.context.name = made.name
        elif call is not None:
            self.dynamic_key = flow.in_attempt(call)

    @property
    def log(self) -> RunLogger:
        """The run's logger."""
        return RunLogger(self.context)

    def announce(self) -> tuple[TaskRunFact | TaskStateFact, ...]:
        """The facts that the run exists and is pending; none for one that has ended before."""
        if self.restored is not None:
            return ()
        self.session.unfinished[self.id] = self
        flow = self.context.flow_run
        task = self.task
        lineage = flow.lineage if flow is not None else None
        made = TaskRunFact(
            self.id,
            self.flow_run_id,
            self.name,
            task.task_key,
            self.dynamic_key,
            self.created,
            self.tags,
            trace_inputs(self.parameters, self.awaited, lineage, bool(self.upstream)),
            task.policy,
            task.version,
            flow.attempt if flow is not None else 0,
            self.created,
        )
        return made, self.enter(StateType.PENDING, "Pending")

    def enter(
        self,
        kind: StateType,
        name: str,
        message: str | None = None,
        data: Any = None,
        details: dict[str, Any] | None = None,
    ) -> TaskStateFact:
        """The fact that the run enters a state now. Raises `UsageError` for a step that no task run may take."""
        refused = refuse_task_run(self.state_type, kind, name)
        if refused is not None:
            raise errors.UsageError(f"Task run {self.name!r} cannot become {name}: {refused.reason}")
        self.ordinal += 1
        self.timestamp = max(self.timestamp + 1, clock.micros())
        self.state_type, self.state_name = kind, name
        if is_terminal(kind) or name == NOT_READY:
            self.session.unfinished.pop(self.id, None)
            if self.lock is not None:
                self.unlock()
        if kind is StateType.RUNNING:
            self.run_count += 1
            self.context.run_count = self.run_count
        fact = StateFact(self.ordinal, kind, name, self.timestamp, message, data, details)
        return TaskStateFact(self.id, self.flow_run_id, fact, self.run_count, self.cache_key, self.cache_expiration)

    def restore(self, result: Result) -> State:
        """The state the run ended in, in an earlier attempt, with its value live."""
        assert self.restored is not None
        if result.in_memory:
            self.remember(result.load())
        state = self.restored.state
        details = msgspec.structs.replace(state.state_details, task_run_id=self.id, flow_run_id=self.flow_run_id)
        self.ended = msgspec.structs.replace(state, data=result, state_details=details)
        return self.ended

    def abandon(self) -> TaskStateFact:
        """The fact that the process ends before the run does, whose thread may still go on: it changes nothing here."""
        text = "The process ended before the task run did."
        fact = StateFact(self.ordinal + 1, StateType.CRASHED, "Crashed", max(self.timestamp + 1, clock.micros()), text)
        return TaskStateFact(self.id, self.flow_run_id, fact, self.run_count)

    def state(self, message: str | None = None, data: Any = None) -> State:
        """The state the run is in, as users see it, with `data` live."""
        return State(
            type=self.state_type or StateType.PENDING,
            name=self.state_name,
            id=state_id(self.id, self.ordinal),
            timestamp=clock.to_datetime(self.timestamp),
            message=message,
            data=data,
            state_details=StateDetails(flow_run_id=self.flow_run_id, task_run_id=self.id, cache_key=self.cache_key),
        )

    def record(self) -> TaskRun:
        """The run as hooks see it."""
        return TaskRun(
            id=self.id,
            name=self.name,
            flow_run_id=self.flow_run_id,
            task_key=self.task.task_key,
            dynamic_key=self.dynamic_key,
            cache_key=self.cache_key,
            task_version=self.task.version,
            empirical_policy=self.task.policy,
            tags=self.tags,
            run_count=self.run_count,
            state_type=self.state_type,
            state_name=self.state_name,
            state_id=state_id(self.id, self.ordinal),
            state=self.state(),
            created=clock.to_datetime(self.created),
        )

    def resolve_arguments(self) -> None:
        """Wait for upstream runs and put their values in place. Raises `UpstreamFailed`."""
        self.arguments = {name: resolve(value) for name, value in self.parameters.items()}
        resolve(self.awaited)
        self.context.parameters = self.arguments

    def render_name(self) -> None:
        """Name the run by its template. Raises `UsageError` when it cannot be filled."""
        template = self.task.task_run_name
        assert template is not None
        self.name = self.context.name = render_run_name(template, self.arguments, self.task.name)

    def compute_cache_key(self) -> None:
        """Compute the key under which the value is looked for and kept; it stays None for a call that is not cached."""
        flow = self.context.flow_run
        policy = self.task.cache_policy
        self.context.task_run = self.record()
        self.cache_key = policy.compute_key(self.context, self.arguments, flow.parameters if flow else {})
        if self.cache_key is not None and policy.isolation_level is not None and not self._is_locked(self.cache_key):
            folder = self.task.result_folder or self.session.settings.results_path
            self.lock = policy.lock(self.cache_key, str(self.id), folder)

    def _is_locked(self, key: str) -> bool:
        """Whether a task around it holds the lock of the key already: it runs in that one's turn."""
        context = self.context.parent
        while context is not None:
            if isinstance(context, TaskContext) and context.locked_key == key:
                return True
            context = context.parent
        return False

    def take_turn(self) -> None:
        """Wait until no other run with the cache key is in its turn. Raises `UsageError` where nothing can be locked.

        A run that has ended while this waited, on a thread of its own, has no turn any more.
        """
        lock = self.lock
        assert lock is not None
        self.context.locked_key = self.cache_key
        lock.acquire()
        if self.lock is not lock:
            lock.release()

    def unlock(self) -> None:
        """Let the next run with the cache key have its turn."""
        lock, self.lock = self.lock, None
        if lock is not None:
            lock.release()
            self.context.locked_key = None

    def render_storage_key(self) -> None:
        """Make the key under which the value is kept. Raises `UsageError` when its template cannot be filled."""
        self._storage_key = self.task.storage_key(self.arguments)

    @property
    def storage_key(self) -> str:
        """The key under which the value is kept: the task's own, else the cache key, else the run's id."""
        return self._storage_key or self.cache_key or str(self.id)

    @property
    def is_checkpoint(self) -> bool:
        """Whether the value is kept for nothing but that the run is restored, if its flow run is resumed."""
        return self.durable and not self.task.persist_result and self.cache_key is None

    @property
    def caches(self) -> bool:
        """Whether a value computed before is used again. Items that are given one by one are not kept."""
        return self.task.caches and (self.iteration is None or self.iteration.sink is not Sink.CALLER)

    def remember(self, value: Any) -> None:
        """Let later calls of the flow know that the value came from here."""
        flow = self.context.flow_run
        if flow is not None:
            flow.lineage.record(value, self.id)

    def hand_over(self, state: State) -> None:
        """See to it that whoever waits can have the value; here it is where they are."""

    def find_limits(self) -> list[str]:
        """The limits that its tags may have, but for those of which a task around it holds a slot: it runs in that one."""
        around: set[str] = set()
        context = self.context.parent
        while context is not None:
            if isinstance(context, TaskContext):
                around.update(context.held)
            context = context.parent
        names = [f"{TAG_LIMIT}{tag}" for tag in self.tags]
        return self.session.slots.may_be_limited(name for name in names if name not in around)

    def keeping(self, error: BaseException) -> Request[Result | None] | None:
        """What keeps the exception it fails with, where others wait for it."""
        return None

    def function(self) -> Any:
        """The user's function with its arguments, ready to be called."""
        args, kwargs = self.task.signature.call_arguments(self.arguments)
        return partial(self.task.fn, *args, **kwargs)


class TaskTransaction(Node):
    """The transaction that a task run is."""

    def __init__(self, run: RunningTask, parent: Node | None) -> None:
        super().__init__(run.session, run.context, parent, None if parent is not None else CommitMode.EAGER)
        self.run = run
        self.state = TransactionState.ACTIVE
        self.logger = run.log
        self._store: StoreResult | None = None
        self._key_lock: Lock | None = None

    def take_over_lock(self) -> None:
        """Keep the lock of the run's cache key until the value is kept, which it is on commit, or will never be."""
        self._key_lock, self.run.lock = self.run.lock, None

    def end(self, state: TransactionState) -> None:
        super().end(state)
        if self._key_lock is not None:
            self._key_lock.release()
            self._key_lock = None

    def complete(self, store: StoreResult | None) -> None:
        """Take note that the run has completed; `store` is what is to be kept of it when it is committed."""
        self._store = store
        self.commit_hooks = [*self.run.task.commit_hooks, *self.commit_hooks]
        self.rollback_hooks = [*self.run.task.rollback_hooks, *self.rollback_hooks]

    def writing(self) -> StoreResult | None:
        return self._store

    def undoing(self) -> TaskStateFact:
        return self.run.enter(StateType.COMPLETED, ROLLED_BACK, "What the run did was undone with its transaction.")

    def remove(self) -> None:
        assert self._store is not None
        self.session.results.remove(self._store.storage_key, self._store.folder)


def _inherited_prints(session: Session, parent: RunContext | None) -> bool:
    return parent.log_prints if parent is not None else session.settings.logging_log_prints


def _persists(task: TaskDefinition, session: Session, parent: RunContext | None) -> bool:
    """Whether the value of a run called from `parent` is kept."""
    if task.persist_result is not None:
        return task.persist_result
    if task.caches or task.result_storage_key is not None or task.durable:
        return True
    return parent.persist_result if parent is not None else session.settings.results_persist_by_default
