"""What a process tells the one that beats for it: first its charge, then each attempt that begins or ends, a line each."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class Charge(Struct, array_like=True):
    """Where to beat, with which key, and every how many seconds."""

    api_url: str
    api_key: str | None
    interval: float


class Attempt(Struct, array_like=True):
    """The attempt of a run that is alive; without an epoch, the run is over."""

    flow_run_id: UUID
    epoch: int | None
