"""From what code says of a deployment to one that the orchestrator knows."""

from __future__ import annotations

import atexit
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, cast
from uuid import UUID

from msgspec import UNSET, UnsetType, structs

from headrace.base.errors import ConfigurationError, UsageError
from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution, show_errors_in_one_line
from headrace.projects.blueprints import Blueprint, Deployed, check_name, draw_plan, make_deployment, refuse_twins
from headrace.projects.definitions import Definition, Draft, PoolPlace, read_definition
from headrace.projects.definitions import Limit as ConcurrencyLimitConfig
from headrace.projects.documents import Document, Route
from headrace.projects.entrypoints import AnyFlow, find_flow
from headrace.projects.places import Pools
from headrace.projects.triggers import DeploymentTrigger, find_blocks
from headrace.projects.whereabouts import EntrypointType, Whereabouts, locate
from headrace.runner.storage import Storage, create_storage_from_source
from headrace.schedules import Cron, Interval, RRule, Schedule
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.wire import simplify

NO_IMAGES = (
    "{name}: Headrace builds and pushes no images: leave image, build and push out. Workers load the code from where it is "
    "on this machine, or from where flow.from_source says."
)


class DeploymentOptions(TypedDict, total=False):
    """What can be said of a deployment in code; `flow.to_deployment` says what each means."""

    interval: timedelta | float | Iterable[timedelta | float] | None
    cron: str | Iterable[str] | None
    rrule: str | Iterable[str] | None
    schedule: Schedule | None
    schedules: Iterable[Schedule] | None
    paused: bool | None
    concurrency_limit: int | ConcurrencyLimitConfig | None
    parameters: Mapping[str, Any] | None
    tags: Iterable[str] | None
    description: str | None
    version: str | None
    version_type: str | None
    enforce_parameter_schema: bool | None
    triggers: Sequence[DeploymentTrigger | Mapping[str, Any]] | None
    notify: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None
    entrypoint_type: EntrypointType | str


class PooledOptions(DeploymentOptions, total=False):
    """What can be said of one whose runs workers execute."""

    work_queue_name: str | None
    job_variables: Mapping[str, Any] | None


class PlacedOptions(PooledOptions, total=False):
    """All that can be said of one."""

    work_pool_name: str | None


class Source(NamedTuple):
    """Where a flow was fetched from, and its entrypoint there."""

    storage: Storage
    entrypoint: str


def make_blueprint(flow: AnyFlow, source: Source | None, name: str, options: PlacedOptions) -> Blueprint:
    """The deployment that code says. Raises `UsageError` in one line."""
    show_errors_in_one_line()
    unknown = options.keys() - PlacedOptions.__annotations__.keys()
    if unknown:
        raise UsageError(f"A deployment has no option {min(unknown)!r}.")
    check_name(str(name), refusal(name))
    place = (
        _locate(flow, options) if source is None else Whereabouts(source.entrypoint, [source.storage.to_pull_step()])
    )
    return Blueprint(
        flow=flow,
        entrypoint=place.entrypoint,
        name=name,
        definition=_read_definition(name, options),
        schedules=_read_schedules(options),
        pull_steps=place.pull_steps,
    )


