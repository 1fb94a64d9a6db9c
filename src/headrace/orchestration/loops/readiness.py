"""Readiness: tells of pools, queues, deployments and workers when they begin or cease to be served."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import msgspec

from headrace.base.clock import SYSTEM, Clock, to_datetime
from headrace.base.ids import uuid7
from headrace.orchestration.desk import Desk
from headrace.orchestration.events import CUSTOM, EventRow, append
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.unit import Unit
from headrace.schema.wire_event import ID, NAME, ROLE, Resource, WireEvent
from headrace.storage import serving
from headrace.storage.database import Database
from headrace.storage.serving import Change
from headrace.storage.texts import storable_json

INTERVAL = 5.0
"""Seconds from one look to the next."""
BATCH = 500
"""How many changes of each kind one look tells of."""


class Readiness(Loop):
    """Appends an event for each that is ready, not ready or paused now and was not before; workers are online or offline.

    The status itself is worked out whenever somebody asks; this loop only tells those who listen.
    """

    name = "readiness"

    def __init__(self, database: Database, clock: Clock = SYSTEM, interval: float = INTERVAL) -> None:
        super().__init__(database, clock, interval)

    def run_once(self) -> int:
        """Look once; how many changes were told of."""
        return sum(self._tell(desk) for desk in self._desks())

    def _tell(self, desk: Desk) -> int:
        changes = desk.read(lambda unit: serving.find_changes(unit.connection, unit.workspace_id, unit.now, BATCH))
        return desk.write(lambda unit: tell_changes(unit, changes)) if changes else 0

    def _report(self, done: int) -> None:
        self._log.debug("%d pools, queues, deployments or workers have become ready, or are not any more.", done)


def tell_changes(unit: Unit, changes: list[Change]) -> int:
    """Append an event for each change that nobody else has told of; how many."""
    events = [
        _to_event(unit, change)
        for change in changes
        if serving.tell(unit.connection, unit.workspace_id, change, unit.now)
    ]
    append(unit, events)
    return len(events)


def _to_event(unit: Unit, change: Change) -> EventRow:
    occurred = to_datetime(unit.now)
    event = WireEvent(
        id=uuid7(),
        event=f"prefect.{change.kind}.{change.status.lower().replace('_', '-')}",
        occurred=occurred,
        received=occurred,
        resource={ID: f"prefect.{change.kind}.{change.subject_id}", NAME: change.name},
        related=[*_relate(change)],
    )
    return CUSTOM, event.id, None, unit.now, storable_json(msgspec.to_builtins(event))


def _relate(change: Change) -> Iterator[Resource]:
    related: tuple[tuple[str, UUID | None], ...] = (
        ("flow", change.flow_id),
        ("work-pool", change.work_pool_id),
        ("work-queue", change.work_queue_id),
    )
    for role, of in related:
        if of is not None:
            yield {ID: f"prefect.{role}.{of}", ROLE: role}
