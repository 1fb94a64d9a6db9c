from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from msgspec import structs
from rich.text import Text

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import ConfigurationError
from headrace.cli.deploy_options import DeployOptions, read_wishes
from headrace.cli.details import show_details
from headrace.cli.invocation import Injected, Invocation, Output
from headrace.cli.mail import warn_of_mail
from headrace.cli.texts import one_line, say_count, say_duration, say_when, show_tags
from headrace.schema.schedule import Schedule

if TYPE_CHECKING:
    from headrace.projects.blueprints import Deployed
    from headrace.projects.definitions import Draft
    from headrace.projects.deploying import Wishes
    from headrace.projects.project_files import Project


def deploy(
    entrypoint: Annotated[
        str | None, Parameter(help="The flow: path/to/file.py:function, or package.module:function.")
    ] = None,
    /,
    *,
    name: Annotated[
        list[str] | None,
        Parameter(
            name=["--name", "-n"],
            negative=(),
            help="What it is called; without an entrypoint, which of the file's to make (also flow/name, or with *).",
        ),
    ] = None,
    every: Annotated[
        bool,
        Parameter(name="--all", negative=(), show_default=False, help="Make all deployments of the project file."),
    ] = False,
    options: Annotated[DeployOptions | None, Parameter(name="*")] = None,
    headrace_file: Annotated[
        Path | None,
        Parameter(
            name=["--headrace-file", "--prefect-file"],
            help="The project file, if it is not headrace.yaml, prefect.yaml or deployment.yaml in this folder.",
        ),
    ] = None,
    output: Output = None,
    invocation: Injected,
) -> None:
    """Make flows deployments: what others can start, by hand or on a schedule, on a work pool.

    Without an entrypoint, deployments of the project file in this folder are made. What options say goes before the file.
    """
    from headrace.projects.deploying import deploy as make
    from headrace.projects.project_files import open_project

    project = open_project(Path.cwd(), headrace_file)
    said = read_wishes(entrypoint, options or DeployOptions())
    wanted = _choose(project, said, name or [], every)
    for note in project.notes:
        invocation.print_warning(note)
    with ExitStack() as stack:
        administration = stack.enter_context(invocation.administration())
        # What a flow's file prints when it is loaded is no part of what was asked for.
        stack.enter_context(redirect_stdout(sys.stderr))
        made = make(
            project,
            wanted,
            administration,
            lambda: stack.enter_context(invocation.execution()),
            lambda line: invocation.err.print(Text(one_line(line), "bright_black"), soft_wrap=True),
            invocation.settings.deployments_default_work_pool_name,
        )
    for note in chain.from_iterable(each.notes for each in made):
        invocation.print_warning(note)
    warn_of_mail(invocation, chain.from_iterable(each.automations for each in made))
    if output == "json":
        invocation.print_json([each.deployment for each in made])
    else:
        _show(invocation, made)


def _choose(project: Project, said: Wishes, names: list[str], every: bool) -> list[tuple[Draft, Wishes]]:
    from headrace.projects.project_files import choose_drafts, find_base

    if said.entrypoint is None:
        if every and names:
            raise ConfigurationError("Say either -n or --all.")
        return [(draft, said) for draft in choose_drafts(project, names, every=every)]
    if every:
        raise ConfigurationError("--all takes the project file's deployments, so it goes with no entrypoint.")
    if not names:
        base = find_base(project, said.entrypoint, None)
        if base.name is None:
            raise ConfigurationError("A deployment has a name: add -n NAME.")
        return [(base, said)]
    return [(find_base(project, said.entrypoint, name), structs.replace(said, name=name)) for name in names]


