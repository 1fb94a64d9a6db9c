"""Schedules before anybody keeps them: what they mean, or why they mean nothing."""

from __future__ import annotations

from datetime import datetime

from litestar import post
from litestar.params import JSONBody

from headrace.base import clock
from headrace.rules.occurrences import check_schedule, first_occurrences
from headrace.schema.schedule import SchedulePreview
from headrace.server.auth import Permission, needs


@post("/api/ui/schedules/preview", status_code=200, **needs(Permission.READ))
def preview_schedule(data: JSONBody[SchedulePreview]) -> list[datetime]:
    """Return the next instants of a schedule. Raises `InvalidRequest` for one that means nothing."""
    now = clock.micros()
    check_schedule(data.schedule, now)
    return [clock.to_datetime(instant) for instant in first_occurrences(data.schedule, now, data.count)]


routes = [preview_schedule]
