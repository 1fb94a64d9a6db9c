"""The options of `headrace deploy` that say what a deployment is to be, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from msgspec import UNSET

from headrace.base.errors import ConfigurationError
from headrace.cli.values import read_duration, read_object, read_pairs
from headrace.schema.schedule import DeploymentScheduleCreate

if TYPE_CHECKING:
    from headrace.projects.deploying import Wishes
    from headrace.projects.triggers import DeploymentTrigger


@dataclass(kw_only=True)
class DeployOptions:
    """What goes before the project file."""

    pool: Annotated[
        str | None,
        Parameter(
            name=["--pool", "-p"],
            help="The work pool for its runs. By default that of the settings, or the only one there is.",
        ),
    ] = None
    work_queue: Annotated[str | None, Parameter(name=["--work-queue", "-q"], help="The queue of the pool.")] = None
    tag: Annotated[
        list[str] | None,
        Parameter(name=["--tag", "-t"], negative=(), help="Give the deployment and its runs a tag. May be repeated."),
    ] = None
    description: Annotated[
        str | None, Parameter(name=["--description", "-d"], help="What people are to know of it.")
    ] = None
    version: Annotated[
        str | None, Parameter(name=["--version", "-v"], help="By default it follows from the flow's file.")
    ] = None
    param: Annotated[
        list[str] | None,
        Parameter(
            name="--param",
            negative=(),
            help="A parameter of the runs, as name=value, in JSON or as text. May be repeated.",
        ),
    ] = None
    params: Annotated[str | None, Parameter(name="--params", help="Parameters of the runs, as a JSON object.")] = None
    job_variable: Annotated[
        list[str] | None,
        Parameter(
            name="--job-variable",
            negative=(),
            help="What the pool's job template is given, as name=value. May be repeated.",
        ),
    ] = None
    cron: Annotated[
        list[str] | None,
        Parameter(
            name="--cron",
            negative=(),
            help="Run by a cron string, such as '0 6 * * *'. May be repeated, as interval and rrule may.",
        ),
    ] = None
    interval: Annotated[
        list[str] | None, Parameter(name="--interval", negative=(), help="Run this often: '1h 30m', or seconds.")
    ] = None
    anchor_date: Annotated[str | None, Parameter(name="--anchor-date", help="From when intervals are counted.")] = None
    rrule: Annotated[
        list[str] | None,
        Parameter(name="--rrule", negative=(), help="Run by an iCalendar rule, such as 'FREQ=WEEKLY;BYDAY=MO'."),
    ] = None
    timezone: Annotated[
        str | None,
        Parameter(
            name="--timezone",
            help="On whose clocks schedules are meant, such as Europe/Berlin; by default UTC.",
        ),
    ] = None
    concurrency_limit: Annotated[
        int | None, Parameter(name="--concurrency-limit", help="How many of its runs may execute at once.")
    ] = None
    collision_strategy: Annotated[
        Literal["ENQUEUE", "CANCEL_NEW"] | None,
        Parameter(name="--collision-strategy", help="What becomes of one more: it waits, or it is cancelled."),
    ] = None
    trigger: Annotated[
        list[str] | None,
        Parameter(
            name="--trigger",
            negative=(),
            help="Run it when something happens: a trigger as JSON, or a .yaml or .json file with some. May be repeated.",
        ),
    ] = None
    enforce_parameter_schema: Annotated[
        bool | None,
        Parameter(
            name="--enforce-parameter-schema",
            help="Whether runs with parameters that do not fit the flow's annotations are refused. They are by default.",
        ),
    ] = None


def read_wishes(entrypoint: str | None, options: DeployOptions) -> Wishes:
    """What the options mean. Raises `ConfigurationError` in one line that names the option."""
    from headrace.projects.deploying import Wishes

    limit = options.concurrency_limit
    if limit is not None and limit < 1:
        raise ConfigurationError(f"--concurrency-limit is at least 1, not {limit}.")
    return Wishes(
        entrypoint=entrypoint,
        version=options.version,
        description=options.description,
        tags=options.tag,
        parameters={
            **({} if options.params is None else read_object(options.params, "--params")),
            **read_pairs(options.param or (), "--param"),
        },
        job_variables=read_pairs(options.job_variable or (), "--job-variable"),
        work_pool=options.pool,
        work_queue=options.work_queue,
        schedules=_read_schedules(options) or UNSET,
        concurrency_limit=limit,
        collision_strategy=options.collision_strategy,
        enforce_parameter_schema=options.enforce_parameter_schema,
        triggers=None
        if options.trigger is None
        else [found for each in options.trigger for found in read_triggers(each)],
    )


def read_triggers(said: str) -> list[DeploymentTrigger]:
    """The triggers that an option says: one as JSON, or those of a file. Raises `ConfigurationError`."""
    from msgspec import ValidationError, convert

    from headrace.projects.definitions import describe_problem
    from headrace.projects.documents import read_document
    from headrace.projects.triggers import DeploymentTrigger, settle_triggers

    if said.endswith((".yaml", ".yml", ".json")):
        written: Any = read_document(Path(said), said).value
        written = written.get("triggers", written)
    else:
        written = read_object(said, "--trigger")
    try:
        return convert(settle_triggers(written), list[DeploymentTrigger], strict=False)
    except ValidationError as error:
        raise ConfigurationError(f"--trigger: {describe_problem(error)[1]}.") from None


def _read_schedules(options: DeployOptions) -> list[DeploymentScheduleCreate]:
    from headrace.projects.definitions import ScheduleEntry
    from headrace.projects.schedules import read_schedule

    zone, anchor = options.timezone, options.anchor_date
    entries = [ScheduleEntry(cron=cron, timezone=zone) for cron in options.cron or ()]
    intervals = [read_duration(each, "--interval") for each in options.interval or ()]
    entries += [ScheduleEntry(interval=each, anchor_date=anchor, timezone=zone) for each in intervals]
    entries += [ScheduleEntry(rrule=rule, timezone=zone) for rule in options.rrule or ()]
    if anchor is not None and not options.interval:
        raise ConfigurationError("--anchor-date goes with --interval.")
    if zone is not None and not entries:
        raise ConfigurationError("--timezone goes with --cron, --interval or --rrule.")
    return [
        read_schedule(entry, lambda key, text: ConfigurationError(f"--{key.replace('_', '-')}: {text}"))
        for entry in entries
    ]
