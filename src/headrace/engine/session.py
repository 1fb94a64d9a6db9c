"""What a process needs to execute runs: a gateway, a journal, a live channel, a result store. One per process."""

from __future__ import annotations

import atexit
import contextlib
import logging
import sys
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID

import msgspec

from headrace.base import clock, errors
from headrace.base.settings import Settings
from headrace.engine.forks import after_fork
from headrace.engine.journal import MISTAKES, Journal
from headrace.engine.live import LiveChannel
from headrace.engine.opening import find_opener
from headrace.engine.results import ResultStore
from headrace.engine.slot_lines import SlotLines
from headrace.engine.slots import SlotKeeper
from headrace.engine.spool import Spool
from headrace.rules.transitions import ENDING
from headrace.schema.fact import Batch, Fact
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunCreate, TaskRun, TaskRunCreate
from headrace.schema.state import TERMINAL, StateType

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

T = TypeVar("T")
log = logging.getLogger("headrace.session")


class Unfinished(Protocol):
    """A task run that this process has begun and not ended."""

    def abandon(self) -> Fact:
        """The fact that the process ends before the run does."""
        ...


class Session:
    """One process's way to the orchestrator.

    Facts go through the journal; requests go straight, and none overtakes what was emitted before it. `attempts` maps
    the flow runs and background runs this process executes to the epoch it executes them under; `unfinished` holds its task
    runs, `iterations` the generators that its callers have not exhausted.
    """

    def __init__(
        self, gateway: Execution, settings: Settings, open_administration: Callable[[], Administration] | None = None
    ) -> None:
        self.gateway = gateway
        self.settings = settings
        self._open_administration = open_administration
        self._administration: Administration | None = None
        self._opening = threading.Lock()
        self.attempts: dict[UUID, int] = {}
        self.spool = Spool(settings.spool_path)
        self.journal = Journal(
            gateway.deliver,
            self.attempts,
            self.spool.keep,
            settings.journal_memory_mib * 2**20,
            settings.outage_limit_seconds,
            gateway.ledger,
        )
        self.live = LiveChannel(gateway)
        self.slots = SlotKeeper(gateway)
        self.lines = SlotLines(self.live.call)
        self.results = ResultStore(settings.results_path, settings.home)
        self.inherited = False
        self.unfinished: dict[UUID, Unfinished] = {}
        self.iterations: weakref.WeakSet[Generator[Any, Any, Any]] = weakref.WeakSet()
        self._flows: dict[str, UUID] = {}

    @property
    def administration(self) -> Administration:
        """The way to look at things and change them; opened when it is first asked for, and closed with the session."""
        if self.inherited:
            return current_session().administration
        with self._opening:
            if self._administration is None:
                if self._open_administration is None:
                    raise errors.MissingContextError("This session has no way to look at things and change them.")
                self._administration = self._open_administration()
            return self._administration

    def emit(self, fact: Fact, durable: bool = False) -> None:
        """Journal a fact; with `durable` return only when it is stored.

        In a forked child the parent's journal is nobody's: the fact goes to the child's own session.
        """
        if self.inherited:
            current_session().emit(fact, durable)
            return
        self.journal.emit(fact)
        if durable:
            self.patiently(self.journal.secure)

    def _register(self, flow: FlowCreate) -> UUID:
        """The id of a flow, made known to the orchestrator the first time this process runs it."""
        known = self._flows.get(flow.name)
        if known is None:
            known = self._flows[flow.name] = self.gateway.register_flow(flow).id
        return known

    def create_flow_run(self, flow: FlowCreate, create: FlowRunCreate) -> FlowRun:
        """Create a run of a flow, after everything emitted before."""

        def send(batch: Batch | None) -> FlowRun:
            create.flow_id = self._register(flow)
            return self.gateway.create_flow_run(create, batch)

        try:
            return self.patiently(lambda: self._carry(send))
        except errors.ObjectNotFound:  # somebody has deleted the flow since
            self._flows.pop(flow.name, None)
            return self.patiently(lambda: self._carry(send))

    def create_task_run(self, create: TaskRunCreate) -> TaskRun:
        """Create a task run that others are to execute; it is stored when this returns."""
        return self.patiently(lambda: self.gateway.create_task_run(create))

    def propose(self, proposal: Proposal) -> Decision:
        """Propose a flow-run state, after everything emitted before and in the same transaction.

        Tries again through an outage; past the limit a final state goes to the spool, and `Unavailable` is raised.
        """

        def send(batch: Batch | None) -> Decision:
            return self.gateway.propose_flow_run_state(msgspec.structs.replace(proposal, batch=batch))

        try:
            return self.patiently(lambda: self._carry(send))
        except errors.Unavailable:
            if proposal.state.type in TERMINAL:
                self._spool(proposal)
            raise

    def _spool(self, proposal: Proposal) -> None:
        """Keep a final state that could not be proposed. The run has ended so: it is not to be tried again later."""
        details = msgspec.structs.replace(proposal.state.state_details, retriable=False)
        final = msgspec.structs.replace(proposal, state=msgspec.structs.replace(proposal.state, state_details=details))
        try:
            self.journal.surrender(lambda batch: self.spool.keep(msgspec.structs.replace(final, batch=batch)))
        except OSError as error:
            log.error("The end of a flow run cannot be kept in the spool either: %s", error)  # noqa: TRY400

    def patiently(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it does not raise `Unavailable`, at most for the outage limit."""
        began: float | None = None
        pause = 0.05
        while True:
            try:
                return attempt()
            except errors.Unavailable as error:
                now = clock.monotonic()
                if began is None:
                    began = now
                    log.warning("The orchestrator cannot be reached, trying again: %s", error)
                elif now - began > self.settings.outage_limit_seconds:
                    raise
                wait = max(pause, error.retry_after or 0.0)
            threading.Event().wait(wait)
            pause = min(pause * 2, 5.0)

    def sleep(
        self, delay: float, wake: UUID | None, turn: UUID | None = None, until: frozenset[StateType] = ENDING
    ) -> bool:
        """Block for `delay` seconds, or until the request for slots `turn` is called; True when the flow run `wake` came to
        be in one of the states meanwhile.
        """
        ended = threading.Event()
        entered = False

        def enter() -> None:
            nonlocal entered
            entered = True
            ended.set()

        with self.watch(wake, enter, delay, until), self.live.attend(turn, ended.set):
            ended.wait(delay)
        return entered

    def watch(
        self,
        flow_run_id: UUID | None,
        wake: Callable[[], None],
        duration: float,
        until: frozenset[StateType] = ENDING,
    ) -> AbstractContextManager[None]:
        """Call `wake` if the flow run comes to be in one of the states within the block."""
        return self.live.watch(flow_run_id, wake, duration, until)

    def close(self) -> None:
        """Deliver what is left, or spool it, and let go of everything. Task runs that go on beside it end with it."""
        for items in [*self.iterations]:
            with contextlib.suppress(Exception):  # told in the run's log; or another thread is just taking an item
                items.close()
        self.live.close()
        self.slots.close()
        if self.unfinished:
            count = len(self.unfinished)
            log.warning("%d submitted task runs had not ended when their process did: nobody waited for them.", count)
        while self.unfinished:
            _, run = self.unfinished.popitem()
            self.journal.emit(run.abandon())
        self.journal.close()
        self.results.close()
        if self._administration is not None:
            cast("Any", self._administration).close()  # the protocol leaves out how a gateway ends
        self.gateway.close()

    def _carry(self, send: Callable[[Batch | None], T]) -> T:
        try:
            with self.journal.carry() as batch:
                return send(batch)
        except (errors.LostFacts, *MISTAKES):
            self.journal.flush()  # is it a fact that cannot be recorded? By itself the journal finds out which, and goes on
        with self.journal.carry() as batch:
            return send(batch)


_session: Session | None = None
_lent: ContextVar[Session | None] = ContextVar("headrace_session", default=None)
_inherited: dict[UUID, int] = {}
_lock = threading.Lock()


def current_session() -> Session:
    """The session that is lent to this code, else that of this process, opened when first needed and closed at exit."""
    return _lent.get() or _session or _open()


def process_session() -> Session | None:
    """The session of this process, if it has one."""
    return _session


@contextmanager
def lending(session: Session) -> Generator[None]:
    """Have `session` be the current one within the block, and in what is submitted there."""
    token = _lent.set(session)
    try:
        yield
    finally:
        _lent.reset(token)


def _open() -> Session:
    global _session  # noqa: PLW0603 - one per process
    with _lock:
        if _session is None:
            _session = find_opener()()
            _session.attempts.update(_inherited)
            at_exit(close_session)
        return _session


def at_exit(close: Callable[[], None]) -> None:
    """Have the session closed at the end of the process; those that multiprocessing starts end in a way of their own."""
    atexit.register(close)
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:
        processes.Finalize(None, close, exitpriority=100)


def swap_session(session: Session | None) -> Session | None:
    """Make `session` the one of this process and return the one before, for tests and harnesses."""
    global _session
    with _lock:
        before, _session = _session, session
    return before


def close_session() -> None:
    """Close the session of this process, if it has one. Whoever interrupts it once still has everything recorded."""
    session = swap_session(None)
    if session is None:
        return
    try:
        session.close()
    except KeyboardInterrupt:
        log.warning("What was done so far is still being recorded; interrupt once more to leave it.")
        session.close()
        raise


def _fork() -> None:
    """In a forked child: the parent's session, its threads and locks, are not ours. One of our own is opened if needed.

    What the child states of the parent's runs belongs to the attempts the parent executes.
    """
    global _session, _lock, _inherited  # noqa: PLW0603 - one per process
    inherited, _session, _lock = _session, None, threading.Lock()
    _lent.set(None)
    if inherited is not None:
        inherited.inherited = True
        _inherited = dict(inherited.attempts)


after_fork(_fork)
