"""Schedules of project files and command lines: checked before anything is asked of the orchestrator."""

from __future__ import annotations

from collections.abc import Callable

from headrace.base.clock import now, to_micros
from headrace.base.errors import ConfigurationError, InvalidRequest
from headrace.projects.definitions import ScheduleEntry, read_anchor
from headrace.rules.occurrences import check_schedule
from headrace.schema.schedule import DeploymentScheduleCreate, Schedule

Refuse = Callable[[str, str], ConfigurationError]
"""The error for a field of a schedule, by the field's name and what is wrong."""


def read_schedule(entry: ScheduleEntry, refuse: Refuse) -> DeploymentScheduleCreate:
    """The schedule that an entry means. Raises what `refuse` makes of the field that is wrong."""
    try:
        anchor = read_anchor(entry.anchor_date)
    except ConfigurationError as error:
        raise refuse("anchor_date", str(error)) from None
    schedule = Schedule(
        interval=entry.interval,
        anchor_date=anchor,
        cron=entry.cron,
        day_or=True if entry.day_or is None else entry.day_or,
        rrule=entry.rrule,
        timezone=entry.timezone,
    )
    try:
        check_schedule(schedule, to_micros(now()))
    except InvalidRequest as error:
        raise refuse(_find_fault(entry), str(error)) from None
    if entry.slug is not None and not 1 <= len(entry.slug) <= 200:
        raise refuse("slug", "a slug has 1 to 200 characters.")
    return DeploymentScheduleCreate(
        schedule=schedule,
        active=True if entry.active is None else entry.active,
        max_scheduled_runs=entry.max_scheduled_runs,
        parameters=entry.parameters or {},
        slug=entry.slug,
        replaces=entry.replaces,
        catchup=entry.catchup,
        max_lateness=entry.max_lateness,
        overlap=entry.overlap,
    )


def _find_fault(entry: ScheduleEntry) -> str:
    """The field that a schedule is refused for: the zone where it alone is wrong, else what says when."""
    if entry.timezone is not None:
        try:
            check_schedule(Schedule(cron="* * * * *", timezone=entry.timezone), 0)
        except InvalidRequest:
            return "timezone"
    return next((kind for kind in ("cron", "interval", "rrule") if getattr(entry, kind) is not None), "")
