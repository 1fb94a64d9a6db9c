"""Schedules of deployments, on the screen and as commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from msgspec import UNSET
from rich.table import Table
from rich.text import Text

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectNotFound
from headrace.cli.invocation import Flag, Injected, Invocation, Output
from headrace.cli.lookup import check_known, find_deployment, name_deployments, read_id, read_pages
from headrace.cli.runs import tell_value
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import MISSING, one_line, say_count, say_duration, say_when
from headrace.cli.values import read_duration, read_pairs, read_wall
from headrace.rules.occurrences import check_schedule, first_occurrences
from headrace.schema.deployment import Deployment, DeploymentUpdate
from headrace.schema.schedule import (
    CatchUp,
    DeploymentSchedule,
    DeploymentScheduleCreate,
    DeploymentScheduleUpdate,
    Overlap,
    Schedule,
)

if TYPE_CHECKING:
    from datetime import datetime

    from headrace.gateway.administration import Administration

app = App(name="schedule", help="When deployments run by themselves.", help_flags=["--help"])

NamedDeployment = Annotated[
    str, Parameter(help="The deployment: `flow/name`, its id, or its name if no other flow has one of that name.")
]
NamedSchedule = Annotated[
    str | None,
    Parameter(help="The schedule's id or slug; not needed where the deployment has one schedule only."),
]
Every = Annotated[
    Flag, Parameter("--all", help="All schedules of the deployment, or of every deployment where none is named.")
]
LATEST = 31_536_000.0
"""The most seconds that a schedule may say for how late a slot may start."""
Yes = Annotated[bool, Parameter(["--yes", "-y"], negative=(), show_default=False, help="Do not ask.")]


@app.command
def create(
    name: NamedDeployment,
    /,
    *,
    cron: str | None = None,
    day_or: bool = True,
    interval: str | None = None,
    anchor_date: str | None = None,
    rrule: str | None = None,
    timezone: str | None = None,
    active: Annotated[bool, Parameter(negative="--inactive")] = True,
    param: Annotated[tuple[str, ...], Parameter(["--param", "-p"], negative=(), show_default=False)] = (),
    slug: str | None = None,
    catchup: CatchUp | None = None,
    max_lateness: str | None = None,
    overlap: Overlap | None = None,
    replace: Flag = False,
    yes: Yes = False,
    invocation: Injected,
) -> None:
    """Add a schedule to a deployment: one of --cron, --interval and --rrule.

    Parameters
    ----------
    cron
        A cron string, such as `0 9 * * 1-5`.
    day_or
        Whether a cron string that names days of the month and of the week means either, or both at once.
    interval
        How often, such as `15 minutes`, or in seconds.
    anchor_date
        From when an interval is counted, such as `2026-03-01T09:00`; without a zone as the clocks of --timezone show it.
    rrule
        An iCalendar rule, such as `FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0`.
    timezone
        Whose clocks the schedule goes by, as an IANA name such as `Europe/Berlin`. UTC by default.
    active
        Whether it makes runs from now on.
    param
        A parameter of the schedule's runs as `name=value`, where the value is JSON or else text; may be repeated.
    slug
        A name for the schedule, by which it can be named here.
    catchup
        Which slots are made up for that passed while no scheduler looked.
    max_lateness
        After how long a slot is skipped that nobody has started, such as `15 minutes`, or in seconds. Never by default.
    overlap
        What becomes of a slot that meets an earlier run of the schedule. By default both run.
    replace
        Take the place of all schedules that the deployment has.
    """
    schedule = _read_schedule(cron, day_or, interval, anchor_date, rrule, timezone)
    if slug is not None and not 1 <= len(slug) <= 200:
        raise InvalidRequest("--slug has from 1 to 200 characters.")
    check_schedule(schedule, to_micros(invocation.now))
    asked = DeploymentScheduleCreate(
        schedule=schedule,
        active=active,
        parameters=read_pairs(param, "--param"),
        slug=slug,
        catchup=catchup,
        max_lateness=None if max_lateness is None else _read_lateness(max_lateness),
        overlap=overlap,
    )
    with invocation.administration() as administration:
        deployment = _find_taking(administration, name, asked.parameters)
        if replace:
            known = len(deployment.schedules)
            if known and not yes and not invocation.confirm(f"Replace {say_count(known, 'schedule')}?"):
                raise ConfigurationError("Nothing was changed.")
            administration.update_deployment(deployment.id, DeploymentUpdate(schedules=[_as_update(asked)]))
            made = administration.read_deployment(deployment.id).schedules
        else:
            made = administration.create_deployment_schedules(deployment.id, [asked])
        called = one_line(name_deployments(administration, [deployment])[deployment.id])
    for each in made:
        invocation.print_line(f"Deployment {called} runs {say_schedule(each.schedule)} (schedule {each.id}).")
    if deployment.paused or not active:
        rests = f"`headrace deployment resume {called}`" if deployment.paused else "it is resumed"
        invocation.print_line(Text(f"It makes no runs until {rests}.", "yellow"))


@app.command
def ls(name: NamedDeployment, /, *, output: Output = None, invocation: Injected) -> None:
    """List the schedules of a deployment, and when each is due next."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
    if output == "json":
        invocation.print_json(deployment.schedules)
    elif not deployment.schedules:
        text = f"Deployment {one_line(name)} has no schedules: `headrace deployment schedule create` adds one."
        invocation.print_line(Text(text, "bright_black"))
    else:
        invocation.print(show_schedules(deployment.schedules, invocation))
        if deployment.paused:
            text = f"The deployment is paused: `headrace deployment resume {one_line(name)}` lets them make runs."
            invocation.print_line(Text(text, "yellow"))


