"""Background loops: what looks after everything by itself, where, and how that goes."""

from __future__ import annotations

from datetime import datetime

from headrace.schema.wire import Wire


class LoopStatus(Wire, kw_only=True):
    """A loop, and which process has it. `interval`, `took` and `lag` are in seconds; a lag is how much later than it should
    a look began. `done` is how much there was to do since that process has it; `error` is why the last look failed, if it did.
    """

    name: str
    interval: float
    place: str | None = None
    last_seen: datetime | None = None
    last_look: datetime | None = None
    took: float | None = None
    lag: float | None = None
    done: int = 0
    error: str | None = None
