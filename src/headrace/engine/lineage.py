"""Which task run a value came from, so that the graph of a run can be drawn from what was passed to what.

Values are recognised by identity and never kept alive: those that allow weak references are watched, plain containers are
recognised by identity, type and length (an id may be used again: a wrong edge in a drawing is the worst that can follow).
"""

from __future__ import annotations

import threading
import weakref
from typing import Any
from uuid import UUID

_UNTRACKED = frozenset({type(None), bool, int, float, str, bytes, complex})
_CONTAINERS = (list, tuple, dict, set, frozenset)
_REMEMBERED = 10_000
_UNPACKED = 32


class Lineage:
    """The values made by the task runs of one flow run."""

    def __init__(self) -> None:
        self._origins: dict[int, tuple[UUID, Any, int | None]] = {}
        self._lock = threading.Lock()

    def record(self, value: Any, task_run_id: UUID) -> None:
        """Remember that `value`, and what it holds if it is a short sequence, came from the task run."""
        if type(value) in _UNTRACKED:
            return
        self._remember(value, task_run_id)
        if isinstance(value, (tuple, list)) and len(value) <= _UNPACKED:  # pyright: ignore[reportUnknownArgumentType]
            for place, item in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                if type(item) not in _UNTRACKED:  # pyright: ignore[reportUnknownArgumentType]
                    self._remember(item, task_run_id, place)

    def origin(self, value: Any) -> UUID | None:
        """The task run the value came from, if it is known."""
        if not self._origins or type(value) in _UNTRACKED:
            return None
        known = self._origins.get(id(value))
        if known is None:
            return None
        task_run_id, mark, _ = known
        if isinstance(mark, weakref.ref):
            return task_run_id if mark() is value else None  # pyright: ignore[reportUnknownVariableType]
        return task_run_id if type(value) is mark[0] and len(value) == mark[1] else None

    def name(self, value: Any) -> str | None:
        """What the value is called by where it came from: the task run, and its place in what that returned.

        None for what could be mistaken for another: what is only recognised by its type and length.
        """
        known = self._origins.get(id(value)) if self._origins else None
        if known is None or not isinstance(known[1], weakref.ref) or known[1]() is not value:
            return None
        task_run_id, _, place = known
        return str(task_run_id) if place is None else f"{task_run_id}[{place}]"

    def _remember(self, value: Any, task_run_id: UUID, place: int | None = None) -> None:
        if isinstance(value, _CONTAINERS):
            mark: Any = (type(value), len(value))  # pyright: ignore[reportUnknownArgumentType]
        else:
            try:
                mark = weakref.ref(value)
            except TypeError:
                return
        with self._lock:
            if len(self._origins) >= _REMEMBERED:
                self._origins.pop(next(iter(self._origins)))
            self._origins[id(value)] = (task_run_id, mark, place)  # pyright: ignore[reportUnknownArgumentType]
