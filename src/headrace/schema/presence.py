"""How the process that executes a run shows that it is alive."""

from __future__ import annotations

from typing import Literal

from headrace.schema.wire import Request


class Presence(Request, kw_only=True):
    """How an attempt shows that it is alive.

    `lock`: the process holds the lock called `name` beside the database for as long as it lives, the kernel or the
    database frees it when it dies. `beat`: somebody beats for it at least every `interval` seconds.
    `none`: nobody will ever tell (clients of the contract that never beat).
    """

    kind: Literal["lock", "beat", "none"] = "none"
    name: str | None = None
    interval: float | None = None
