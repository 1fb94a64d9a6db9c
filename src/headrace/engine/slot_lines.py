"""Who of one process waits for the same slots: one at a time stands in line at the orchestrator, for all of them.

A thousand tasks of one tag then cost the orchestrator no more than one that waits; between processes its line decides.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from uuid import UUID


class SlotLines:
    """A line for each set of limits. `call` wakes whoever has come to the front of one."""

    def __init__(self, call: Callable[[UUID], None]) -> None:
        self._call = call
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, ...], deque[UUID]] = {}

    def stand(self, names: Sequence[str], request_id: UUID) -> bool:
        """Join the line for these limits, or keep the place in it; whether it is the first."""
        with self._lock:
            line = self._lines.setdefault(tuple(sorted(names)), deque())
            if request_id not in line:
                line.append(request_id)
            return line[0] == request_id

    def leave(self, names: Sequence[str], request_id: UUID) -> None:
        """Leave the line, if one stands in it; who comes to its front is called."""
        key = tuple(sorted(names))
        following: UUID | None = None
        with self._lock:
            line = self._lines.get(key)
            if line is None or request_id not in line:
                return
            first = line[0] == request_id
            line.remove(request_id)
            if not line:
                del self._lines[key]
            elif first:
                following = line[0]
        if following is not None:
            self._call(following)
