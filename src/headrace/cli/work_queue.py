from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.text import Text

from headrace.base.errors import ConfigurationError
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import find_work_pool, find_work_queue, read_pages
from headrace.cli.places import (
    Amount,
    AmountOption,
    Hours,
    find_executing,
    print_executing,
    print_upcoming,
    say_slots,
    say_taken,
    show_status,
)
from headrace.cli.runs import Limit
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import one_line, say_instant, say_when
from headrace.cli.values import check_name
from headrace.schema.filters import IdFilter, NameFilter, RunSelection, WorkQueueFilter
from headrace.schema.work_pool import WorkQueue, WorkQueueCreate, WorkQueueUpdate

app = App(name="work-queue", help_flags=["--help"])

NamedQueue = Annotated[str, Parameter(help="The work queue's name, or its id.")]
Pool = Annotated[
    str | None,
    Parameter(
        ["--pool", "-p"], help="The work pool it belongs to; needed where several pools have a queue of this name."
    ),
]


@app.command
def create(
    name: Annotated[str, Parameter(help="The new work queue's name.")],
    /,
    *,
    pool: Annotated[str, Parameter(["--pool", "-p"], help="The work pool it is to belong to.")],
    priority: Annotated[int | None, Parameter(["--priority", "-q"], validator=Number(gte=1))] = None,
    limit: AmountOption = None,
    description: Annotated[str, Parameter(help="What the queue is for.")] = "",
    paused: Annotated[Flag, Parameter(help="Give nothing out of it until it is resumed.")] = False,
    invocation: Injected,
) -> None:
    """Create a work queue: runs of one pool that come before, or after, those of its other queues.

    Parameters
    ----------
    priority
        1 is given out first. Without one, it comes after the queues there are.
    """
    check_name(name, "work queue")
    wanted = WorkQueueCreate(
        name=name, description=description, is_paused=paused, concurrency_limit=limit, priority=priority
    )
    with invocation.administration() as administration:
        find_work_pool(administration, pool)
        made = administration.create_work_queue(pool, wanted)
    invocation.print_line(f"Created work queue {one_line(name)} in {one_line(pool)}, with priority {made.priority}.")


@app.command
def ls(
    *,
    pool: Annotated[str | None, Parameter(["--pool", "-p"], help="Only queues of this work pool.")] = None,
    match: Annotated[
        str | None, Parameter(["--match", "-m"], help="Only queues whose name begins with this text.")
    ] = None,
    limit: Limit = 200,
    output: Output = None,
    invocation: Injected,
) -> None:
    """List work queues by pool, those of the first priority first."""
    wanted = WorkQueueFilter(name=NameFilter(startswith_=[match])) if match is not None else None
    with invocation.administration() as administration:
        if pool is not None:
            find_work_pool(administration, pool)
        queues = read_pages(lambda page: administration.list_work_queues(pool, wanted, page), limit)
    if output == "json":
        invocation.print_json(queues)
        return
    if not queues:
        text = "There are no such work queues: each work pool has one from its creation (`headrace work-pool create`)."
        invocation.print(Text(text, "bright_black"))
        return
    columns = (
        Column("Name", least=24),
        Column("Pool", least=24),
        Column("Priority", right=True),
        Column("Status"),
        Column("Slots", right=True),
        Column("Last asked", drop=1),
        Column("ID", drop=2),
    )
    rows = [
        [
            one_line(queue.name),
            one_line(queue.work_pool_name or ""),
            str(queue.priority),
            show_status(queue.status),
            say_slots(queue.active_slots, queue.concurrency_limit),
            say_when(queue.last_polled, invocation.now),
            str(queue.id),
        ]
        for queue in sorted(queues, key=lambda queue: queue.work_pool_name or "")
    ]
    invocation.print(fit_table(columns, rows, invocation.out.width))


