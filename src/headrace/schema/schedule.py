"""Schedules: when a deployment is to run. What instants they mean is in `rules.occurrences`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from headrace.schema.wire import Parameters, Request, Stored

Slug = Annotated[str, Meta(min_length=1, max_length=200)]
Positive = Annotated[int, Meta(gt=0)]


class Schedule(Request, kw_only=True, omit_defaults=True):
    """One of three: every `interval` seconds from `anchor_date` on, by a `cron` string, or by an iCalendar `rrule`.

    The contract has a type for each and tells them apart by their fields, so on the wire only those of one are there.
    `timezone` is an IANA name; without one it is UTC. `day_or`: a cron string that names days of the month and of the
    week means either (the default), or both at once.
    """

    interval: Annotated[float, Meta(gt=0)] | None = None
    anchor_date: datetime | None = None
    cron: str | None = None
    day_or: bool = True
    rrule: str | None = None
    timezone: str | None = None


class DeploymentScheduleCreate(Request, kw_only=True):
    """Asks for a schedule. `replaces` is the slug of the one whose place it takes, which may be its own."""

    schedule: Schedule
    active: bool = True
    max_scheduled_runs: Positive | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    slug: Slug | None = None
    replaces: str | None = None


class DeploymentScheduleUpdate(Request, kw_only=True):
    """Changes a schedule; fields that are not sent stay as they are, and so does what cannot be null."""

    schedule: Schedule | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    max_scheduled_runs: Positive | UnsetType | None = UNSET
    parameters: Parameters | UnsetType = UNSET
    slug: Slug | UnsetType | None = UNSET
    replaces: str | UnsetType | None = UNSET


class DeploymentSchedule(Stored, kw_only=True):
    """A schedule of a deployment. Its runs are known by its slug, or without one by what it says."""

    schedule: Schedule
    deployment_id: UUID | None = None
    active: bool = True
    max_scheduled_runs: int | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    slug: str | None = None


class ScheduleSpan(Struct, frozen=True, kw_only=True):
    """For which stretch of time runs are wanted, and how many: those of the first `min_time` seconds, at least `min_runs`."""

    start_time: datetime
    end_time: datetime
    min_time: float = 3600.0
    min_runs: int = 3
    max_runs: int = 100


class SchedulePreview(Request, kw_only=True):
    """Asks for the next instants of a schedule, before anybody keeps it."""

    schedule: Schedule
    count: Annotated[int, Meta(ge=1, le=100)] = 5
