"""Schedules: when a deployment is to run. What instants they mean is in `rules.occurrences`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from headrace.schema.wire import Parameters, Request, Stored

Slug = Annotated[str, Meta(min_length=1, max_length=200)]
Positive = Annotated[int, Meta(gt=0)]

CatchUp = Literal["all", "latest", "none"]
"""What becomes of slots that pass while no scheduler looks: each is made up for, or the latest alone, or none."""
Overlap = Literal["skip", "queue", "cancel-running"]
"""What becomes of a slot whose time comes while an earlier run of the schedule is under way: it is skipped, it waits for
the earlier one's end, or it has the earlier one cancelled and begins when that has ended."""
Lateness = Annotated[float, Meta(ge=1, le=31_536_000)]
"""Seconds after which a slot that nobody has started is skipped."""


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
    """Asks for a schedule. `replaces` is the slug of the one whose place it takes, which may be its own.

    Without `catchup`, what was made ahead of an outage starts late and nothing more is made; without `max_lateness` a run
    waits for ever; without `overlap` runs of the schedule may execute at the same time.
    """

    schedule: Schedule
    active: bool = True
    max_scheduled_runs: Positive | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    slug: Slug | None = None
    replaces: str | None = None
    catchup: CatchUp | None = None
    max_lateness: Lateness | None = None
    overlap: Overlap | None = None


class DeploymentScheduleUpdate(Request, kw_only=True):
    """Changes a schedule; fields that are not sent stay as they are, and so does what cannot be null."""

    schedule: Schedule | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET
    max_scheduled_runs: Positive | UnsetType | None = UNSET
    parameters: Parameters | UnsetType = UNSET
    slug: Slug | UnsetType | None = UNSET
    replaces: str | UnsetType | None = UNSET
    catchup: CatchUp | UnsetType | None = UNSET
    max_lateness: Lateness | UnsetType | None = UNSET
    overlap: Overlap | UnsetType | None = UNSET


class DeploymentSchedule(Stored, kw_only=True):
    """A schedule of a deployment. Its runs are known by its slug, or without one by what it says."""

    schedule: Schedule
    deployment_id: UUID | None = None
    active: bool = True
    max_scheduled_runs: int | None = None
    parameters: Parameters = field(default_factory=dict[str, Any])
    slug: str | None = None
    catchup: CatchUp | None = None
    max_lateness: float | None = None
    overlap: Overlap | None = None


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
