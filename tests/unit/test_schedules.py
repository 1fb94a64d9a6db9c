"""Schedules from code: what means nothing is refused where it is written."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from headrace.base.errors import UsageError
from headrace.schedules import Cron, Interval, RRule, Schedule
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.schedule import Schedule as Wire


@pytest.mark.parametrize(
    ("made", "meant"),
    [
        (Cron("0 6 * * *"), Wire(cron="0 6 * * *")),
        (
            Cron("0 6 1 * 1", timezone="Europe/Berlin", day_or=False),
            Wire(cron="0 6 1 * 1", timezone="Europe/Berlin", day_or=False),
        ),
        (Interval(90), Wire(interval=90.0)),
        (
            Interval(timedelta(hours=1), datetime(2026, 1, 1, tzinfo=UTC), "Europe/Berlin"),
            Wire(interval=3600.0, anchor_date=datetime(2026, 1, 1, tzinfo=UTC), timezone="Europe/Berlin"),
        ),
        (RRule("FREQ=WEEKLY;BYDAY=MO", "Asia/Tokyo"), Wire(rrule="FREQ=WEEKLY;BYDAY=MO", timezone="Asia/Tokyo")),
        (Schedule(cron="@daily"), Wire(cron="@daily")),
    ],
)
def test_schedules_mean_what_they_say(made: Schedule, meant: Wire) -> None:
    assert made.to_request() == DeploymentScheduleCreate(schedule=meant)


@pytest.mark.parametrize("make", [partial(Cron, "@daily"), partial(Interval, 60)])
def test_schedules_have_parameters_and_a_slug_and_may_rest(make: Callable[..., Schedule]) -> None:
    asked = make(active=False, parameters={"since": date(2026, 1, 31)}, slug="daily").to_request()
    assert (asked.active, asked.parameters, asked.slug) == (False, {"since": "2026-01-31"}, "daily")
    assert RRule("FREQ=DAILY", active=False, parameters={"n": 1}, slug="s").to_request().parameters == {"n": 1}


ANY_CRON: Any = Cron
ANY_INTERVAL: Any = Interval
MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Cron("daily"), "Schedule: cron: A cron string has five fields"),
    (lambda: Cron("0 6 * * *", timezone="Mars/Base"), "Schedule: timezone: There is no time zone 'Mars/Base'"),
    (lambda: ANY_CRON(6), "Schedule: cron: expected a text or nothing, got a whole number."),
    (lambda: Cron("@daily", slug=""), "Schedule: slug: a slug has 1 to 200 characters."),
    (lambda: ANY_CRON("@daily", parameters=[1]), "Schedule: parameters: expected names with values or nothing"),
    (lambda: Interval(0), "Schedule: interval: An interval is at least one second"),
    (lambda: ANY_INTERVAL("1h"), "Schedule: interval: expected a number or nothing, got a text."),
    (lambda: ANY_INTERVAL(60, "soon"), "Schedule: anchor_date: 'soon' is no date"),
    (lambda: RRule("FREQ=NEVER"), "Schedule: rrule: Rule 'FREQ=NEVER' cannot be read"),
    (Schedule, "Schedule: A schedule has one of interval, cron and rrule"),
    (
        lambda: Schedule(cron="@daily", interval=60),
        "Schedule: cron: A schedule has one of interval, cron and rrule",
    ),
]


@pytest.mark.parametrize(
    ("make", "says"),
    MISTAKES,
)
def test_what_means_nothing_is_refused(make: Callable[[], Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)
