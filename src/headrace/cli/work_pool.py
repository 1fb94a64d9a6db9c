from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter
from msgspec import UNSET
from rich.table import Table
from rich.text import Text

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectAlreadyExists
from headrace.cli.config import set_in_profile
from headrace.cli.details import show_details
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import find_work_pool, read_pages
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
from headrace.cli.runs import Limit, show_heading
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_duration, say_instant, say_when
from headrace.cli.values import check_name, read_object_file
from headrace.schema.filters import RunSelection, TextFilter, WorkPoolFilter
from headrace.schema.job_template import TEMPLATES
from headrace.schema.wire import decode_json, encode_json
from headrace.schema.work_pool import (
    Worker,
    WorkerStatus,
    WorkPool,
    WorkPoolCreate,
    WorkPoolUpdate,
    WorkQueue,
)

TYPES = tuple(TEMPLATES)

app = App(name="work-pool", help_flags=["--help"])

NamedPool = Annotated[str, Parameter(help="The work pool's name.")]
Template = Annotated[
    Path | None,
    Parameter(
        help="A JSON file with `job_configuration` and `variables`: what workers start, and what may be set of it."
    ),
]
Description = Annotated[str | None, Parameter(help="What the pool is for.")]


@app.command
def create(
    name: NamedPool,
    /,
    *,
    type_: Annotated[str, Parameter(["--type", "-t"], help=f"What its workers start: {', '.join(TYPES)}.")] = "process",
    paused: Annotated[Flag, Parameter(help="Give nothing out of it until it is resumed.")] = False,
    description: Description = None,
    concurrency_limit: AmountOption = None,
    base_job_template: Template = None,
    set_as_default: Annotated[
        Flag, Parameter(help="Deployments that name no work pool go to this one: set so in the profile in use.")
    ] = False,
    overwrite: Annotated[Flag, Parameter(help="Change the pool of this name, if there is one.")] = False,
    invocation: Injected,
) -> None:
    """Create a work pool: where runs of deployments wait for a worker."""
    check_name(name, "work pool")
    template = read_template(base_job_template)
    wanted = WorkPoolCreate(
        name=name,
        type=_check_type(type_),
        description=description,
        is_paused=paused,
        concurrency_limit=concurrency_limit,
        base_job_template=template or {},
    )
    _create(invocation, wanted, template, overwrite)
    if set_as_default:
        set_in_profile(invocation, "HEADRACE_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME", name)


def _create(invocation: Invocation, wanted: WorkPoolCreate, template: dict[str, Any] | None, overwrite: bool) -> None:
    name = wanted.name
    with invocation.administration() as administration:
        try:
            administration.create_work_pool(wanted)
        except ObjectAlreadyExists:
            if not overwrite:
                raise
        else:
            invocation.print_line(f"Created work pool {one_line(name)}.")
            invocation.print_line(f"`headrace worker start --pool {one_line(name)}` starts a worker for it.")
            return
        known = administration.read_work_pool(name)
        if known.type != wanted.type:
            raise InvalidRequest(f"Work pool {name!r} is of type {known.type!r}, which cannot be changed.")
        update = _tell_update(wanted.description, wanted.concurrency_limit, template, wanted.is_paused or None)
        administration.update_work_pool(name, update)
    invocation.print_line(f"Changed work pool {one_line(name)}.")


@app.command
def ls(
    *,
    verbose: Annotated[bool, Parameter(["--verbose", "-v"], negative=(), show_default=False)] = False,
    limit: Limit = 200,
    output: Output = None,
    invocation: Injected,
) -> None:
    """List work pools by name.

    Parameters
    ----------
    verbose
        Show when each was created, and its id, as well.
    """
    with invocation.administration() as administration:
        pools = read_pages(lambda page: administration.list_work_pools(page=page), limit)
    if output == "json":
        invocation.print_json(pools)
    elif not pools:
        invocation.print(Text("There are no work pools yet: `headrace work-pool create` makes one.", "bright_black"))
    else:
        invocation.print(_show_pools(pools, verbose, invocation))


