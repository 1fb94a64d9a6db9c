"""Instants worked out by hand from the published changes of clocks, and what is no schedule at all."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest
from headrace.rules.occurrences import (
    DAY,
    check_schedule,
    first_occurrences,
    missed_slots,
    occurrences,
    plan_ahead,
    plan_span,
)
from headrace.schema.schedule import Schedule, ScheduleSpan

NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
KATHMANDU, APIA, SAO_PAULO = "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo"
NOW = to_micros(datetime.fromisoformat("2026-01-01T00:00:00+00:00"))


def cron(text: str, zone: str | None = None, *, day_or: bool = True) -> Schedule:
    return Schedule(cron=text, timezone=zone, day_or=day_or)


def rule(text: str, zone: str | None = None) -> Schedule:
    return Schedule(rrule=text, timezone=zone)


def every(seconds: float, zone: str | None = None, anchor: str | None = None) -> Schedule:
    return Schedule(interval=seconds, timezone=zone, anchor_date=datetime.fromisoformat(anchor) if anchor else None)


def times(schedule: Schedule, after: str, count: int) -> list[str]:
    """The next instants, in UTC."""
    found = first_occurrences(schedule, to_micros(datetime.fromisoformat(after)), count)
    return [to_datetime(instant).strftime("%m-%d %H:%M") for instant in found]


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        # New York goes from EST (-5) to EDT (-4) on 8 March 2026, when 02:00 becomes 03:00: right after the skip.
        (cron("30 2 * * *", NEW_YORK), "2026-03-07T12:00", ["03-08 07:00", "03-09 06:30"]),
        (cron("0,30 2-3 * * *", NEW_YORK), "2026-03-08T00:00", ["03-08 07:00", "03-08 07:30", "03-09 06:00"]),
        # … and back on 1 November, when 02:00 becomes 01:00: 01:30 comes twice, the job runs once.
        (cron("30 1 * * *", NEW_YORK), "2026-10-31T12:00", ["11-01 05:30", "11-02 06:30"]),
        (
            cron("*/30 * * * *", NEW_YORK),
            "2026-11-01T04:59",
            ["11-01 05:00", "11-01 05:30", "11-01 06:00", "11-01 06:30", "11-01 07:00"],
        ),
        (cron("0 * * * *", NEW_YORK), "2026-03-08T05:30", ["03-08 06:00", "03-08 07:00", "03-08 08:00"]),
        # Berlin changes on 29 March 2026, 02:00 CET (+1) to 03:00 CEST (+2); midnight is not touched.
        (cron("@daily", BERLIN), "2026-03-28T12:00", ["03-28 23:00", "03-29 22:00"]),
        (cron("0 2 * * *", BERLIN), "2026-03-28T12:00", ["03-29 01:00", "03-30 00:00"]),
        # Lord Howe turns back by half an hour on 5 April 2026 (+11 to +10:30), at 02:00: 01:45 comes twice.
        (cron("45 1 * * *", LORD_HOWE), "2026-04-04T00:00", ["04-04 14:45", "04-05 15:15"]),
        # … and forth on 4 October, at 02:00 to 02:30.
        (cron("15 2 * * *", LORD_HOWE), "2026-10-03T00:00", ["10-03 15:30", "10-04 15:15"]),
        # Nepal is 5:45 ahead.
        (cron("0 0 * * *", KATHMANDU), "2026-01-01T00:00", ["01-01 18:15", "01-02 18:15"]),
        # Samoa had no 30 December 2011, from -10 to +14: right after the skip, and again on the 31st.
        (cron("0 12 * * *", APIA), "2011-12-29T00:00", ["12-29 22:00", "12-30 10:00", "12-30 22:00"]),
        # In São Paulo clocks went from 00:00 to 01:00 on 4 November 2018: there was no midnight.
        (cron("0 0 * * *", SAO_PAULO), "2018-11-03T12:00", ["11-04 03:00", "11-05 02:00"]),
        (rule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", NEW_YORK), "2026-03-07T12:00", ["03-08 07:30", "03-09 06:30"]),
        (rule("FREQ=DAILY;BYHOUR=1;BYMINUTE=30", NEW_YORK), "2026-10-31T12:00", ["11-01 05:30", "11-02 06:30"]),
        (rule("FREQ=HOURLY", NEW_YORK), "2026-11-01T04:30", ["11-01 05:00", "11-01 06:00", "11-01 07:00"]),
        (
            rule("FREQ=MINUTELY;INTERVAL=30", NEW_YORK),
            "2026-03-08T06:15",
            ["03-08 06:30", "03-08 07:00", "03-08 07:30", "03-08 08:00"],
        ),
        (
            rule("DTSTART:20180101T000000\nRRULE:FREQ=DAILY", SAO_PAULO),
            "2018-11-03T12:00",
            ["11-04 03:00", "11-05 02:00"],
        ),
        (every(86_400, NEW_YORK, "2026-03-01T02:30"), "2026-03-07T12:00", ["03-08 07:30", "03-09 06:30"]),
        (every(86_400, NEW_YORK, "2026-03-01T14:00:00+00:00"), "2026-03-07T00:00", ["03-07 14:00", "03-08 13:00"]),
        (
            every(43_200, NEW_YORK, "2026-03-01T14:00:00+00:00"),
            "2026-03-08T00:00",
            ["03-08 02:00", "03-08 14:00", "03-09 02:00"],
        ),
    ],
)
def test_clocks_are_turned(schedule: Schedule, after: str, expected: list[str]) -> None:
    assert times(schedule, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (cron("0 9 * * MON-FRI"), ["01-01 09:00", "01-02 09:00", "01-05 09:00"]),
        (cron("0 0 ? * SUN"), ["01-04 00:00", "01-11 00:00"]),
        (cron("0 0 13 * FRI"), ["01-02 00:00", "01-09 00:00", "01-13 00:00"]),
        (cron("0 0 13 * FRI", day_or=False), ["02-13 00:00", "03-13 00:00", "11-13 00:00"]),
        (cron("0 0 8-14 * FRI#2", day_or=False), ["01-09 00:00", "02-13 00:00"]),
        (cron("0 0 25-31 * 5L", day_or=False), ["01-30 00:00", "02-27 00:00"]),
        (cron("0 0 1-7 * 7", day_or=False), ["01-04 00:00", "02-01 00:00"]),
        (cron("@hourly"), ["01-01 01:00", "01-01 02:00"]),
        (cron("@Weekly"), ["01-04 00:00", "01-11 00:00"]),
        (rule("DTSTART:19900131T090000\nRRULE:FREQ=MONTHLY"), ["01-31 09:00", "03-31 09:00", "05-31 09:00"]),
        (rule("DTSTART:20251215T090000\nRRULE:FREQ=MONTHLY"), ["01-15 09:00", "02-15 09:00"]),
        (rule("DTSTART:20250115T090000\nRRULE:FREQ=MONTHLY;INTERVAL=5"), ["04-15 09:00", "09-15 09:00"]),
        (rule("DTSTART:20200310T090000\nRRULE:FREQ=YEARLY;INTERVAL=2"), ["03-10 09:00", "03-10 09:00"]),
        (rule("DTSTART:20260101T000000\nRRULE:FREQ=DAILY;COUNT=3"), ["01-02 00:00", "01-03 00:00"]),
        (rule("DTSTART:19900101T000000\nRRULE:FREQ=WEEKLY;INTERVAL=2"), ["01-12 00:00", "01-26 00:00"]),
        (rule("FREQ=DAILY;UNTIL=20260103T000000"), ["01-02 00:00", "01-03 00:00"]),
        (rule("DTSTART:20260101T080000Z\nRRULE:FREQ=DAILY", BERLIN), ["01-01 08:00", "01-02 08:00"]),
        (
            rule("DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=DAILY\nEXDATE:20260102T090000"),
            ["01-01 08:00", "01-03 08:00"],
        ),
        (rule("RDATE:20260401T000000,20260501T000000"), ["04-01 00:00", "05-01 00:00"]),
        (
            rule("RRULE:FREQ=MONTHLY\nRRULE:FREQ=MONTHLY;BYMONTHDAY=15\nEXRULE:FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=2"),
            ["01-15 00:00", "02-15 00:00", "03-01 00:00"],
        ),
        (every(3600), ["01-01 01:00", "01-01 02:00"]),
        (every(90, anchor="2030-01-01T00:00:30"), ["01-01 00:00", "01-01 00:02"]),
        (every(7 * 86_400, anchor="2026-01-03T06:00"), ["01-03 06:00", "01-10 06:00"]),
    ],
)
def test_what_comes_next(schedule: Schedule, expected: list[str]) -> None:
    assert times(schedule, "2026-01-01T00:00", len(expected)) == expected


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (cron("99 99 99 99 99 99"), "month, day of the week); '99 99 99 99 99 99' has 6."),
        (cron("61 25 0 13 9"), "wrong in its minute and hour and day of the month and month and day of the week."),
        (cron("0 0 30 2 *"), "Cron '0 0 30 2 *' is wrong in its days, which no month has."),
        (cron("0 0 1-7 * 1#5", day_or=False), "The time of '0 0 1-7 * 1#5' never comes."),
        (cron("@never"), "Cron has no '@never': it knows @annually, @daily, @hourly, "),
        (cron("0 0 * * *", "Mars/Olympus"), "There is no time zone 'Mars/Olympus': give an IANA name"),
        (cron("0 0 * * *", "../../etc/passwd"), "There is no time zone '../../etc/passwd': give"),
        (rule("FREQ=SECONDLY"), "Rule 'FREQ=SECONDLY' fires every second: the shortest is MINUTELY."),
        (rule("FREQ=DAILY;INTERVAL=0"), "Rule 'FREQ=DAILY;INTERVAL=0' has an INTERVAL below 1."),
        (rule("FREQ=NEVER"), "Rule 'FREQ=NEVER' cannot be read: invalid 'FREQ': NEVER."),
        (rule("whenever"), "Rule 'whenever' cannot be read: it is no iCalendar rule."),
        (rule("FREQ=YEARLY;BYEASTER=0"), "names Easter, which is no part of iCalendar."),
        (rule("FREQ=HOURLY;BYSETPOS=2"), "has BYSETPOS, which means something only from DAILY on."),
        (rule("DTSTART:20260101T000000"), "Rule 'DTSTART:20260101T000000' says nothing: it has no RRULE."),
        (rule("DTSTART:99980101T000000\nRRULE:FREQ=DAILY"), "lies between the years 1900 and 2999, not in 9998."),
        (rule("NOTE:x"), "A rule knows no 'NOTE': 'NOTE:x'."),
        (rule("DTSTART:today\nRRULE:FREQ=DAILY"), "A time in a rule is written like 20260131T093000, not 'today'."),
        (rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), "The time of 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30' never comes."),
        (
            rule("DTSTART:19700101T000000\nRRULE:FREQ=MINUTELY;COUNT=5"),
            "has to be counted from too far back: use UNTIL",
        ),
        (rule("X" * 7000), "A rule has at most 6500 characters; this one has 7000."),
        (every(0.5), "An interval is at least one second and at most a hundred years, not 0.5 s."),
        (every(1e12), "An interval is at least one second and at most a hundred years, not 1e+12 s."),
        (every(86_400, "Asia/Tokyo", "0001-01-01T00:00"), "counted from the years 1900 to 2999, not from 1."),
        (Schedule(), "A schedule has one of interval, cron and rrule; this one has none of them."),
        (Schedule(cron="* * * * *", interval=5), "cron and rrule; this one has interval and cron."),
    ],
)
def test_what_is_no_schedule_is_told_in_one_line(schedule: Schedule, message: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_schedule(schedule, NOW)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_schedule_that_is_over_is_one() -> None:
    check_schedule(rule("FREQ=DAILY;UNTIL=20210101T000000"), NOW)
    assert plan_ahead(rule("FREQ=DAILY;UNTIL=20210101T000000"), NOW) == ([], None)


@pytest.mark.parametrize(
    ("schedule", "most", "count", "look"),
    [
        (every(1), None, 100, 49),
        (every(60), None, 60, 29),
        (every(60), 5, 5, 2),
        (every(86_400), None, 3, 1),
        (every(86_400 * 60), None, 2, 0),
    ],
)
def test_runs_are_made_ahead(schedule: Schedule, most: int | None, count: int, look: int) -> None:
    planned, look_at = plan_ahead(schedule, NOW, most)
    assert planned == first_occurrences(schedule, NOW, count)
    assert look_at == planned[look]


def test_no_slot_is_lost_between_a_change_and_the_next_look() -> None:
    second = 1_000_000
    assert plan_ahead(every(60), NOW + 90 * second, 1, NOW + 30 * second) == (
        [NOW + 60 * second, NOW + 120 * second],
        NOW + 120 * second,
    )
    long_ago, _ = plan_ahead(every(60), NOW + 30 * second, 1, NOW - DAY)
    assert long_ago == [NOW, NOW + 60 * second]
    assert plan_ahead(every(60), NOW, 1, NOW + DAY)[0] == [NOW + 60 * second]
    over = rule("DTSTART:20260101T000000\nRRULE:FREQ=DAILY;COUNT=1")
    assert plan_ahead(over, NOW + second, None, NOW - second) == ([NOW], None)


@pytest.mark.parametrize("schedule", [every(86_400 * 365), every(86_400 * 36_500), every(3600 * 8759)])
def test_calendars_end(schedule: Schedule) -> None:
    after = to_micros(datetime.fromisoformat("9985-01-01T00:00:00+00:00"))
    assert len(first_occurrences(schedule, after, 20)) < 20


def test_what_is_far_away_is_looked_at_daily() -> None:
    assert plan_ahead(cron("0 0 1 12 *"), NOW) == ([], NOW + DAY)


def test_missed_slots_are_made_up_for_as_the_schedule_says() -> None:
    hourly, since = every(3600), NOW - 5 * 3600 * 1_000_000
    passed = [NOW - hours * 3600 * 1_000_000 for hours in range(4, -1, -1)]
    assert missed_slots(hourly, since, NOW, "all") == (passed, False)
    assert missed_slots(hourly, since, NOW, "all", most=3) == (passed[-3:], True)
    assert missed_slots(hourly, since, NOW, "latest") == (passed[-1:], False)
    assert missed_slots(hourly, since, NOW, "none") == ([], False)
    assert missed_slots(hourly, NOW, NOW + 1, "all") == ([], False)


def test_the_latest_slot_of_a_long_outage_is_found_at_once() -> None:
    since = NOW - 3650 * DAY
    assert missed_slots(every(1), since, NOW, "latest") == ([NOW], False)
    assert missed_slots(cron("0 0 29 2 *"), since, NOW, "latest")[0] == [to_micros(datetime(2024, 2, 29, tzinfo=UTC))]


ZONES = [NEW_YORK, BERLIN, LORD_HOWE, KATHMANDU, APIA, SAO_PAULO, "Africa/Casablanca", "UTC"]
SCHEDULES = st.one_of(
    st.builds(every, st.sampled_from([60, 5400, 86_400, 86_400 * 9, 12.5]), st.sampled_from(ZONES)),
    st.builds(
        cron, st.sampled_from(["*/15 * * * *", "30 2 * * *", "0 0 29 2 *", "5 4 1-7 * 1"]), st.sampled_from(ZONES)
    ),
    st.builds(
        rule,
        st.sampled_from(
            ["FREQ=MINUTELY;INTERVAL=25", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY", "FREQ=YEARLY"]
        ),
        st.sampled_from(ZONES),
    ),
)


@given(SCHEDULES, st.integers(0, 60 * 365), st.integers(0, 86_400))
def test_instants_rise_and_do_not_depend_on_when_is_asked(schedule: Schedule, days: int, seconds: int) -> None:
    after = days * DAY + seconds * 1_000_000
    found = [*islice(occurrences(schedule, after), 12)]
    assert after < found[0]
    assert all(one < other for one, other in pairwise(found))
    assert first_occurrences(schedule, found[4], 7) == found[5:]
    zone = ZoneInfo(schedule.timezone or "UTC")
    if schedule.cron == "30 2 * * *":
        walls = {to_datetime(instant).astimezone(zone).date() for instant in found}
        assert len(walls) == len(found)
        assert max(walls) - min(walls) < timedelta(days=14)


@pytest.mark.parametrize(
    ("told", "most", "hours"),
    [
        ({"min_time": 0, "min_runs": 0}, None, [0]),
        ({"min_time": 0, "min_runs": 2}, None, [0, 1]),
        ({"min_time": 10_800, "min_runs": 1}, None, [0, 1, 2, 3]),
        ({"min_time": 86_400}, None, [0, 1, 2, 3, 4, 5]),
        ({"min_time": 86_400, "max_runs": 3}, None, [0, 1, 2]),
        ({"min_time": 86_400}, 1, [0]),
        ({}, None, [0, 1, 2]),
    ],
)
def test_a_span_holds_the_instants_that_are_wanted(told: dict[str, float], most: int | None, hours: list[int]) -> None:
    start = to_datetime(NOW)
    span = ScheduleSpan(start_time=start, end_time=start + timedelta(hours=5), **told)  # pyright: ignore[reportArgumentType]
    assert plan_span(span, cron("0 * * * *"), most) == [NOW + hour * 3_600_000_000 for hour in hours]


def test_a_span_after_the_last_instant_is_empty() -> None:
    span = ScheduleSpan(start_time=to_datetime(NOW), end_time=to_datetime(NOW + DAY))
    assert plan_span(span, rule("FREQ=DAILY;UNTIL=20210101T000000")) == []


@pytest.mark.parametrize("schedule", [cron("0 * * * *"), every(3600), rule("FREQ=DAILY")])
def test_where_calendars_end_there_is_nothing(schedule: Schedule) -> None:
    beyond = to_micros(datetime.fromisoformat("9999-12-31T23:00:00+00:00"))
    assert first_occurrences(schedule, beyond, 3) == []
    ages = ScheduleSpan(
        start_time=datetime.min.replace(tzinfo=UTC), end_time=datetime.max.replace(tzinfo=UTC), min_runs=1, max_runs=1
    )
    assert len(plan_span(ages, schedule)) == 1


def test_a_cron_string_may_reach_the_end_of_calendars() -> None:
    start = to_micros(datetime.fromisoformat("9989-06-01T00:00:00+00:00"))
    years = [to_datetime(instant).year for instant in first_occurrences(cron("0 0 1 1 *"), start, 99)]
    assert years == list(range(9990, 10_000))
