"""The run that is executing: what `get_run_logger`, `runtime`, artifacts and nested calls look at.

There is one context variable. A task's context knows the flow's, a subflow's knows its parent's.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from uuid import UUID

from headrace.base import errors
from headrace.engine.checkpoints import NOTHING_FINISHED
from headrace.engine.forks import after_fork
from headrace.engine.lineage import Lineage
from headrace.schema.identities import name_call

if TYPE_CHECKING:
    from headrace.engine.definitions import FlowDefinition, Sketch, TaskDefinition
    from headrace.engine.runner import TaskRunner
    from headrace.engine.session import Session
    from headrace.engine.transactions import Node
    from headrace.schema.run import FlowRun, TaskRun


class FlowContext:
    """A flow run in execution. Shared by the threads its tasks run in.

    `names_calls` says that calls in it may have identities: the flow is durable, or a task called in it was;
    `replays` that what another run has finished is restored in it, and that run left alone.
    """

    def __init__(
        self,
        session: Session,
        flow: FlowDefinition,
        run: FlowRun,
        parameters: dict[str, Any],
        log_prints: bool,
        persist_result: bool,
        parent: RunContext | None = None,
        durable: bool = False,
    ) -> None:
        self.durable = durable
        self.names_calls = durable
        self.replays = False
        self.checkpoints = NOTHING_FINISHED
        self.session = session
        self.flow = flow
        self.run = run
        self.parameters = parameters
        self.log_prints = log_prints
        self.persist_result = persist_result
        self.parent = parent
        self.attempt = 0
        self._branch = ""
        self._calls: dict[str, int] = {}
        self._pauses = 0
        self._begin()
        _flow_contexts.add(self)

    @classmethod
    def get(cls) -> FlowContext | None:
        """The flow run executing here, also within its tasks; None outside of any."""
        context = current.get()
        return context.flow_run if context is not None else None

    def _begin(self) -> None:
        self.lineage = Lineage()
        self._lock = threading.Lock()
        self._runner: TaskRunner | None = None

    def fork(self) -> None:
        """Go on in a forked child, where the parent's locks may be held for ever and its runner's threads do not exist."""
        self.branch_off(str(os.getpid()))
        self._begin()

    def branch_off(self, name: str) -> None:
        """Name the calls made here apart from those that other processes make in the same run."""
        self._branch = f"{name}-"

    @property
    def flow_run(self) -> FlowContext:
        """The flow run this context belongs to: itself."""
        return self

    @property
    def id(self) -> UUID:
        """The id of the flow run, where `context.flow_run.id` is asked for."""
        return self.run.id

    @property
    def transaction(self) -> None:
        """A flow is no transaction; blocks in it may be."""
        return None

    @property
    def flow_run_id(self) -> UUID:
        """The id of the flow run."""
        return self.run.id

    @property
    def task_run_id(self) -> None:
        """A flow is not within a task of its own."""
        return None

    @property
    def call(self) -> str:
        """The identity of the call that the run is, as the scope of calls within it."""
        return ""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.name

    def begin_attempt(self, attempt: int) -> None:
        """Count calls anew: a retried flow makes its calls again."""
        self.attempt = attempt
        self._calls = {}
        self._pauses = 0

    def next_call(self, task_key: str) -> str:
        """The dynamic key of the next call of a task in this run: its ordinal among the calls of this attempt and process."""
        return self.in_attempt(str(self._count(task_key)))

    def next_equal(self, digest: str) -> str:
        """The identity of the next call among those that nothing but their order tells apart."""
        self.names_calls = True
        return name_call(digest, self._count(digest))

    def in_attempt(self, key: str) -> str:
        """A dynamic key that no other attempt or process gives."""
        return f"{self._branch}{key}" if self.attempt <= 1 else f"{self.attempt}-{self._branch}{key}"

    def _count(self, what: str) -> int:
        with self._lock:
            ordinal = self._calls.get(what, 0)
            self._calls[what] = ordinal + 1
        return ordinal

    def next_pause(self) -> str:
        """The key of the next pause that has no name of its own: its number in this attempt."""
        with self._lock:
            self._pauses += 1
            return str(self._pauses)

    def runner(self) -> TaskRunner:
        """The flow's task runner, started when first needed."""
        with self._lock:
            if self._runner is None:
                runner = self.flow.task_runner.duplicate()
                runner.setup()
                self._runner = runner
            return self._runner

    def settle(self) -> None:
        """Wait until every task submitted by this run has ended, those submitted meanwhile included, and stop its runner."""
        runner = self._runner
        if runner is not None:
            runner.teardown()
            self._runner = None

    @property
    def is_busy(self) -> bool:
        """Whether there is a runner, which may still execute what this run submitted."""
        return self._runner is not None

    def abandon(self) -> None:
        """Let go of the runner without waiting for what it executes."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.abandon()


_flow_contexts: weakref.WeakSet[FlowContext] = weakref.WeakSet()


def _fork_contexts() -> None:
    for context in [*_flow_contexts]:
        context.fork()


after_fork(_fork_contexts)


class TaskContext:
    """A task run in execution. `task_run` is the run as it stands when its cache key is made, for who makes it."""

    __slots__ = (
        "__weakref__", "call", "flow_run", "held", "locked_key", "log_prints", "name", "of_flow_run", "parameters", "parent",
        "persist_result", "run_count", "run_id", "session", "tags", "task", "task_run", "transaction",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        task: TaskDefinition,
        run_id: UUID,
        name: str,
        parameters: dict[str, Any],
        tags: list[str],
        log_prints: bool,
        persist_result: bool,
        parent: RunContext | None,
    ) -> None:
        self.session = session
        self.task = task
        self.run_id = run_id
        self.name = name
        self.parameters = parameters
        self.tags = tags
        self.log_prints = log_prints
        self.persist_result = persist_result
        self.parent = parent
        self.flow_run: FlowContext | None = parent.flow_run if parent is not None else None
        self.call: str | None = None
        self.of_flow_run: UUID | None = None
        self.run_count = 0
        self.held: list[str] = []
        self.locked_key: str | None = None
        self.transaction: Node | None = None
        self.task_run: TaskRun | None = None

    @classmethod
    def get(cls) -> TaskContext | None:
        """The task run executing here; None outside of any, and directly in a flow."""
        context = current.get()
        return context if isinstance(context, TaskContext) else None

    @property
    def flow_run_id(self) -> UUID | None:
        """The id of the flow run this task runs in, or was deferred by, if any."""
        return self.flow_run.run.id if self.flow_run is not None else self.of_flow_run

    @property
    def task_run_id(self) -> UUID:
        """The id of the task run."""
        return self.run_id


RunContext = FlowContext | TaskContext

current: ContextVar[RunContext | None] = ContextVar("headrace_run", default=None)
"""The innermost run executing here."""

current_sketch: ContextVar[Sketch | None] = ContextVar("headrace_sketch", default=None)
"""What notes the calls that are made here instead of executing them, while a flow is drawn."""

current_tags: ContextVar[frozenset[str]] = ContextVar("headrace_tags", default=frozenset())


def current_run() -> RunContext:
    """The innermost run executing here. Raises `MissingContextError` outside of any."""
    context = current.get()
    if context is None:
        raise errors.MissingContextError("There is no run here: call this from within a flow or a task.")
    return context


def current_flow_run() -> FlowContext:
    """The flow run executing here. Raises `MissingContextError` outside of any."""
    flow_run = current_run().flow_run
    if flow_run is None:
        raise errors.MissingContextError("There is no flow run here: this task was called outside of a flow.")
    return flow_run


def current_task_run() -> TaskContext:
    """The task run executing here. Raises `MissingContextError` outside of any."""
    context = current_run()
    if not isinstance(context, TaskContext):
        raise errors.MissingContextError("There is no task run here: call this from within a task.")
    return context


@contextmanager
def tags(*names: str) -> Generator[set[str]]:
    """Give every run that begins within the block these tags, besides those it gets anyway."""
    merged = current_tags.get() | frozenset(names)
    token = current_tags.set(merged)
    try:
        yield set(merged)
    finally:
        current_tags.reset(token)
