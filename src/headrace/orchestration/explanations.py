"""Why a flow run is not running: what the rules have to know, collected in one reading of the database."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.orchestration.flow_runs import read_flow_run
from headrace.orchestration.holders import tell_limit, tell_pool, tell_queue
from headrace.orchestration.unit import Unit
from headrace.rules.explanations import ClaimFacts, DeploymentFacts, PlaceFacts, RunFacts, TaskWait, explain
from headrace.rules.slots import TAG_LIMIT
from headrace.rules.transitions import SCHEDULED
from headrace.schema.explanation import Explanation, HeldLimit
from headrace.schema.run import FlowRun
from headrace.storage import compiled, deployments, limits, schedules, work_pools
from headrace.storage import explanations as queries
from headrace.storage.pool_rows import QueueRow, was_polled
from headrace.storage.rows import to_instant

DEEPEST = 50
"""How many callers of a run are looked at."""

TASKS = 10
"""How many tasks that wait for slots are told of."""


def explain_flow_run(unit: Unit, flow_run_id: UUID) -> Explanation:
    """Why a run is not running. Raises `ObjectNotFound`."""
    run = read_flow_run(unit, flow_run_id)
    lease = queries.find_lease(unit.connection, unit.workspace_id, run.id)
    facts = RunFacts(
        now=to_datetime(unit.now),
        run=run,
        place=_find_place(unit, run),
        deployment=_find_deployment(unit, run),
        claim=lease
        and ClaimFacts(holder=lease.holder, since=to_datetime(lease.created), shown=lease.presence_kind != "none"),
        waits=tuple(_find_waits(unit, run)),
        ancestors=frozenset(_find_ancestors(unit, run.id)),
    )
    return Explanation(
        flow_run_id=run.id,
        name=run.name,
        state_type=run.state_type,
        state_name=run.state_name,
        reasons=explain(facts),
    )


def _find_place(unit: Unit, run: FlowRun) -> PlaceFacts | None:
    queues = unit.fetch(compiled.find_queues, ids=[run.work_queue_id]) if run.work_queue_id is not None else []
    if not queues:
        return None
    queue = QueueRow._make(queues[0])
    (pool,) = work_pools.find_pools(unit.connection, unit.workspace_id, [queue.work_pool_id])
    told = [tell_queue(unit, queue)] if queue.concurrency_limit is not None else []
    told += [tell_pool(unit, pool)] if pool.concurrency_limit is not None else []
    return PlaceFacts(
        pool=pool.name,
        queue=queue.name,
        pool_paused=pool.is_paused,
        queue_paused=queue.is_paused,
        online=work_pools.count_online_workers(unit.connection, unit.workspace_id, pool.id, unit.now),
        seen=to_instant(queries.last_seen(unit.connection, unit.workspace_id, pool.id)),
        polled=to_instant(queue.last_polled),
        polled_lately=was_polled(queue.last_polled, unit.now),
        full=tuple(each for each in told if each.limit is not None and each.used >= each.limit),
    )


def _find_deployment(unit: Unit, run: FlowRun) -> DeploymentFacts | None:
    ids = [] if run.deployment_id is None else [run.deployment_id]
    for row in deployments.find_deployments(unit.connection, unit.workspace_id, ids):
        limit, place = _find_limit(unit, run, row.global_concurrency_limit_id)
        active: bool | None = None
        if run.auto_scheduled and run.created_by is not None:
            known = schedules.list_schedules(unit.connection, unit.workspace_id, [row.id])
            active = any(each.active for each in known if each.id == run.created_by.id)
        return DeploymentFacts(
            name=row.name,
            paused=row.paused,
            polled_lately=was_polled(row.last_polled, unit.now),
            limit=limit,
            place=place,
            scheduled=active,
        )
    return None


def _find_limit(unit: Unit, run: FlowRun, limit_id: UUID | None) -> tuple[HeldLimit | None, int | None]:
    """The limit of a run's deployment, if the run waits for it or would have to, and the place of the run in line."""
    if limit_id is None or run.state_type is not SCHEDULED:
        return None, None
    found = queries.find_limits_with_ids(unit.connection, unit.workspace_id, [limit_id]).get(limit_id)
    if found is None or not found.active:
        return None, None
    ahead = queries.count_ahead(unit.connection, unit.workspace_id, limit_id, run.id)
    told = tell_limit(unit, found)
    if told.used + (ahead or 0) < found.slots:
        return None, None
    return told, None if ahead is None else ahead + 1


def _find_waits(unit: Unit, run: FlowRun) -> Iterator[TaskWait]:
    """The tasks of a run that wait for slots, and its own code where it does."""
    tasks = queries.list_waiting_tasks(unit.connection, unit.workspace_id, run.id, TASKS)
    of_run = [] if run.state_type is SCHEDULED else [run.id]
    asked = queries.list_waits(unit.connection, unit.workspace_id, [*of_run, *(task[0] for task in tasks)])
    rows = queries.find_limits_with_ids(unit.connection, unit.workspace_id, {wait.limit_id for wait in asked})
    told = {limit_id: tell_limit(unit, row) for limit_id, row in rows.items()}
    own = [wait for wait in asked if wait.holder_id == run.id]
    if own:
        yield TaskWait(name=None, since=to_datetime(own[0].created), limits=_limits(told, own))
    for task_id, name, since in tasks:
        waiting = [wait for wait in asked if wait.holder_id == task_id]
        held = _limits(told, waiting) or tuple(_find_tag_limits(unit, task_id))
        yield TaskWait(name=name, since=to_datetime(since), limits=held)


def _limits(told: dict[UUID, HeldLimit], waits: list[queries.WaitRow]) -> tuple[HeldLimit, ...]:
    return tuple(told[wait.limit_id] for wait in waits if wait.limit_id in told)


def _find_tag_limits(unit: Unit, task_run_id: UUID) -> Iterator[HeldLimit]:
    """The limits on the tags of a task run. Of one process a single request stands in line, for all of its tasks."""
    tags = queries.list_tags(unit.connection, unit.workspace_id, task_run_id)
    names = [f"{TAG_LIMIT}{tag}" for tag in tags]
    for row in limits.find_limits(unit.connection, unit.workspace_id, names) if names else ():
        if row.active:
            yield tell_limit(unit, row)


def _find_ancestors(unit: Unit, flow_run_id: UUID) -> Iterator[UUID]:
    """The runs that have called a run, directly or through others."""
    parent: UUID | None = flow_run_id
    for _ in range(DEEPEST):
        parent = queries.find_parent(unit.connection, unit.workspace_id, parent)
        if parent is None:
            return
        yield parent