def _show(invocation: Invocation, made: Sequence[Deployed]) -> None:
    for place, each in enumerate(made):
        if place:
            invocation.print("")
        _show_deployed(invocation, each)
    pools = list(dict.fromkeys(each.pool.name for each in made if each.pool is not None))
    invocation.print("", Text("Next", "bold"))
    for pool in pools:
        invocation.print_line(f"  headrace worker start --pool {shlex.quote(pool)}")
    for each in made[:5]:
        invocation.print_line(f"  headrace deployment run {shlex.quote(each.full_name)}")
    if len(made) > 5:
        invocation.print_line(Text(f"  … and {say_count(len(made) - 5, 'more deployment')}", "bright_black"))


def _show_deployed(invocation: Invocation, made: Deployed) -> None:
    deployment = made.deployment
    title = Text("Deployed " if made.is_new else "Deployed anew ", "green")
    title.append(f"{one_line(made.flow_name)}/{one_line(deployment.name)}", "bold default")
    if deployment.paused:
        title.append("  paused", "magenta")
    invocation.print_line(title)
    queue = f", queue {one_line(deployment.work_queue_name)}" if deployment.work_queue_name else ""
    details: list[tuple[str, str | Text]] = [("Entrypoint", one_line(deployment.entrypoint or ""))]
    if made.pool is not None:
        details.append(("Pool", f"{one_line(made.pool.name)} ({one_line(made.pool.type)}){queue}"))
    details.append(("Code", _tell_code(made)))
    if deployment.parameters:
        details.append(("Parameters", _tell_values(deployment.parameters)))
    if deployment.job_variables:
        # They may hold what is secret: their names tell enough.
        details.append(("Job variables", ", ".join(map(one_line, deployment.job_variables))))
    details += [
        ("Schedule" if not number else "", _tell_schedule(invocation, each.schedule, each.active))
        for number, each in enumerate(deployment.schedules)
    ]
    if deployment.concurrency_limit is not None:
        strategy = deployment.concurrency_options.collision_strategy if deployment.concurrency_options else "ENQUEUE"
        one_more = "cancelled" if strategy == "CANCEL_NEW" else "queued"
        details.append(("Limit", f"{say_count(deployment.concurrency_limit, 'run')} at once, one more is {one_more}"))
    details += [
        ("" if number else "Automations", one_line(each.name.removeprefix(f"{made.full_name}: ")))
        for number, each in enumerate(made.automations)
    ]
    if deployment.tags:
        details.append(("Tags", show_tags(deployment.tags)))
    if invocation.settings.api_url is not None:
        page = invocation.settings.api_url.removesuffix("/api")
        details.append(("Page", f"{page}/deployments/{deployment.id}"))
    invocation.print(show_details(details, indent=2))


def _tell_code(made: Deployed) -> str:
    """How the code comes to where it runs: the pull steps, the last in full."""
    told: list[str] = []
    for step in made.deployment.pull_steps or []:
        for full, given in step.items():
            short = full.rpartition(".")[2]
            said = given.get("directory") if short == "set_working_directory" else given.get("repository")
            told.append(f"{short} {one_line(str(said))}" if said else short)
    return ", then ".join(told)


def _tell_values(values: dict[str, object]) -> str:
    from headrace.schema.wire import encode_json

    return ", ".join(f"{one_line(name)}={encode_json(value)}" for name, value in values.items())


def _tell_schedule(invocation: Invocation, schedule: Schedule, active: bool) -> Text:
    from headrace.rules.occurrences import first_occurrences

    if schedule.cron is not None:
        text = f"cron {one_line(schedule.cron)}"
    elif schedule.interval is not None:
        text = f"every {say_duration(schedule.interval)}"
    else:
        text = f"rule {one_line(schedule.rrule or '')}"
    told = Text(f"{text} ({schedule.timezone or 'UTC'})")
    if not active:
        return told.append("  not active", "magenta")
    coming = first_occurrences(schedule, to_micros(invocation.now), 1)
    when = f"next {say_when(to_datetime(coming[0]), invocation.now)}" if coming else "never again"
    return told.append(f"  {when}", "bright_black")
