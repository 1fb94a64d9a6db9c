"""Places of a bounded pool: who waits for another run lends the place to others meanwhile, or nobody could ever go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

_here = threading.local()


class Places:
    """So many at once."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lent = 0
        self._taken = 0
        self._returning = 0
        self._changed = threading.Condition()

    def take(self) -> None:
        """Wait for a place, behind those who want theirs back."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken < self.count and not self._returning)
            self._taken += 1

    def give_back(self) -> None:
        """Have no place any more."""
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    def lend(self) -> None:
        """Let somebody else have the place."""
        with self._changed:
            self.lent += 1
            self._taken -= 1
            self._changed.notify_all()

    def take_back(self) -> None:
        """Wait until there is a place again; who is interrupted has one all the same."""
        with self._changed:
            self._returning += 1
            try:
                self._changed.wait_for(lambda: self._taken < self.count)
            finally:
                self._returning -= 1
                self.lent -= 1
                self._taken += 1
                self._changed.notify_all()


class Seat:
    """The place of one piece of work, which may wait in several ways at once. `lent` is called when it has been lent."""

    def __init__(self, places: Places, lent: Callable[[], None]) -> None:
        self._places = places
        self._lent = lent
        self._lock = threading.Lock()
        self._waits = 0
        self._left = False

    def begin_wait(self) -> None:
        """Lend the place, unless it is lent already."""
        with self._lock:
            self._waits += 1
            if self._left or self._waits > 1:
                return
            self._places.lend()
        self._lent()

    def end_wait(self) -> None:
        """Have the place back, if nothing else of the work waits."""
        with self._lock:
            self._waits -= 1
            if not (self._left or self._waits):
                self._places.take_back()

    def leave(self) -> None:
        """The work has ended; a thread of it that could not be interrupted may still wait."""
        with self._lock:
            self._left = True
            if self._waits:
                self._places.take_back()
            self._places.give_back()


def current_seat() -> Seat | None:
    """The seat of the work that this thread does, if it has one."""
    return getattr(_here, "seat", None)


@contextmanager
def occupying(places: Places, lent: Callable[[], None]) -> Generator[None]:
    """Have a place within the block, as soon as there is one."""
    places.take()
    seat = Seat(places, lent)
    try:
        with sitting(seat):
            yield
    finally:
        seat.leave()


@contextmanager
def sitting(seat: Seat | None) -> Generator[None]:
    """Do the work of a seat on this thread within the block."""
    before = current_seat()
    _here.seat = seat
    try:
        yield
    finally:
        _here.seat = before


@contextmanager
def lending_place() -> Generator[None]:
    """Let others have the place of this work within the block, in which it waits; if it has one."""
    seat = current_seat()
    if seat is None:
        yield
        return
    seat.begin_wait()
    try:
        yield
    finally:
        seat.end_wait()