@app.command
def pause(
    name: NamedDeployment | None = None,
    schedule: NamedSchedule = None,
    /,
    *,
    all_: Every = False,
    yes: Yes = False,
    invocation: Injected,
) -> None:
    """Let a schedule rest."""
    _set_active(invocation, name, schedule, all_, yes, active=False)


@app.command
def resume(
    name: NamedDeployment | None = None,
    schedule: NamedSchedule = None,
    /,
    *,
    all_: Every = False,
    yes: Yes = False,
    invocation: Injected,
) -> None:
    """Let a schedule make runs again, from now on."""
    _set_active(invocation, name, schedule, all_, yes, active=True)


@app.command
def delete(name: NamedDeployment, schedule: NamedSchedule = None, /, *, yes: Yes = False, invocation: Injected) -> None:
    """Delete a schedule, with the runs made for it that nobody has started. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
        found = _find_schedule(deployment, schedule)
        shown = f"the schedule {say_schedule(found.schedule)}"
        if not yes and not invocation.confirm(f"Delete {shown} of {one_line(name)}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.delete_deployment_schedule(deployment.id, found.id)
    invocation.print_line(f"Deleted {shown} ({found.id}).")


@app.command
def clear(name: NamedDeployment, /, *, yes: Yes = False, invocation: Injected) -> None:
    """Delete all schedules of a deployment. Asks first, when run in a terminal."""
    with invocation.administration() as administration:
        deployment = find_deployment(administration, name)
        shown = f"{say_count(len(deployment.schedules), 'schedule')} of {one_line(name)}"
        if deployment.schedules and not yes and not invocation.confirm(f"Delete {shown}?"):
            raise ConfigurationError("Nothing was deleted.")
        administration.update_deployment(deployment.id, DeploymentUpdate(schedules=[]))
    invocation.print_line(f"Deleted {shown}.")


def say_schedule(schedule: Schedule) -> str:
    """When a schedule is due, in few words: `every 15m`, `cron 0 9 * * * (Europe/Berlin)`."""
    if schedule.interval is not None:
        text = f"every {say_duration(schedule.interval)}"
    elif schedule.cron is not None:
        text = f"cron {one_line(schedule.cron)}{'' if schedule.day_or else ' (days and weekdays at once)'}"
    else:
        text = f"rrule {one_line(schedule.rrule or '')}"
    return f"{text} ({one_line(schedule.timezone)})" if schedule.timezone else text


def say_policies(schedule: DeploymentSchedule) -> str:
    """What becomes of slots that pass, as far as it is said: `catchup latest, skipped after 15m, overlap skip`."""
    said = [] if schedule.catchup is None else [f"catchup {schedule.catchup}"]
    said += [] if schedule.max_lateness is None else [f"skipped after {say_duration(schedule.max_lateness)}"]
    said += [] if schedule.overlap is None else [f"overlap {schedule.overlap}"]
    return ", ".join(said)


def say_schedules(schedules: Sequence[DeploymentSchedule]) -> str:
    """The schedules of a deployment as one cell."""
    if len(schedules) != 1:
        return say_count(len(schedules), "schedule") if schedules else ""
    return say_schedule(schedules[0].schedule) + ("" if schedules[0].active else ", paused")


def show_schedules(schedules: Sequence[DeploymentSchedule], invocation: Invocation, indent: int = 0) -> Table:
    """A table of schedules."""
    columns = (
        Column("ID"),
        Column("Schedule", least=12),
        Column("Active"),
        Column("Next"),
        Column("Slug", least=8, drop=1),
        Column("Policies", least=10, drop=2),
        Column("Parameters", least=10, drop=3),
    )
    rows: list[list[str | Text]] = [
        [
            str(each.id),
            say_schedule(each.schedule),
            Text("yes", "green") if each.active else Text("paused", "magenta"),
            say_when(_find_next(each, invocation.now), invocation.now) if each.active else MISSING,
            one_line(each.slug or ""),
            say_policies(each),
            one_line(tell_value(each.parameters)) if each.parameters else "",
        ]
        for each in schedules
    ]
    return fit_table(columns, rows, invocation.out.width, indent)


def _find_next(schedule: DeploymentSchedule, now: datetime) -> datetime | None:
    instants = first_occurrences(schedule.schedule, to_micros(now), 1)
    return to_datetime(instants[0]) if instants else None


def _read_schedule(
    cron: str | None,
    day_or: bool,
    interval: str | None,
    anchor_date: str | None,
    rrule: str | None,
    timezone: str | None,
) -> Schedule:
    given = [option for option, value in (("--cron", cron), ("--interval", interval), ("--rrule", rrule)) if value]
    if len(given) != 1:
        said = " and ".join(given) or "none of them"
        raise InvalidRequest(f"A schedule is one of --cron, --interval and --rrule; given: {said}.")
    if anchor_date is not None and interval is None:
        raise InvalidRequest("--anchor-date says from when an --interval is counted.")
    if not day_or and cron is None:
        raise InvalidRequest("--no-day-or says how the days of a --cron string are meant.")
    return Schedule(
        interval=None if interval is None else read_duration(interval, "--interval"),
        anchor_date=None if anchor_date is None else read_wall(anchor_date, "--anchor-date"),
        cron=cron,
        day_or=day_or,
        rrule=rrule,
        timezone=timezone,
    )


def _read_lateness(text: str) -> float:
    seconds = read_duration(text, "--max-lateness")
    if not 1 <= seconds <= LATEST:
        raise InvalidRequest(f"--max-lateness {text!r} is not between a second and a year.")
    return seconds


def _as_update(asked: DeploymentScheduleCreate) -> DeploymentScheduleUpdate:
    """What makes the schedule in the place of others. Without a slug it says nothing of one."""
    said = {name: getattr(asked, name) for name in asked.__struct_fields__ if name not in {"slug", "replaces"}}
    return DeploymentScheduleUpdate(**said, slug=UNSET if asked.slug is None else asked.slug)


def _find_taking(administration: Administration, name: str, parameters: dict[str, Any]) -> Deployment:
    """The deployment, whose runs have to have these parameters."""
    deployment = find_deployment(administration, name)
    check_known(deployment, parameters)
    return deployment


def _find_schedule(deployment: Deployment, named: str | None) -> DeploymentSchedule:
    """The schedule of an id or slug; without either the only one. Raises `ObjectNotFound` and `InvalidRequest`."""
    if named is None:
        if len(deployment.schedules) == 1:
            return deployment.schedules[0]
        has = say_count(len(deployment.schedules), "schedule")
        raise InvalidRequest(f"Deployment {deployment.name!r} has {has}; name one: `headrace deployment schedule ls`.")
    schedule_id = read_id(named)
    for each in deployment.schedules:
        if each.id == schedule_id or each.slug == named:
            return each
    raise ObjectNotFound(f"Deployment {deployment.name!r} has no schedule {named!r}.")


def _set_active(
    invocation: Invocation, name: str | None, schedule: str | None, every: bool, yes: bool, active: bool
) -> None:
    if every and schedule is not None:
        raise InvalidRequest("--all takes all schedules: name no schedule beside it.")
    if name is None and not every:
        raise InvalidRequest("Name a deployment, or take those of all with --all.")
    verb = "Resume" if active else "Pause"
    with invocation.administration() as administration:
        if name is None:
            deployments = read_pages(lambda page: administration.list_deployments(page=page))
        else:
            deployments = [find_deployment(administration, name)]
        chosen = [
            (deployment, each)
            for deployment in deployments
            for each in (deployment.schedules if every else [_find_schedule(deployment, schedule)])
            if not every or each.active != active
        ]
        shown = say_count(len(chosen), "schedule")
        if name is None and chosen and not yes and not invocation.confirm(f"{verb} {shown} of all deployments?"):
            raise ConfigurationError("Nothing was changed.")
        for deployment, each in chosen:
            update = DeploymentScheduleUpdate(active=active)
            administration.update_deployment_schedule(deployment.id, each.id, update)
    invocation.print_line(f"{verb}d {shown}.")
