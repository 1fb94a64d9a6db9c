"""Finding what the user named, and reading lists that are longer than a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.schema.deployment import Deployment
from headrace.schema.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    NameFilter,
    RunSelection,
    TaskRunFilter,
    TextFilter,
    WorkQueueFilter,
)
from headrace.schema.run import FlowRun, Page, TaskRun
from headrace.schema.wire import Stored
from headrace.schema.work_pool import WorkPool, WorkQueue

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

PAGE = 200

CANDIDATES = 1000
"""How many names are looked at for the one that was meant."""

Thing = TypeVar("Thing", bound=Stored)


def read_pages(fetch: Callable[[Page], list[Thing]], limit: int | None = None) -> list[Thing]:
    """Everything a list verb returns, or its first `limit` objects, read page by page.

    An object that moves to the next page while others arrive before it is taken once.
    """
    found: dict[UUID, Thing] = {}
    offset = 0
    while limit is None or len(found) < limit:
        size = PAGE if limit is None else min(PAGE, limit - len(found))
        page = fetch(Page(size, offset))
        found.update((thing.id, thing) for thing in page)
        offset += len(page)
        if len(page) < size:
            break
    return list(found.values())


def find_flow_run(administration: Administration, named: str) -> FlowRun:
    """The flow run with this id, or the only one of this name.

    Raises `ObjectNotFound`, and `InvalidRequest` when several have the name.
    """
    run_id = read_id(named)
    if run_id is not None:
        return administration.read_flow_run(run_id)
    selection = RunSelection(flow_runs=FlowRunFilter(name=TextFilter(any_=[named])))
    return _only(administration.list_flow_runs(selection, page=Page(2)), "flow run", named)


def find_task_run(administration: Administration, named: str) -> TaskRun:
    """The task run with this id, or the only one of this name.

    Raises `ObjectNotFound`, and `InvalidRequest` when several have the name.
    """
    run_id = read_id(named)
    if run_id is not None:
        return administration.read_task_run(run_id)
    selection = RunSelection(task_runs=TaskRunFilter(name=TextFilter(any_=[named])))
    return _only(administration.list_task_runs(selection, page=Page(2)), "task run", named)


def check_known(deployment: Deployment, given: Iterable[str]) -> None:
    """Raise `InvalidRequest` for a parameter that runs of the deployment do not have, if it has them checked."""
    from headrace.rules.arguments import find_unknown

    schema = deployment.parameter_openapi_schema or {}
    known: dict[str, Any] | None = schema.get("properties")
    if known is None or not deployment.enforce_parameter_schema or schema.get("additionalProperties"):
        return
    unknown = find_unknown([*known], given)
    if unknown is not None:
        raise InvalidRequest(f"Deployment {deployment.name!r} {unknown}")


def find_deployment(administration: Administration, named: str) -> Deployment:
    """The deployment with this id, called `flow/name`, or the only one of this name.

    Raises `ObjectNotFound`, which says what may have been meant, and `InvalidRequest` when several have the name.
    """
    deployment_id = read_id(named)
    if deployment_id is not None:
        return administration.read_deployment(deployment_id)
    flow_name, slash, name = named.partition("/")
    if slash:
        try:
            return administration.read_deployment_by_name(flow_name, name)
        except ObjectNotFound:
            found: list[Deployment] = []
    else:
        selection = RunSelection(deployments=DeploymentFilter(name=TextFilter(any_=[named])))
        found = administration.list_deployments(selection, page=Page(2))
    if not found:
        known = read_pages(lambda page: administration.list_deployments(page=page), CANDIDATES)
        names = name_deployments(administration, known)
        spellings = {full if slash else full.partition("/")[2]: full for full in names.values()}
        raise ObjectNotFound(f"There is no deployment {named!r}{say_meant(named, spellings)}")
    return _only(found, "deployment", named)


def find_work_pool(administration: Administration, name: str) -> WorkPool:
    """The work pool of this name. Raises `ObjectNotFound`, which says what may have been meant."""
    try:
        return administration.read_work_pool(name)
    except ObjectNotFound:
        known = read_pages(lambda page: administration.list_work_pools(page=page), CANDIDATES)
        meant = say_meant(name, {pool.name: pool.name for pool in known})
        raise ObjectNotFound(f"There is no work pool {name!r}{meant}") from None


def find_work_queue(administration: Administration, named: str, pool: str | None) -> WorkQueue:
    """The queue with this id, or of this name: in a pool, or without one the only one of all pools.

    Raises `ObjectNotFound`, and `InvalidRequest` when queues of several pools have the name.
    """
    queue_id = read_id(named)
    if queue_id is not None:
        return administration.read_work_queue(queue_id)
    if pool is not None:
        pool = find_work_pool(administration, pool).name
    wanted = WorkQueueFilter(name=NameFilter(any_=[named]))
    found = administration.list_work_queues(pool, wanted, Page(2))
    if not found:
        known = read_pages(lambda page: administration.list_work_queues(pool, page=page), CANDIDATES)
        meant = say_meant(named, {queue.name: queue.name for queue in known})
        where = "" if pool is None else f" in work pool {pool!r}"
        raise ObjectNotFound(f"There is no work queue {named!r}{where}{meant}")
    if len(found) > 1:
        pools = " and ".join(repr(queue.work_pool_name) for queue in found)
        raise InvalidRequest(f"Several work pools have a queue {named!r}, {pools} among them: name one with --pool.")
    return found[0]


def name_deployments(administration: Administration, deployments: Iterable[Deployment]) -> dict[UUID, str]:
    """What these deployments are called, `flow/name`, by their ids."""
    known = list(deployments)
    flows = read_flow_names(administration, (deployment.flow_id for deployment in known))
    return {each.id: f"{flows.get(each.flow_id, '')}/{each.name}" for each in known}


def read_flow_names(administration: Administration, flow_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of these flows."""
    wanted = list(dict.fromkeys(flow_ids))
    names: dict[UUID, str] = {}
    for start in range(0, len(wanted), PAGE):
        selection = RunSelection(flows=FlowFilter(id=IdFilter(any_=wanted[start : start + PAGE])))
        names.update((flow.id, flow.name) for flow in administration.list_flows(selection, page=Page(PAGE)))
    return names


