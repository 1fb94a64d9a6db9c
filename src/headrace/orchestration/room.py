"""Work pools and queues that are changed, and the workers that are told when there is room for runs now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from headrace.orchestration.events import SLOTS, append
from headrace.orchestration.places import list_queues
from headrace.orchestration.unit import Unit
from headrace.storage import tables
from headrace.storage import work_pools as queries
from headrace.storage.pool_rows import PoolRow, QueueRow

SOON = 20_000_000
"""Which runs workers are told of, in microseconds from now: those due later they find in time by looking every so often."""


def change_pool(unit: Unit, row: PoolRow, changed: dict[str, Any]) -> None:
    """Set columns of a pool; if more may run there now, workers hear of it."""
    queries.change_row(unit.connection, unit.workspace_id, tables.work_pools, row.id, changed)
    if _lets_in_more(row, changed):
        tell_of_room(unit, [queue.id for queue in list_queues(unit, row)])


def change_queue(unit: Unit, row: QueueRow, changed: dict[str, Any]) -> None:
    """Set columns of a queue; if more may run there now, workers hear of it."""
    queries.change_row(unit.connection, unit.workspace_id, tables.work_queues, row.id, changed)
    if _lets_in_more(row, changed):
        tell_of_room(unit, [row.id])


def tell_of_room(unit: Unit, queue_ids: Sequence[UUID]) -> None:
    """Have workers look for runs that wait in some queues, if any are due soon, as the end of a run in a full queue does."""
    run_id = queries.find_next_run(unit.connection, unit.workspace_id, queue_ids, unit.now + SOON)
    if run_id is not None:
        append(unit, [(SLOTS, queue_ids[0], run_id, unit.now, "{}")])


def _lets_in_more(row: PoolRow | QueueRow, changed: dict[str, Any]) -> bool:
    limit = changed.get("concurrency_limit", row.concurrency_limit)
    raised = row.concurrency_limit is not None and (limit is None or limit > row.concurrency_limit)
    return raised or (row.is_paused and not changed.get("is_paused", True))
