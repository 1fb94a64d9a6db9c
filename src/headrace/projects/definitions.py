"""What a project file says of one deployment, as typed values. What it means is in `deploying.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from headrace.base.errors import ConfigurationError
from headrace.projects.documents import Document, Route
from headrace.projects.triggers import DeploymentTrigger, Notice, settle_notices, settle_triggers
from headrace.schema.schedule import CatchUp, Lateness, Overlap, Positive

Steps = list[dict[str, Any]]
Collision = Literal["ENQUEUE", "CANCEL_NEW"]


class PoolPlace(Struct, kw_only=True):
    """Where runs go."""

    name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] | None = None


class Limit(Struct, kw_only=True):
    """How many runs may execute at once, and what happens to one more."""

    limit: Positive
    collision_strategy: Collision | None = None
    grace_period_seconds: Annotated[int, Meta(ge=60, le=86_400)] | None = None


class ScheduleEntry(Struct, kw_only=True):
    """When runs are due, and what those runs are given. `anchor_date` is a text so that one without a zone can be told."""

    cron: str | None = None
    interval: float | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: str | None = None
    day_or: bool | None = None
    active: bool | None = None
    parameters: dict[str, Any] | None = None
    slug: str | None = None
    replaces: str | None = None
    max_scheduled_runs: Positive | None = None
    catchup: CatchUp | None = None
    max_lateness: Lateness | None = None
    overlap: Overlap | None = None


class Definition(Struct, kw_only=True):
    """What a file says of a deployment. Null and not said are the same, but for `schedules`, where an empty list is none."""

    name: str | None = None
    version: str | None = None
    version_type: str | None = None
    tags: list[str] | None = None
    description: str | None = None
    schedules: list[ScheduleEntry] | UnsetType | None = UNSET
    flow_name: str | None = None
    entrypoint: str | None = None
    parameters: dict[str, Any] | None = None
    enforce_parameter_schema: bool | None = None
    concurrency_limit: Limit | None = None
    paused: bool | None = None
    work_pool: PoolPlace | None = None
    build: Steps | None = None
    push: Steps | None = None
    pull: Steps | None = None
    triggers: list[DeploymentTrigger] | None = None
    notify: list[Notice] | None = None
    sla: Any = None


KEYS = (*Definition.__struct_fields__, "schedule")
_BELOW: dict[str, type[Struct]] = {
    "work_pool": PoolPlace,
    "schedule": ScheduleEntry,
    "schedules": ScheduleEntry,
    "concurrency_limit": Limit,
}
_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "names with values",
    "null": "nothing",
}


class Draft(Struct):
    """A deployment as a file says it, placeholders and all, and where in the file it stands.

    `folder` is where its flow is loaded from, where that is not the project's folder.
    """

    document: Document
    route: Route = ()
    value: dict[str, Any] = field(default_factory=dict[str, Any])
    folder: Path | None = None

    @property
    def name(self) -> str | None:
        """The name as it is written."""
        name = self.value.get("name")
        return name if isinstance(name, str) else None

    def error(self, key: Route, text: str) -> ConfigurationError:
        """The error that something of the deployment is wrong."""
        return self.document.error((*self.route, *key), text)

    def check_keys(self) -> None:
        """Raise `ConfigurationError` for a key that there is not."""
        for route, mapping, known in self._mappings():
            self.document.check_keys(route, mapping, known)

    def drop_keys(self) -> list[str]:
        """Leave out keys that there are not, and return them."""
        dropped: list[str] = []
        for _, mapping, known in self._mappings():
            unknown = [key for key in mapping if key not in known]
            dropped += [key for key in unknown if mapping.pop(key) not in (None, [], {}, "")]
        return dropped

    def _mappings(self) -> Iterator[tuple[Route, dict[str, Any], Sequence[str]]]:
        """Each mapping of the deployment that has keys of ours, and which they are."""
        yield self.route, self.value, KEYS
        for key, kind in _BELOW.items():
            below = self.value.get(key)
            several = isinstance(below, list)
            for place, each in enumerate(cast("list[Any]", below) if several else [below]):
                if isinstance(each, dict):
                    route = (*self.route, key, place) if several else (*self.route, key)
                    yield route, cast("dict[str, Any]", each), kind.__struct_fields__


def read_definition(draft: Draft, value: Mapping[str, Any]) -> Definition:
    """The definition of a draft whose placeholders are filled in (`value`). Raises `ConfigurationError` with the line."""
    plain = dict(value)
    _settle_schedules(draft, plain)
    plain["triggers"], plain["notify"] = settle_triggers(plain.get("triggers")), settle_notices(plain.get("notify"))
    limit = plain.get("concurrency_limit")
    shorthand = isinstance(limit, (int, str)) and not isinstance(limit, bool)
    if shorthand:
        plain["concurrency_limit"] = {"limit": limit}
    for key in ("name", "version", "entrypoint"):
        if isinstance(plain.get(key), (int, float)):
            raise draft.error((key,), f"{key} is a text: write it in quotes.")
    try:
        return msgspec.convert(plain, Definition, strict=False)
    except msgspec.ValidationError as error:
        route, text = describe_problem(error)
        if route[:1] == ("concurrency_limit",) and shorthand:
            route = ("concurrency_limit",)
        raise draft.error(route, f"{_name(route)}{text}.") from None


def describe_problem(error: msgspec.ValidationError) -> tuple[Route, str]:
    """The way to a value that cannot be, and what is wrong with it, in words of people who write such files."""
    text, _, path = str(error).partition(" - at `$")
    text = re.sub(r"`([a-z| ]+)`", lambda types: " or ".join(_WORDS.get(t, t) for t in types[1].split(" | ")), text)
    return _read_route(path.rstrip("`")), text[:1].lower() + text[1:]


def _settle_schedules(draft: Draft, plain: dict[str, Any]) -> None:
    """One list of schedules, whichever way they were written; a text alone is a cron string."""
    single = plain.pop("schedule", None)
    several = plain.get("schedules", UNSET)
    if single:
        if several is not UNSET and several:
            raise draft.error(("schedule",), "write either schedule or schedules.")
        several = [single]
    if several is None or several is UNSET:
        plain.pop("schedules", None)
        return
    if not isinstance(several, list):
        raise draft.error(("schedules",), "schedules is a list; a single one is written as schedule.")
    plain["schedules"] = [{"cron": each} if isinstance(each, str) else each for each in cast("list[Any]", several)]


def _read_route(path: str) -> Route:
    parts = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path)
    return tuple(key or int(place) for key, place in parts)


def _name(route: Route) -> str:
    names = [str(part) for part in route if isinstance(part, str) and part != "..."]
    return f"{names[-1]}: " if names else ""


def read_anchor(text: str | None) -> datetime | None:
    """The instant, or the time on the clocks of the schedule's zone, from which intervals are counted."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no date: write 2026-01-31T09:30:00.") from None
