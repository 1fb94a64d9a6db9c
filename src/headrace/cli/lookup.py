"""Finding what the user named, and reading lists that are longer than a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.schema.filters import FlowFilter, FlowRunFilter, IdFilter, RunSelection, TaskRunFilter, TextFilter
from headrace.schema.run import FlowRun, Page, TaskRun
from headrace.schema.wire import Stored

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

PAGE = 200

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
    run_id = _read_id(named)
    if run_id is not None:
        return administration.read_flow_run(run_id)
    selection = RunSelection(flow_runs=FlowRunFilter(name=TextFilter(any_=[named])))
    return _only(administration.list_flow_runs(selection, page=Page(2)), "flow run", named)


def find_task_run(administration: Administration, named: str) -> TaskRun:
    """The task run with this id, or the only one of this name.

    Raises `ObjectNotFound`, and `InvalidRequest` when several have the name.
    """
    run_id = _read_id(named)
    if run_id is not None:
        return administration.read_task_run(run_id)
    selection = RunSelection(task_runs=TaskRunFilter(name=TextFilter(any_=[named])))
    return _only(administration.list_task_runs(selection, page=Page(2)), "task run", named)


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


def _read_id(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None


def _only(found: list[Thing], noun: str, named: str) -> Thing:
    if not found:
        raise ObjectNotFound(f"There is no {noun} {named!r}.")
    if len(found) > 1:
        raise InvalidRequest(
            f"Several {noun}s are called {named!r}; give the id of one: `headrace {noun.replace(' ', '-')} ls`."
        )
    return found[0]
