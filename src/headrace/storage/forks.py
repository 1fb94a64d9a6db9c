"""What a fork means to storage: it happens while no statement runs, and the child lets go of what its parent holds.

A child forked in the middle of a statement would find the database library's own locks taken for ever. And
two processes must not share connections or file locks: what the child inherits is given up at once.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from types import TracebackType

PATIENCE = 10.0
"""Seconds a fork waits for statements to end. After that it goes ahead, and the child leaves alone what was in use."""


class Gate:
    """Statements run inside; a fork shuts it, waits until nobody is inside, and opens it again.

    Two threads may fork at once: it is open when both have.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._shut = 0

    def __enter__(self) -> None:
        with self._changed:
            while self._shut:
                self._changed.wait()
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._inside -= 1
            if self._shut:
                self._changed.notify_all()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is inside."""
        return not self._inside

    def shut(self) -> None:
        """Let nobody in, and wait for those inside."""
        with self._changed:
            self._shut += 1
            self._changed.wait_for(lambda: not self._inside, PATIENCE)

    def open(self) -> None:
        """Let everybody in again."""
        with self._changed:
            self._shut -= 1
            self._changed.notify_all()


gate = Gate()
_reactions: list[Callable[[], object]] = []
_holders: weakref.WeakSet[Holder] = weakref.WeakSet()


class Holder:
    """Something that holds connections or locks and must let go of them in a forked child."""

    def __init__(self) -> None:
        _holders.add(self)

    def let_go(self, *, quiet: bool) -> None:
        """Give up, in the child, what the parent holds. `quiet`: no statement was running when the fork happened."""
        raise NotImplementedError


def in_child(reaction: Callable[[], object]) -> None:
    """Call `reaction` in every forked child."""
    _reactions.append(reaction)


def _begin_child() -> None:
    quiet = gate.is_quiet
    Gate.__init__(gate)
    for holder in list(_holders):
        holder.let_go(quiet=quiet)
    for reaction in _reactions:
        reaction()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=gate.shut, after_in_parent=gate.open, after_in_child=_begin_child)
