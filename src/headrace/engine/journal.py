"""The journal: facts in order, delivered in batches in the background, none lost and none twice.

Facts are numbered from 1. Those not yet acknowledged stay in memory, so a delivery that failed midway is simply sent
again: the receiver skips what it has. Memory is bounded; when it is full `emit` waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.ledger import Ledger
from headrace.schema.fact import ArtifactFact, Batch, Fact, LogFact, TaskStateFact

CHUNK = 2_000
"""The most facts in one delivery."""

GATHER = 0.02
"""Seconds the journal waits for company before it delivers a lone fact."""

MISTAKES = (TypeError, ValueError, OverflowError)
"""What is raised for a fact that nobody can record: a number where a text belongs, one that no column holds."""

log = logging.getLogger("headrace.journal")


def weigh(fact: Fact) -> int:
    """About how many bytes of memory a fact takes; generous, and cheap to tell."""
    if isinstance(fact, LogFact):
        return 300 + len(fact.message)
    if isinstance(fact, ArtifactFact):
        return 500 + (len(fact.data) if isinstance(fact.data, str) else 2_000)
    return 700


class Journal:
    """The facts of one process on their way to the orchestrator.

    `deliver` stores a batch and returns the last sequence number stored; it raises `Unavailable` when the batch should be
    sent again. `attempts` is the live mapping of flow run to epoch that travels with each batch. `limit` is in bytes,
    `outage_limit` in seconds. `give_up` takes a batch that could not be delivered within the limit, or is refused.
    `find_ledger` says where facts can be noted that must survive this process.
    """

    def __init__(
        self,
        deliver: Callable[[Batch], int],
        attempts: dict[UUID, int],
        give_up: Callable[[Batch], None],
        limit: int = 64 * 2**20,
        outage_limit: float = 1800.0,
        find_ledger: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._deliver = deliver
        self._attempts = attempts
        self._give_up = give_up
        self._limit = limit
        self._outage_limit = outage_limit
        self._id = uuid7()
        self._first = 1
        self._facts: list[Fact] = []
        self._bytes = 0
        self._lock = threading.Lock()  # guards the facts
        self._room = threading.Condition(self._lock)
        self._delivery = threading.RLock()  # one delivery at a time, in order
        self._deliverer: int | None = None
        self._something = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._closed = False
        self._outage_since: float | None = None
        self._in_doubt = False
        self._find_ledger = find_ledger
        self._ledger: Ledger | None = None
        self._noted = 0
        self._noting = threading.Lock()  # guards the ledger; taken before the facts are guarded

    def emit(self, fact: Fact) -> None:
        """Add a fact. Returns at once unless the memory limit is reached; then it waits for room and says so."""
        weight = weigh(fact)
        with self._lock:
            # No calls in here: an interrupt arrives at a call, and would leave one half done.
            self._facts += (fact,)
            self._bytes += weight
            full = self._bytes > self._limit
        if not self._something.is_set():
            self._wake()
        if full:
            self._wait_for_room()

    def is_full(self) -> bool:
        """Whether the next `emit` would wait."""
        return self._bytes > self._limit

    def flush(self) -> None:
        """Deliver everything emitted so far on this thread. Raises `Unavailable` when that does not succeed."""
        with self._alone():
            left = len(self._facts)
            while left > 0:
                left -= self._deliver_chunk()

    def secure(self) -> None:
        """Return when everything emitted so far survives the death of this process: noted in a ledger, or delivered.

        Raises `Unavailable` when it can be neither.
        """
        if self._ledger is None:
            path = self._find_ledger()
            if path is None:
                self.flush()
                return
            self._ledger = Ledger(path)
        try:
            self._note(self._ledger)
        except OSError as error:
            log.warning("What must not be lost is delivered at once, since it cannot be noted: %s", error)
            self.flush()

    def _note(self, ledger: Ledger) -> None:
        """Note the facts that are not noted yet."""
        with self._noting:
            with self._lock:
                first = max(self._noted + 1, self._first)
                facts = self._facts[first - self._first :]
            if facts:
                ledger.note(Batch(self._id, first, facts, dict(self._attempts)))
                self._noted = first + len(facts) - 1

    @contextmanager
    def carry(self) -> Generator[Batch | None]:
        """Hand everything undelivered to a request that stores it together with what it asks.

        If the block raises, the facts stay undelivered.
        """
        with self._alone():
            while len(self._facts) > CHUNK:
                self._deliver_chunk()
            batch = self._next_batch()
            yield batch
            self._acknowledge(self._first - 1 if batch is None else batch.last)

    def surrender(self, keep: Callable[[Batch | None], None]) -> None:
        """Give up everything undelivered, the last batch to `keep`, which stores it together with a request."""
        with self._alone():
            while len(self._facts) > CHUNK:
                self._surrender_chunk()
            batch = self._next_batch()
            keep(batch)
            if batch is not None:
                self._let_go(batch.last)
            self._begin_anew()

    def take_out(self) -> list[Fact]:
        """Take out everything undelivered, for somebody else to journal."""
        with self._alone():
            with self._lock:
                facts, self._facts, self._bytes = self._facts, [], 0
                self._room.notify_all()
            if self._in_doubt or self._noted:  # some may have been stored all the same, so their numbers are used up
                self._begin_anew()
            return facts

    def close(self) -> None:
        """Deliver what is left and stop. What cannot be delivered now is given up to the spool, and so is what comes later."""
        self._closing.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()
        with self._alone():
            self._closed = True  # from here on, whoever emits finds nobody awake and gives up its facts by itself
            self._something.clear()
            reason: object = "the session was closed"
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 - whatever it is, the facts must be kept
                reason = error
            if self._facts:
                self._abandon(reason)
            if self._ledger is not None and not self._facts:
                self._ledger.clear()

    def _wake(self) -> None:
        if self._closed:
            if self._deliverer != threading.get_ident():  # else `close`, whose delivery this is, looks again
                self._abandon("the session was closed")
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="headrace-journal", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no thread is to be had just now: the next fact tries again
                    return
                self._thread = thread
        self._something.set()

    def _run(self) -> None:
        pause = GATHER
        while not self._closing.is_set():
            self._something.wait()
            self._closing.wait(pause)
            self._something.clear()
            try:
                self.flush()
                pause = GATHER
            except Exception as error:  # noqa: BLE001 - nobody else would deliver if this thread died
                if isinstance(error, errors.GatewayError) and not isinstance(error, errors.Unavailable):
                    self._abandon(error)
                else:
                    self._outage(error)
                if self._facts:
                    asked = error.retry_after if isinstance(error, errors.Unavailable) else None
                    pause = max(min(max(pause * 2, 0.1), 5.0), asked or 0.0)
                    self._something.set()

    def _outage(self, error: Exception) -> None:
        now = clock.monotonic()
        if self._outage_since is None:
            self._outage_since = now
            log.warning("The orchestrator cannot be reached, runs go on and are recorded when it can: %s", error)
        elif now - self._outage_since > self._outage_limit:
            self._abandon(error)

    def _deliver_chunk(self) -> int:
        """Deliver the first facts and return how many they were."""
        batch = self._first_batch()
        try:
            self._acknowledge(self._deliver(batch))
        except errors.LostFacts as error:
            # The orchestrator was put back to an earlier moment. What it has lost is lost; this is not.
            log.warning("Facts that were recorded have been lost, those that follow are not: %s", error)
            self._begin_anew()
            self._acknowledge(self._deliver(self._first_batch()))
        except MISTAKES:
            for fact in batch.facts:
                self._deliver_alone(fact)
        return len(batch.facts)

    def _deliver_alone(self, fact: Fact) -> None:
        """Deliver the first fact by itself; in the place of one that nobody can record, a line that says so."""
        try:
            last = self._deliver(self._batch_of([fact]))
        except MISTAKES as error:
            text = f"A {type(fact).__name__} could not be recorded ({type(error).__name__}: {error})."
            log.error("%s", text)  # noqa: TRY400 - the reason is one sentence
            flow_run_id = getattr(fact, "flow_run_id", None)
            task_run_id = fact.id if isinstance(fact, TaskStateFact) else getattr(fact, "task_run_id", None)
            line = LogFact(uuid7(), log.name, logging.ERROR, text, clock.micros(), flow_run_id, task_run_id)
            last = self._deliver(self._batch_of([line]))
        self._acknowledge(last)

    def _next_batch(self) -> Batch | None:
        return self._first_batch() if self._facts else None

    def _first_batch(self) -> Batch:
        with self._lock:
            facts = self._facts[:CHUNK]
        return self._batch_of(facts)

    def _batch_of(self, facts: list[Fact]) -> Batch:
        self._in_doubt = True
        return Batch(self._id, self._first, facts, dict(self._attempts))

    def _acknowledge(self, last: int) -> None:
        if self._outage_since is not None:
            self._outage_since = None
            log.warning("The orchestrator is reached again; what was journaled meanwhile is being recorded.")
        self._let_go(last)

    def _let_go(self, last: int) -> None:
        with self._lock:
            count = last + 1 - self._first
            weight = sum(map(weigh, self._facts[:count]))
            # No calls between these: an interrupt arrives at a call, and would leave facts under other numbers.
            del self._facts[:count]
            self._first = last + 1
            self._bytes -= weight
            self._in_doubt = False
            self._room.notify_all()
        if self._ledger is not None and self._noted:
            with self._noting:
                self._ledger.forget(last)

    def _surrender_chunk(self) -> None:
        batch = self._first_batch()
        self._give_up(batch)
        self._let_go(batch.last)

    def _begin_anew(self) -> None:
        """Begin a new journal: what was given up must stay without a gap. What is noted is noted under its new numbers."""
        with self._noting:
            with self._lock:
                self._id, self._first, self._outage_since, self._in_doubt = uuid7(), 1, None, False
            noted, self._noted = self._noted, 0
            if self._ledger is not None and noted:
                self._ledger.clear()
        if self._ledger is not None and noted and self._facts:
            self._note(self._ledger)

    def _abandon(self, reason: object) -> None:
        """Give up everything undelivered to the spool."""
        with self._alone():
            count = len(self._facts)
            try:
                while self._facts:
                    self._surrender_chunk()
            except Exception as error:  # noqa: BLE001 - nobody would deliver what comes later
                log.error(  # noqa: TRY400 - the reasons are sentences
                    "%d facts can be neither recorded (%s) nor kept in the spool: %s", len(self._facts), reason, error
                )
                return
            self._begin_anew()
        if count:
            log.error(
                "%d facts could not be recorded and are kept in the spool until the next start: %s", count, reason
            )

    def _wait_for_room(self) -> None:
        if self._deliverer == threading.get_ident():  # what delivers has something to say: it must not wait for itself
            return
        if self._thread is None:  # nobody else delivers
            return
        log.warning(
            "The journal is full (%d MiB); the run waits until what it did so far is recorded.", self._limit >> 20
        )
        with self._room:
            while self._bytes > self._limit and not self._closed:
                self._room.wait(1.0)

    @contextmanager
    def _alone(self) -> Generator[None]:
        with self._delivery:
            outer, self._deliverer = self._deliverer, threading.get_ident()
            try:
                yield
            finally:
                self._deliverer = outer
