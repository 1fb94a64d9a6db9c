"""Reports: what clients tell that keep no journal. Each has an id, and is stored once however often it is sent.

Such a client sends its reports in any order and names no epoch. The states of a task run are put in order by their
time, and within one instant by the ids of their reports.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct

from headrace.schema.fact import StateFact, TaskRunFact


class StateReport(Struct, tag="state"):
    """A task run entered a state. `run` says who it is, as each of its reports does; `state` has no ordinal yet."""

    id: UUID
    run: TaskRunFact
    state: StateFact
    run_count: int


class BeatReport(Struct, tag="beat"):
    """A flow run is alive, and will say so again within `interval` seconds."""

    id: UUID
    flow_run_id: UUID
    interval: float


class EventReport(Struct, tag="event"):
    """Something else happened. `body` is the event as it was sent, `occurred` is in microseconds."""

    id: UUID
    occurred: int
    body: dict[str, Any]
    flow_run_id: UUID | None = None


Report = StateReport | BeatReport | EventReport
