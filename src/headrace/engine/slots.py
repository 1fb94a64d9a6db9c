"""Slots of concurrency limits that this process holds: renewed while they are used, given back at once afterwards."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from headrace.base import clock, errors

if TYPE_CHECKING:
    from headrace.gateway.execution import Execution

log = logging.getLogger("headrace.concurrency")

PERIODS = 3
"""A lease is renewed so often within its duration: a renewal may fail once or twice and nothing is lost."""

AGAIN = 1.0
"""Seconds after which a renewal that found nobody is tried again, at most."""

MEMORY = 1.0
"""Seconds for which a name that had no limit is taken to have none: so long a new limit does not count here yet."""


class Lease:
    """Slots that are held. `lost` once they are not any more although nobody gave them back."""

    __slots__ = ("duration", "ends", "id", "lost", "names", "on_loss", "pid", "renewal")

    def __init__(self, lease_id: UUID, names: list[str], duration: float) -> None:
        self.id = lease_id
        self.names = names
        self.duration = duration
        self.pid = os.getpid()
        self.lost = False
        self.on_loss: Callable[[], None] | None = None
        self.extend(clock.monotonic())

    def extend(self, since: float) -> None:
        """It was granted or renewed after the instant `since`, and lasts at least so much longer."""
        self.ends = since + self.duration
        self.renewal = since + self.duration / PERIODS


class SlotKeeper:
    """Renews the leases of a process, on a thread that runs once there is one.

    A call that holds the interpreter for longer than a lease lasts keeps this thread from renewing it, as does a machine
    that sleeps: then the lease is lost, its slots are others', and the log says so.
    """

    def __init__(self, gateway: Execution) -> None:
        self._gateway = gateway
        self._changed = threading.Condition()
        self._leases: dict[UUID, Lease] = {}
        self._next: float | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._free: dict[str, float] = {}

    # which names matter

    def may_be_limited(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are not known to have no limit."""
        now = clock.monotonic()
        return [name for name in names if self._free.get(name, 0.0) <= now]

    def note_limited(self, names: Iterable[str], limited: Iterable[str]) -> None:
        """Remember which of the names have no limit just now."""
        until = clock.monotonic() + MEMORY
        for name in names:
            self._free[name] = until
        for name in limited:
            self._free.pop(name, None)

    # leases

    def hold(self, lease: Lease) -> None:
        """Renew the lease until it is let go."""
        with self._changed:
            self._leases[lease.id] = lease
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="headrace-slots", daemon=True)
                self._thread.start()
            elif self._next is None or lease.renewal < self._next:
                self._changed.notify()

    def drop(self, lease: Lease) -> None:
        """Renew it no more: it runs out by itself."""
        with self._changed:
            self._leases.pop(lease.id, None)

    def release(self, lease: Lease) -> None:
        """Give the slots back. A forked child gives nothing back: the slots are its parent's."""
        self.drop(lease)
        if lease.lost or lease.pid != os.getpid():
            return
        try:
            self._gateway.release_slots(lease.id)
        except errors.GatewayError as error:
            log.warning(
                "Slots of %s could not be given back and come free within %g s: %s",
                ", ".join(lease.names), lease.duration, error,
            )  # fmt: skip

    def close(self) -> None:
        """Give everything back, and renew nothing any more."""
        with self._changed:
            self._closed = True
            held = [*self._leases.values()]
            self._changed.notify()
        for lease in held:
            self.release(lease)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (due := self._find_due()):
                    if self._closed:
                        return
                    self._changed.wait(None if self._next is None else max(self._next - clock.monotonic(), 0.0))
            for lease in due:
                self._renew(lease)

    def _find_due(self) -> list[Lease]:
        self._next = min((lease.renewal for lease in self._leases.values()), default=None)
        now = clock.monotonic()
        return [] if self._closed else [lease for lease in self._leases.values() if lease.renewal <= now]

    def _renew(self, lease: Lease) -> None:
        asked = clock.monotonic()
        try:
            if self._gateway.renew_slots(lease.id, lease.duration):
                lease.extend(asked)
                return
        except errors.GatewayError as error:
            log.debug("The lease on %s cannot be renewed just now: %s", ", ".join(lease.names), error)
            if clock.monotonic() < lease.ends:
                lease.renewal = min(clock.monotonic() + AGAIN, lease.ends)
                return
        self._lose(lease)

    def _lose(self, lease: Lease) -> None:
        with self._changed:
            if self._leases.pop(lease.id, None) is None:  # given back meanwhile
                return
            lease.lost = True
        log.error(
            "The lease on slots of %s ran out while they were used: others may have them.", ", ".join(lease.names)
        )
        if lease.on_loss is not None:
            lease.on_loss()
