"""Claims: runs that are due go to whoever takes them first, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from headrace.base.clock import to_micros
from headrace.orchestration.deployment_slots import hold_limits
from headrace.orchestration.places import count_active, list_queues, load_pool, name_places
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.unit import Unit
from headrace.rules.transitions import PENDING, SCHEDULED
from headrace.schema.orchestration import Claim, ClaimRequest, Decision, DueRequest, Proposal, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import StateCreate, StateDetails
from headrace.storage import compiled
from headrace.storage.database import Statement
from headrace.storage.pool_rows import PoolRow, QueueRow
from headrace.storage.rows import FlowRunRow, to_current_state, to_flow_run

ROUNDS = 20
"""How often others are looked for in one claim, in place of runs that were put in line."""

POLL_NOTED = 10_000_000
"""How old a note of the last poll may be before it is renewed, in microseconds."""


def claim_flow_runs(unit: Unit, request: ClaimRequest) -> list[Claim]:
    """Take runs that are due: each becomes PENDING under a new epoch, its lease the claimant's.

    Runs whose deployment has no room are put in line, or cancelled, and others are looked for in their place.
    """
    claims: list[Claim] = []
    for _ in range(ROUNDS):
        found = _find_due(unit, replace(request, limit=request.limit - len(claims)))
        taken = _claim(unit, request, found)
        claims += taken
        if len(taken) == len(found):
            break
    name_places(unit, [claim.flow_run for claim in claims])
    return claims


def _claim(unit: Unit, request: ClaimRequest, found: Sequence[FlowRunRow]) -> list[Claim]:
    """Take those of the runs, which are held and have room in their pools, whose deployments have room as well."""
    claims: list[Claim] = []
    hold_limits(unit, (row.deployment_id for row in found))
    for row in found:
        proposal = Proposal(flow_run_id=row.id, state=StateCreate(type=PENDING), presence=request.presence)
        decision = propose(unit, proposal, holder=request.claimant, placed=True)
        if isinstance(decision, Decision) and decision.verb is Verb.ACCEPT:
            claims.append(Claim(flow_run=decision.flow_run, epoch=decision.epoch))
    return claims


def list_due_flow_runs(unit: Unit, request: DueRequest) -> list[FlowRun]:
    """The runs that a claim would be given, without taking them."""
    runs = [to_flow_run(row, unit.now) for row in _find_due(unit, request)]
    name_places(unit, runs)
    return runs


def release_claim(unit: Unit, flow_run_id: UUID, epoch: int) -> bool:
    """Give a claimed run back unstarted; False when the claim was not held any more."""
    row = load_flow_run(unit, flow_run_id)
    if row is None or row.epoch != epoch or row.state_type != PENDING:
        return False
    state = to_current_state(row)
    time = state.state_details.scheduled_time if state else None
    back = StateCreate(type=SCHEDULED, state_details=StateDetails(scheduled_time=time))
    decision = propose(unit, Proposal(flow_run_id=flow_run_id, state=back, epoch=epoch))
    return isinstance(decision, Decision) and decision.verb is Verb.ACCEPT


def _find_due(unit: Unit, request: DueRequest) -> list[FlowRunRow]:
    narrowed: dict[str, Any] = {"before": to_micros(request.before)}
    if request.deployment_ids is not None:
        narrowed["deployment_ids"] = request.deployment_ids
        _note_poll(unit, compiled.poll_deployments, request.deployment_ids)
    if request.work_pool_name is None and request.work_queue_ids is None:
        statement = compiled.lock_due if request.deployment_ids is None else compiled.lock_due_of_deployments
        return _lock(unit, statement, limit=request.limit, **narrowed)
    found: list[FlowRunRow] = []
    queues = _load_queues(unit, request)
    _note_poll(unit, compiled.poll_queues, [queue.id for queue in queues])
    rooms = Rooms(unit, queues)
    statement = (
        compiled.lock_due_in_queues if request.deployment_ids is None else compiled.lock_due_in_queues_of_deployments
    )
    for equals in rooms.in_order():
        wanted = request.limit - len(found)
        coming: list[FlowRunRow] = []
        for together in rooms.apart(equals) if wanted > 0 else ():
            ids, most = [queue.id for queue in together], min(wanted, rooms.room_in(together[0]))
            if most > 0:
                coming += _lock(unit, statement, limit=most, work_queue_ids=ids, **narrowed)
        found += rooms.take(sorted(coming, key=_when_due), wanted)
    return found


def _lock(unit: Unit, statement: Statement, **parameters: Any) -> list[FlowRunRow]:
    return [FlowRunRow._make(values) for values in unit.fetch(statement, **parameters)]


def _load_queues(unit: Unit, request: DueRequest) -> list[QueueRow]:
    """The queues a request is about."""
    if request.work_pool_name is None:
        found = [QueueRow._make(row) for row in unit.fetch(compiled.find_queues, ids=request.work_queue_ids or [])]
    else:
        found = list_queues(unit, load_pool(unit, request.work_pool_name))
    if request.work_queue_names is not None:
        found = [queue for queue in found if queue.name in request.work_queue_names]
    if request.work_queue_ids is not None:
        found = [queue for queue in found if queue.id in request.work_queue_ids]
    return found


def _note_poll(unit: Unit, statement: Statement, ids: Sequence[UUID]) -> None:
    if ids:
        unit.execute(statement, ids=[*ids], before=unit.now - POLL_NOTED, new_last_polled=unit.now)


class Rooms:
    """How many more runs may execute in queues and their pools. Those with a limit are held until the unit ends."""

    def __init__(self, unit: Unit, queues: Sequence[QueueRow]) -> None:
        pools = sorted({queue.work_pool_id for queue in queues})
        rows = [PoolRow._make(row) for row in unit.fetch(compiled.lock_pools, ids=pools)] if pools else []
        self._pools = {pool.id: pool for pool in rows if not pool.is_paused}
        self._queues = [queue for queue in queues if not queue.is_paused and queue.work_pool_id in self._pools]
        self._open: dict[UUID | None, QueueRow] = {queue.id: queue for queue in self._queues}
        limits = [*(pool.concurrency_limit for pool in rows), *(queue.concurrency_limit for queue in queues)]
        self._active: dict[UUID, int] = {}
        self._active_in_pools: dict[UUID, int] = {}
        if any(limit is not None for limit in limits):
            self._count(unit)

    def in_order(self) -> Iterator[list[QueueRow]]:
        """The queues that are open, those of the same priority together, those of the first first."""
        for _, group in groupby(sorted(self._queues, key=_order), key=_priority):
            yield [*group]

    def apart(self, queues: Sequence[QueueRow]) -> Iterator[list[QueueRow]]:
        """The queues that have to be looked at one by one, and together those without any limit."""
        unlimited = [queue for queue in queues if not self._is_limited(queue)]
        if unlimited:
            yield unlimited
        yield from ([queue] for queue in queues if self._is_limited(queue))

    def take(self, runs: Iterable[FlowRunRow], most: int) -> list[FlowRunRow]:
        """The first of the runs for which there is room, at most so many; their places are taken."""
        taken: list[FlowRunRow] = []
        for run in runs:
            queue = self._open.get(run.work_queue_id)
            if len(taken) < most and queue is not None and self.room_in(queue) > 0:
                self._occupy(queue)
                taken.append(run)
        return taken

    def room_in(self, queue: QueueRow) -> int:
        """How many more runs may execute in the queue."""
        pool_limit = self._pools[queue.work_pool_id].concurrency_limit
        rooms = [2**31]
        if queue.concurrency_limit is not None:
            rooms.append(queue.concurrency_limit - self._active.get(queue.id, 0))
        if pool_limit is not None:
            rooms.append(pool_limit - self._active_in_pools.get(queue.work_pool_id, 0))
        return min(rooms)

    def _occupy(self, queue: QueueRow) -> None:
        self._active[queue.id] = self._active.get(queue.id, 0) + 1
        self._active_in_pools[queue.work_pool_id] = self._active_in_pools.get(queue.work_pool_id, 0) + 1

    def _is_limited(self, queue: QueueRow) -> bool:
        return queue.concurrency_limit is not None or self._pools[queue.work_pool_id].concurrency_limit is not None

    def _count(self, unit: Unit) -> None:
        self._active = count_active(unit)
        for pool in self._pools.values():
            of_pool = list_queues(unit, pool)
            self._active_in_pools[pool.id] = sum(self._active.get(queue.id, 0) for queue in of_pool)


def _priority(queue: QueueRow) -> int:
    return queue.priority


def _when_due(run: FlowRunRow) -> tuple[int, UUID]:
    return run.next_scheduled_start_time or 0, run.id


def _order(queue: QueueRow) -> tuple[int, UUID]:
    return queue.priority, queue.id