@app.command
def inspect(name: NamedQueue, /, *, pool: Pool = None, output: Output = None, invocation: Injected) -> None:
    """Show a work queue."""
    with invocation.administration() as administration:
        queue = find_work_queue(administration, name, pool)
    if output == "json":
        invocation.print_json(queue)
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(queue.id)),
        ("Work pool", one_line(queue.work_pool_name or "")),
        ("Priority", str(queue.priority)),
        ("Status", show_status(queue.status)),
        ("Slots", say_slots(queue.active_slots, queue.concurrency_limit)),
        ("Last asked", say_instant(queue.last_polled, invocation.now)),
        ("Created", say_instant(queue.created, invocation.now)),
    ]
    if queue.description:
        details.append(("Description", one_line(queue.description)))
    invocation.print(Text("Work queue ").append(one_line(queue.name), "bold"), show_details(details, indent=2))


@app.command
def pause(name: NamedQueue, /, *, pool: Pool = None, invocation: Injected) -> None:
    """Pause a work queue: what executes goes on, but nothing more is given out of it."""
    queue = _update(invocation, name, pool, WorkQueueUpdate(is_paused=True))
    invocation.print_line(f"Paused {_call(queue)}.")


@app.command
def resume(name: NamedQueue, /, *, pool: Pool = None, invocation: Injected) -> None:
    """Resume a work queue that is paused."""
    queue = _update(invocation, name, pool, WorkQueueUpdate(is_paused=False))
    invocation.print_line(f"Resumed {_call(queue)}.")


@app.command
def delete(name: NamedQueue, /, *, pool: Pool = None, invocation: Injected) -> None:
    """Delete a work queue; what waits in it goes to its pool's default queue. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        queue = find_work_queue(administration, name, pool)
        if not invocation.confirm(f"Delete {_call(queue)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_work_queue(queue.id)
    invocation.print_line(f"Deleted {_call(queue)}.")


@app.command
def set_concurrency_limit(name: NamedQueue, limit: Amount, /, *, pool: Pool = None, invocation: Injected) -> None:
    """Limit how many runs of a work queue execute at once."""
    queue = _update(invocation, name, pool, WorkQueueUpdate(concurrency_limit=limit))
    invocation.print_line(f"W{_call(queue)[1:]} executes at most {limit} at once.")


@app.command
def clear_concurrency_limit(name: NamedQueue, /, *, pool: Pool = None, invocation: Injected) -> None:
    """Let as many runs of a work queue execute at once as its pool allows."""
    queue = _update(invocation, name, pool, WorkQueueUpdate(concurrency_limit=None))
    invocation.print_line(f"W{_call(queue)[1:]} has no limit any more.")


@app.command
def slots(name: NamedQueue, /, *, pool: Pool = None, output: Output = None, invocation: Injected) -> None:
    """Show how many slots of a work queue are taken, and by which runs."""
    with invocation.administration() as administration:
        queue = find_work_queue(administration, name, pool)
        runs = find_executing(administration, _select(queue))
        if output == "json":
            told = {"active_slots": queue.active_slots, "concurrency_limit": queue.concurrency_limit}
            invocation.print_json(
                {"name": queue.name, "work_pool_name": queue.work_pool_name, **told, "flow_runs": runs}
            )
            return
        taken = say_taken(queue.active_slots, queue.concurrency_limit)
        invocation.print_line(f"W{_call(queue)[1:]}: {taken}.")
        print_executing(administration, runs, invocation)


@app.command(help_flags=["--help"], alias="read-runs")
def preview(
    name: NamedQueue, /, *, pool: Pool = None, hours: Hours = 1.0, output: Output = None, invocation: Injected
) -> None:
    """Show the runs that are due in a work queue, the late ones included."""
    with invocation.administration() as administration:
        queue = find_work_queue(administration, name, pool)
        print_upcoming(administration, _select(queue), hours, invocation, output)


def _select(queue: WorkQueue) -> RunSelection:
    return RunSelection(work_pool_queues=WorkQueueFilter(id=IdFilter(any_=[queue.id])))


def _update(invocation: Invocation, name: str, pool: str | None, change: WorkQueueUpdate) -> WorkQueue:
    with invocation.administration() as administration:
        queue = find_work_queue(administration, name, pool)
        administration.update_work_queue(queue.id, change)
    return queue


def _call(queue: WorkQueue) -> str:
    return f"work queue {one_line(queue.name)} of {one_line(queue.work_pool_name or '')}"