def read_task_run_names(administration: Administration, task_run_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of these task runs, as far as they still exist."""
    wanted = list(dict.fromkeys(task_run_ids))
    names: dict[UUID, str] = {}
    for start in range(0, len(wanted), PAGE):
        selection = RunSelection(task_runs=TaskRunFilter(id=IdFilter(any_=wanted[start : start + PAGE])))
        names.update((run.id, run.name) for run in administration.list_task_runs(selection, page=Page(PAGE)))
    return names


def read_id(named: str) -> UUID | None:
    """The id that a text is, if it is one."""
    try:
        return UUID(named)
    except ValueError:
        return None


def choose_named(named: str | None, object_id: str | None, noun: str) -> str:
    """What something is to be found by, of an argument and of `--id`. Raises `InvalidRequest` unless it is one of both."""
    if named is not None and object_id is not None:
        raise InvalidRequest(f"Give the {noun}'s name or its --id, not both.")
    if object_id is not None and read_id(object_id) is None:
        raise InvalidRequest(f"--id {object_id!r} is no id.")
    chosen = named if named is not None else object_id
    if chosen is None:
        raise InvalidRequest(f"Name the {noun}: `headrace {noun.replace(' ', '-')} ls` lists them.")
    return chosen


def _only(found: list[Thing], noun: str, named: str) -> Thing:
    if not found:
        raise ObjectNotFound(f"There is no {noun} {named!r}.")
    if len(found) > 1:
        raise InvalidRequest(
            f"Several {noun}s are called {named!r}; give the id of one: `headrace {noun.replace(' ', '-')} ls`."
        )
    return found[0]


def say_meant(named: str, spellings: Mapping[str, str]) -> str:
    """What may have been meant: of what could have been written, the nearest, as it is called in full."""
    nearest = get_close_matches(named, spellings, 1)
    return f"; did you mean {spellings[nearest[0]]!r}?" if nearest else "."