@app.command
def inspect(name: NamedPool, /, *, output: Output = None, invocation: Injected) -> None:
    """Show a work pool: its limits, queues and workers."""
    with invocation.administration() as administration:
        pool = find_work_pool(administration, name)
        queues = read_pages(lambda page: administration.list_work_queues(name, page=page))
        workers = read_pages(lambda page: administration.list_workers(name, page=page), 50)
    if output == "json":
        document: dict[str, Any] = decode_json(encode_json(pool))
        invocation.print_json({**document, "queues": queues, "workers": workers})
        return
    details: list[tuple[str, str | Text]] = [
        ("ID", str(pool.id)),
        ("Type", one_line(pool.type)),
        ("Status", show_status(pool.status)),
        ("Slots", say_slots(pool.active_slots, pool.concurrency_limit)),
        ("Created", say_instant(pool.created, invocation.now)),
        ("Changed", say_instant(pool.updated, invocation.now)),
    ]
    if pool.description:
        details.append(("Description", one_line(pool.description)))
    if pool.base_job_template:
        details.append(("Base job template", "of its own (-o json shows it)"))
    invocation.print(Text("Work pool ").append(one_line(pool.name), "bold"), show_details(details, indent=2))
    invocation.print(show_heading("Queues", str(len(queues))), _show_queues(queues, invocation))
    if workers:
        invocation.print(show_heading("Workers", str(len(workers))), _show_workers(workers, invocation))


@app.command
def pause(name: NamedPool, /, *, invocation: Injected) -> None:
    """Pause a work pool: what executes goes on, but nothing more is given out of it."""
    _update(invocation, name, WorkPoolUpdate(is_paused=True))
    invocation.print_line(f"Paused work pool {one_line(name)}.")


@app.command
def resume(name: NamedPool, /, *, invocation: Injected) -> None:
    """Resume a work pool that is paused."""
    _update(invocation, name, WorkPoolUpdate(is_paused=False))
    invocation.print_line(f"Resumed work pool {one_line(name)}.")


