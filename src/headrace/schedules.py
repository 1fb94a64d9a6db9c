"""Schedules: when deployments run by themselves. `Cron`, `Interval` and `RRule` make them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, field

from headrace.base.errors import ConfigurationError, UsageError
from headrace.projects.definitions import ScheduleEntry, describe_problem
from headrace.projects.schedules import read_schedule
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.wire import simplify

__all__ = ["Cron", "Interval", "RRule", "Schedule"]


class Schedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When runs are due: one of `cron`, `interval` (seconds or a `timedelta`) and `rrule`.

    `timezone` is on whose clocks, by default UTC; `anchor_date` from when intervals are counted; `day_or` whether a cron
    string that names days of the month and of the week means either. `parameters` go over the deployment's own;
    `slug` is what the schedule is known by when the deployment is made anew. Raises `UsageError` for what means nothing.
    """

    cron: str | None = None
    interval: timedelta | float | None = None
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: datetime | None = None
    day_or: bool = True
    active: bool = True
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    slug: str | None = None

    def __post_init__(self) -> None:
        self.to_request()

    def to_request(self) -> DeploymentScheduleCreate:
        """The schedule as the orchestrator is asked for it."""
        said: dict[str, Any] = msgspec.structs.asdict(self)
        said["parameters"] = simplify(self.parameters)
        if isinstance(self.interval, timedelta):
            said["interval"] = self.interval.total_seconds()
        if isinstance(self.anchor_date, datetime):
            said["anchor_date"] = self.anchor_date.isoformat()
        try:
            return read_schedule(msgspec.convert(said, ScheduleEntry), _refuse)
        except msgspec.ValidationError as error:
            route, text = describe_problem(error)
            raise UsageError(f"Schedule: {route[0]}: {text}.") from None
        except ConfigurationError as error:
            raise UsageError(str(error)) from None


def Cron(  # noqa: N802 - the field's known name
    cron: str,
    /,
    timezone: str | None = None,
    day_or: bool = True,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Runs by a cron string: `Cron("0 6 * * 1-5", timezone="Europe/Berlin")`."""
    return Schedule(cron=cron, timezone=timezone, day_or=day_or, active=active, parameters=parameters or {}, slug=slug)


def Interval(  # noqa: N802 - the field's known name
    interval: timedelta | float,
    /,
    anchor_date: datetime | None = None,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Runs every so many seconds, or as often as a `timedelta` says, counted from `anchor_date`."""
    return Schedule(
        interval=interval,
        anchor_date=anchor_date,
        timezone=timezone,
        active=active,
        parameters=parameters or {},
        slug=slug,
    )


def RRule(  # noqa: N802 - the field's known name
    rrule: str,
    /,
    timezone: str | None = None,
    active: bool = True,
    parameters: dict[str, Any] | None = None,
    slug: str | None = None,
) -> Schedule:
    """Runs by an iCalendar rule: `RRule("FREQ=WEEKLY;BYDAY=MO", timezone="America/New_York")`."""
    return Schedule(rrule=rrule, timezone=timezone, active=active, parameters=parameters or {}, slug=slug)


def _refuse(key: str, text: str) -> ConfigurationError:
    return ConfigurationError(f"Schedule: {f'{key}: ' if key else ''}{text}")