def load_source(source: Storage | Path | str, entrypoint: str) -> tuple[AnyFlow, Source]:
    """The flow at an entrypoint of a source, which is fetched for this process. Raises `UsageError` in one line."""
    show_errors_in_one_line()
    storage = create_storage_from_source(source)
    folder = Path(tempfile.mkdtemp(prefix="headrace-source-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # until then something may be read from there
    try:
        full, flow = find_flow(entrypoint, storage.fetch(folder))
    except ConfigurationError as error:
        raise UsageError(str(error)) from error.__cause__
    return flow, Source(storage, full)


def deploy(
    *deployments: Blueprint,
    work_pool_name: str | None = None,
    image: str | None = None,
    build: bool | None = None,
    push: bool | None = None,
    print_next_steps_message: bool = True,
) -> list[UUID]:
    """Make deployments that workers execute, and return their ids. None is made unless all can be.

    They go to `work_pool_name` unless they name a pool of their own; without any, to the only pool there is. Raises
    `UsageError` in one line for what cannot be, `image`, `build` and `push` among it.
    """
    show_errors_in_one_line()
    for name, wanted in (("image", image is not None), ("build", build), ("push", push)):
        if wanted:
            raise UsageError(NO_IMAGES.format(name=name))
    settings = load_settings()
    blueprints = [_place(each, work_pool_name) for each in check_all("deploy", deployments)]
    with closing(cast("Any", open_administration(settings))) as administration:
        pools = Pools(administration, settings.deployments_default_work_pool_name)
        plans = [draw_plan(each, pools, refusal(each.name)) for each in blueprints]
        refuse_twins(plans, UsageError)
        for plan in plans:
            find_blocks(plan.automata, administration)
        with closing(open_execution(settings)) as execution:
            made = [make_deployment(plan, administration, execution) for plan in plans]
    warn(made)
    if print_next_steps_message:
        _tell_next_steps(made, settings.api_url)
    return [each.deployment.id for each in made]


def check_all(what: str, deployments: Sequence[Any]) -> list[Blueprint]:
    """What was given to a function of ours as deployments. Raises `UsageError` for anything else, and for nothing."""
    if not deployments:
        raise UsageError(f"{what} is given deployments: {what}(my_flow.to_deployment('name'), …).")
    for each in deployments:
        if not isinstance(each, Blueprint):
            raise UsageError(f"{what} is given what flow.to_deployment returns, not {each!r}.")
    return [*deployments]


def refusal(name: str) -> Callable[[Route, str], UsageError]:
    """Makes errors of what is wrong with the deployment of that name."""
    return lambda _, text: UsageError(f"Deployment {name!r}: {text}")


def warn(made: Iterable[Deployed]) -> None:
    """Say on stderr what is no reason to fail."""
    for note in (note for each in made for note in each.notes):
        sys.stderr.write(f"Warning: {note}\n")


def _locate(flow: AnyFlow, options: DeploymentOptions) -> Whereabouts:
    kind = options.get("entrypoint_type", EntrypointType.FILE_PATH)
    try:
        return locate(flow, EntrypointType(kind))
    except ValueError:
        raise UsageError(f"entrypoint_type is 'file_path' or 'module_path', not {kind!r}.") from None


def _read_definition(name: str, options: PlacedOptions) -> Definition:
    """What the options say, each value as it must be, by the rules of project files."""
    limit = options.get("concurrency_limit")
    tags = options.get("tags")
    place = {
        "name": options.get("work_pool_name"),
        "work_queue_name": options.get("work_queue_name"),
        "job_variables": _plain(options.get("job_variables")),
    }
    kept = ("paused", "description", "version", "version_type", "enforce_parameter_schema")
    value = {
        **{key: options.get(key) for key in kept},
        "name": name,
        "parameters": _plain(options.get("parameters")),
        "triggers": _plain_list(options.get("triggers")),
        "notify": _plain_list(options.get("notify")),
        "tags": tags if tags is None or isinstance(tags, str) else [*tags],
        "concurrency_limit": structs.asdict(limit) if isinstance(limit, ConcurrencyLimitConfig) else limit,
        "work_pool": {key: said for key, said in place.items() if said is not None},
    }
    try:
        return read_definition(Draft(Document(Path(), "", {}, {})), value)
    except ConfigurationError as error:
        text = str(error)
        raise refusal(name)((), f"{text[:1].lower()}{text[1:]}") from None


def _plain(value: Mapping[str, Any] | None) -> Any:
    """Values as JSON holds them: dates are texts, models are names with values."""
    return None if value is None else simplify(dict(value) if isinstance(value, Mapping) else value)  # pyright: ignore[reportUnnecessaryIsInstance]


def _plain_list(value: Any) -> Any:
    """Values as JSON holds them, several or one."""
    several = isinstance(value, Iterable) and not isinstance(value, (str, Mapping))
    return None if value is None else simplify([*cast("Iterable[Any]", value)] if several else value)


def _read_schedules(options: DeploymentOptions) -> list[DeploymentScheduleCreate] | UnsetType:
    """All schedules that were given, whichever way; UNSET where none was, so that those that there are stay."""
    made: list[Schedule] = []
    for key, make in (("interval", Interval), ("cron", Cron), ("rrule", RRule)):
        made += [make(each) for each in _each(options.get(key))]
    single, several = options.get("schedule"), options.get("schedules")
    for each in (*_each(single), *(several or ())):
        if not isinstance(each, Schedule):
            raise UsageError(f"A schedule is what Cron, Interval and RRule of headrace.schedules make, not {each!r}.")
        made.append(each)
    return [each.to_request() for each in made] if made or several is not None else UNSET


def _each(value: Any) -> list[Any]:
    if value is None:
        return []
    return [*value] if isinstance(value, Iterable) and not isinstance(value, (str, Schedule)) else [value]


def _place(blueprint: Blueprint, pool: str | None) -> Blueprint:
    place = blueprint.definition.work_pool or PoolPlace()
    placed = structs.replace(place, name=place.name or pool)
    return structs.replace(blueprint, definition=structs.replace(blueprint.definition, work_pool=placed))


def _tell_next_steps(made: Sequence[Deployed], api_url: str | None) -> None:
    lines: list[str] = []
    for each in made:
        assert each.pool is not None
        verb = "Deployed" if each.is_new else "Deployed anew"
        lines.append(f"{verb} {each.full_name} to the work pool {each.pool.name} ({each.pool.type}).")
        if api_url is not None:
            lines.append(f"  {api_url.removesuffix('/api')}/deployments/{each.deployment.id}")
    lines += ["", "Next"]
    lines += dict.fromkeys(
        f"  headrace worker start --pool {shlex.quote(each.pool.name)}" for each in made if each.pool is not None
    )
    lines += [f"  headrace deployment run {shlex.quote(each.full_name)}" for each in made]
    sys.stdout.write("\n".join(lines) + "\n")