@app.command
def delete(name: NamedPool, /, *, invocation: Injected) -> None:
    """Delete a work pool with its queues. Asks first, when run in a terminal.

    Its deployments and waiting runs stay, but are started by nobody until they get another pool.
    """
    with invocation.administration() as administration:
        find_work_pool(administration, name)
        if not invocation.confirm(f"Delete work pool {one_line(name)} with its queues?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_work_pool(name)
    invocation.print_line(f"Deleted work pool {one_line(name)}.")


@app.command
def update(
    name: NamedPool,
    /,
    *,
    description: Description = None,
    concurrency_limit: AmountOption = None,
    base_job_template: Template = None,
    invocation: Injected,
) -> None:
    """Change a work pool; what is not named stays as it is."""
    if description is None and concurrency_limit is None and base_job_template is None:
        raise InvalidRequest("Say what to change: --description, --concurrency-limit or --base-job-template.")
    _update(invocation, name, _tell_update(description, concurrency_limit, read_template(base_job_template)))
    invocation.print_line(f"Changed work pool {one_line(name)}.")


@app.command
def set_concurrency_limit(name: NamedPool, limit: Amount, /, *, invocation: Injected) -> None:
    """Limit how many runs of a work pool execute at once."""
    _update(invocation, name, WorkPoolUpdate(concurrency_limit=limit))
    invocation.print_line(f"Work pool {one_line(name)} executes at most {limit} at once.")


@app.command
def clear_concurrency_limit(name: NamedPool, /, *, invocation: Injected) -> None:
    """Let as many runs of a work pool execute at once as its workers take."""
    _update(invocation, name, WorkPoolUpdate(concurrency_limit=None))
    invocation.print_line(f"Work pool {one_line(name)} has no limit any more.")


@app.command
def slots(name: NamedPool, /, *, output: Output = None, invocation: Injected) -> None:
    """Show how many slots of a work pool and its queues are taken, and by which runs."""
    with invocation.administration() as administration:
        pool = find_work_pool(administration, name)
        queues = read_pages(lambda page: administration.list_work_queues(name, page=page))
        runs = find_executing(administration, _select(name))
        if output == "json":
            told = {"active_slots": pool.active_slots, "concurrency_limit": pool.concurrency_limit}
            invocation.print_json({"name": pool.name, **told, "queues": queues, "flow_runs": runs})
            return
        taken = say_taken(pool.active_slots, pool.concurrency_limit)
        invocation.print(Text("Work pool ").append(one_line(name), "bold").append(f": {taken}."))
        invocation.print(show_heading("Queues", str(len(queues))), _show_queues(queues, invocation))
        print_executing(administration, runs, invocation)


@app.command
def get_default_base_job_template(
    *,
    type_: Annotated[str, Parameter(["--type", "-t"], help=f"The type of work pool: {', '.join(TYPES)}.")] = "process",
    file: Annotated[Path | None, Parameter(["--file", "-f"], help="Write it to this file instead.")] = None,
    invocation: Injected,
) -> None:
    """Show the base job template that work pools of a type have by default, as JSON."""
    template = TEMPLATES[_check_type(type_)]
    if file is None:
        invocation.print_json(template)
        return
    try:
        file.write_text(msgspec.json.format(encode_json(template), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"--file: {file} cannot be written: {error.strerror}.") from None
    invocation.print_line(f"The template is in {file}.")


@app.command(help_flags=["--help"])
def preview(name: NamedPool, /, *, hours: Hours = 1.0, output: Output = None, invocation: Injected) -> None:
    """Show the runs that are due in a work pool, the late ones included."""
    with invocation.administration() as administration:
        find_work_pool(administration, name)
        print_upcoming(administration, _select(name), hours, invocation, output)


def _check_type(kind: str) -> str:
    if kind not in TYPES:
        raise InvalidRequest(f"There is no work pool type {kind!r}; there is: {', '.join(TYPES)}.")
    return kind


def _select(name: str) -> RunSelection:
    return RunSelection(work_pools=WorkPoolFilter(name=TextFilter(any_=[name])))


def _update(invocation: Invocation, name: str, change: WorkPoolUpdate) -> None:
    with invocation.administration() as administration:
        find_work_pool(administration, name)
        administration.update_work_pool(name, change)


def _tell_update(
    description: str | None, limit: int | None, template: dict[str, Any] | None, paused: bool | None = None
) -> WorkPoolUpdate:
    """An update that speaks of what was given only."""
    return WorkPoolUpdate(
        description=UNSET if description is None else description,
        concurrency_limit=UNSET if limit is None else limit,
        base_job_template=UNSET if template is None else template,
        is_paused=UNSET if paused is None else paused,
    )


def read_template(path: Path | None) -> dict[str, Any] | None:
    """The base job template in a file. Raises `InvalidRequest` for what is none."""
    if path is None:
        return None
    template = read_object_file(path, "--base-job-template")
    for part in ("job_configuration", "variables"):
        if not isinstance(template.get(part), dict):
            raise InvalidRequest(f"--base-job-template: {path} has no object {part!r}, so it is no base job template.")
    return template


def _show_pools(pools: list[WorkPool], verbose: bool, invocation: Invocation) -> Table:
    columns = [
        Column("Name", least=32),
        Column("Type"),
        Column("Status"),
        Column("Slots", right=True),
        Column("Description", least=12, drop=1),
    ]
    rows: list[list[str | Text]] = [
        [
            one_line(pool.name),
            one_line(pool.type),
            show_status(pool.status),
            say_slots(pool.active_slots, pool.concurrency_limit),
            one_line(pool.description or ""),
        ]
        for pool in pools
    ]
    if verbose:
        columns[4:] = [Column("Created"), Column("Description", least=12, drop=1), Column("ID")]
        for row, pool in zip(rows, pools, strict=True):
            row.insert(4, say_when(pool.created, invocation.now))
            row.append(str(pool.id))
    return fit_table(columns, rows, invocation.out.width)


def _show_queues(queues: list[WorkQueue], invocation: Invocation) -> Table:
    columns = (
        Column("Name", least=32),
        Column("Priority", right=True),
        Column("Status"),
        Column("Slots", right=True),
        Column("Last asked", drop=1),
    )
    rows = [
        [
            one_line(queue.name),
            str(queue.priority),
            show_status(queue.status),
            say_slots(queue.active_slots, queue.concurrency_limit),
            say_when(queue.last_polled, invocation.now),
        ]
        for queue in queues
    ]
    return fit_table(columns, rows, invocation.out.width, indent=2)


def _show_workers(workers: list[Worker], invocation: Invocation) -> Table:
    columns = (Column("Name", least=32), Column("Status"), Column("Last seen"), Column("Beats every", right=True))
    rows = [
        [
            one_line(worker.name),
            Text("Online", "green") if worker.status is WorkerStatus.ONLINE else Text("Offline", "bright_black"),
            say_when(worker.last_heartbeat_time, invocation.now),
            say_duration(interval) if (interval := worker.heartbeat_interval_seconds) is not None else MISSING,
        ]
        for worker in workers
    ]
    return fit_table(columns, rows, invocation.out.width, indent=2)
