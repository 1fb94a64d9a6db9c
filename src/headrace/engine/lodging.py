"""The sessions of a process that executes task runs of others: one for each orchestrator that it is sent runs of.

A worker of a cluster may serve several at once, and for months: a session that nobody needs is closed after a while, so that
an idle worker holds no connection and stands in nobody's way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from headrace.base.settings import Settings
from headrace.engine.forks import after_fork
from headrace.engine.session import Session, at_exit, lending, process_session, swap_session
from headrace.schema.fact import Fact

IDLE = 30.0
"""Seconds after which a session is closed that nobody has needed."""


class Lodging:
    """A session, and the flow runs it serves at the moment, each with the number of its task runs here."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.guests: dict[UUID, int] = {}
        self.arrivals = 0

    def enter(self, flow_run_id: UUID, epoch: int) -> None:
        """What is told from here on belongs to this attempt of the flow run."""
        self.arrivals += 1
        self.guests[flow_run_id] = self.guests.get(flow_run_id, 0) + 1
        attempts = self.session.attempts
        attempts[flow_run_id] = max(epoch, attempts.get(flow_run_id, epoch))

    def leave(self, flow_run_id: UUID) -> None:
        """One task run fewer."""
        self.guests[flow_run_id] -= 1
        if not self.guests[flow_run_id]:
            del self.guests[flow_run_id]
            self.session.attempts.pop(flow_run_id, None)


class Stay(NamedTuple):
    """A task run's stay in a session.

    `take_out` takes what the journal has not delivered yet; None when other runs may have told some of it, which are not to
    depend on what becomes of this one.
    """

    session: Session
    take_out: Callable[[], list[Fact] | None]


class Lodgings:
    """The lodgings of a process, by the settings of those who sent the runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lodgings: dict[Settings, Lodging] = {}
        self._sweeper: threading.Thread | None = None
        self._closes_at_exit = False

    @contextmanager
    def lodge(
        self, settings: Settings, opener: Callable[[Settings], Session], flow_run_id: UUID, epoch: int
    ) -> Generator[Stay]:
        """Have a session with these settings be the current one within the block, for an attempt of a flow run."""
        own = process_session()
        if own is not None and own.settings == settings and not self._is_lent(own):
            with lending(own):  # the flow itself is executed here
                yield Stay(own, list)
            return
        with self._lock:
            lodging = self._lodgings.get(settings) or self._open(settings, opener)
            lodging.enter(flow_run_id, epoch)
        try:
            with lending(lodging.session):
                yield Stay(lodging.session, lambda: self._take_out(lodging))
        finally:
            with self._lock:
                lodging.leave(flow_run_id)
                self._sweep_later()

    def close(self) -> None:
        """Close all, at the end of the process."""
        with self._lock:
            lodgings = [*self._lodgings.values()]
            self._lodgings.clear()
        for lodging in lodgings:
            self._close(lodging)

    def forget(self) -> None:
        """In a forked child: they are the parent's."""
        for lodging in self._lodgings.values():
            lodging.session.inherited = True
        self.__init__()

    def _take_out(self, lodging: Lodging) -> list[Fact] | None:
        with self._lock:
            alone = sum(lodging.guests.values()) == 1
            return lodging.session.journal.take_out() if alone else None

    def _is_lent(self, session: Session) -> bool:
        return any(lodging.session is session for lodging in [*self._lodgings.values()])

    def _open(self, settings: Settings, opener: Callable[[Settings], Session]) -> Lodging:
        session = opener(settings)
        if process_session() is None:  # threads that user code starts know no other
            swap_session(session)
        if not self._closes_at_exit:
            self._closes_at_exit = True
            at_exit(self.close)
        lodging = self._lodgings[settings] = Lodging(session)
        return lodging

    def _close(self, lodging: Lodging) -> None:
        if process_session() is lodging.session:
            swap_session(None)
        lodging.session.close()

    def _sweep_later(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="headrace-lodgings", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """Close what nobody has needed for a while, until nothing is left."""
        pause, seen = threading.Event(), dict[Settings, int]()
        while True:
            pause.wait(IDLE)
            with self._lock:
                idle = {
                    settings: lodging
                    for settings, lodging in self._lodgings.items()
                    if not lodging.guests and seen.get(settings) == lodging.arrivals
                }
                for settings in idle:
                    del self._lodgings[settings]
                seen = {settings: lodging.arrivals for settings, lodging in self._lodgings.items()}
                over = not self._lodgings
                if over:
                    self._sweeper = None
            for lodging in idle.values():
                self._close(lodging)
            if over:
                return


lodgings = Lodgings()
"""Those of this process."""

after_fork(lodgings.forget)
