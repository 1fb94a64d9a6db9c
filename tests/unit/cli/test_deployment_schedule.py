import json

import pytest

from headrace.schema.deployment import Deployment
from headrace.schema.schedule import DeploymentSchedule, Schedule
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number

DAILY, WEEKLY = number(21), number(22)
FIRST = number(41)


@pytest.fixture(autouse=True)
def deployments(terminal: Terminal) -> None:
    """f/daily without a schedule, and f/weekly with one."""
    flow = terminal.administration.add_flow(1, "f")
    schedule = DeploymentSchedule(id=FIRST, schedule=Schedule(interval=604_800.0), slug="week")
    terminal.administration.add_deployment(Deployment(id=DAILY, name="daily", flow_id=flow.id))
    terminal.administration.add_deployment(Deployment(id=WEEKLY, name="weekly", flow_id=flow.id, schedules=[schedule]))


def schedules(terminal: Terminal, deployment: str = "daily") -> list[DeploymentSchedule]:
    return terminal.administration.read_deployment_by_name("f", deployment).schedules


def schedule(terminal: Terminal, *arguments: str) -> str:
    return terminal.read("deployment", "schedule", *arguments)


def refuse(terminal: Terminal, *arguments: str) -> str:
    return terminal.fail("deployment", "schedule", *arguments)


class TestCreate:
    def test_parameters_are_those_that_the_flow_has(self, terminal: Terminal) -> None:
        deployment = terminal.administration.read_deployment(DAILY)
        deployment.parameter_openapi_schema = {"properties": {"limit": {}, "depth": {}}}
        create = ("create", "daily", "--interval", "60", "-p")
        said = refuse(terminal, *create, "limti=9")
        assert said == "Error: Deployment 'daily' has no parameter 'limti'; did you mean 'limit'?"
        assert schedules(terminal) == []
        schedule(terminal, *create, "limit=9")

    def test_by_cron(self, terminal: Terminal) -> None:
        options = ["--timezone", "Europe/Berlin", "--slug", "mornings", "--no-day-or", "--inactive", "-p", "limit=9"]
        shown = schedule(terminal, "create", "f/daily", "--cron", "0 9 1 * 1", *options)
        (made,) = schedules(terminal)
        assert made.schedule == Schedule(cron="0 9 1 * 1", day_or=False, timezone="Europe/Berlin")
        assert (made.active, made.slug, made.parameters) == (False, "mornings", {"limit": 9})
        assert f"f/daily runs cron 0 9 1 * 1 (days and weekdays at once) (Europe/Berlin) (schedule {made.id})." in shown
        assert "It makes no runs until" in shown

    def test_by_interval(self, terminal: Terminal) -> None:
        shown = schedule(terminal, "create", "daily", "--interval", "1h 30m", "--anchor-date", "2026-03-01T09:00")
        (made,) = schedules(terminal)
        assert made.schedule.interval == 5400
        assert made.schedule.anchor_date is not None
        assert made.schedule.anchor_date.isoformat() == "2026-03-01T09:00:00"
        assert "every 1h 30m" in shown
        assert "no runs" not in shown

    def test_by_rule(self, terminal: Terminal) -> None:
        schedule(terminal, "create", "daily", "--rrule", "FREQ=DAILY;BYHOUR=9")
        assert schedules(terminal)[0].schedule == Schedule(rrule="FREQ=DAILY;BYHOUR=9")

    def test_beside_others_or_in_their_place(self, terminal: Terminal) -> None:
        schedule(terminal, "create", "weekly", "--interval", "60")
        assert [each.schedule.interval for each in schedules(terminal, "weekly")] == [604_800, 60]
        schedule(terminal, "create", "weekly", "--interval", "90", "--replace", "--slug", "one")
        assert [(each.schedule.interval, each.slug) for each in schedules(terminal, "weekly")] == [(90, "one")]

    def test_with_policies(self, terminal: Terminal) -> None:
        policies = ["--catchup", "latest", "--max-lateness", "15 minutes", "--overlap", "cancel-running"]
        schedule(terminal, "create", "daily", "--interval", "60", *policies)
        (made,) = schedules(terminal)
        assert (made.catchup, made.max_lateness, made.overlap) == ("latest", 900.0, "cancel-running")
        shown = schedule(terminal, "ls", "daily")
        assert "catchup latest, skipped after 15m, overlap cancel-running" in shown
        schedule(terminal, "create", "daily", "--interval", "60", "--replace", *policies[:2])
        (made,) = schedules(terminal)
        assert (made.catchup, made.max_lateness, made.overlap) == ("latest", None, None)

    def test_of_a_deployment_that_is_paused_says_so(self, terminal: Terminal) -> None:
        terminal.read("deployment", "pause", "daily")
        shown = schedule(terminal, "create", "daily", "--interval", "60")
        assert "`headrace deployment resume f/daily`" in shown

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            (["daily"], "none of them"),
            (["daily", "--cron", "0 9 * * *", "--interval", "60"], "--cron and --interval"),
            (["daily", "--cron", "0 25 * * *"], "'0 25 * * *' is wrong in its hour"),
            (["daily", "--cron", "hello"], "five fields"),
            (["daily", "--cron", "0 0 30 2 *"], "'0 0 30 2 *'"),
            (["daily", "--cron", "0 9 * * *", "--timezone", "Europe/Berln"], "no time zone 'Europe/Berln'"),
            (["daily", "--interval", "0.5"], "at least one second"),
            (["daily", "--interval", "often"], "'often' is no duration"),
            (["daily", "--interval", "60", "--anchor-date", "gestern"], "'gestern' is no time"),
            (["daily", "--cron", "0 9 * * *", "--anchor-date", "2026-03-01"], "--anchor-date"),
            (["daily", "--interval", "60", "--no-day-or"], "--no-day-or"),
            (["daily", "--rrule", "FREQ=OFTEN"], "OFTEN"),
            (["daily", "--interval", "60", "--slug", ""], "--slug"),
            (["daily", "--interval", "60", "--catchup", "some"], "--catchup"),
            (["daily", "--interval", "60", "--overlap", "wait"], "--overlap"),
            (["daily", "--interval", "60", "--max-lateness", "0.5"], "--max-lateness '0.5' is not between"),
            (["daily", "--interval", "60", "--max-lateness", "53w"], "--max-lateness '53w' is not between"),
            (["daily", "--interval", "60", "-p", "x"], "--param 'x'"),
            (["dayly", "--interval", "60"], "did you mean 'f/daily'?"),
        ],
    )
    def test_refuses(self, terminal: Terminal, bad: list[str], said: str) -> None:
        assert said in refuse(terminal, "create", *bad)
        assert schedules(terminal) == []


def test_ls(terminal: Terminal) -> None:
    schedule(terminal, "create", "weekly", "--cron", "0 9 * * 1-5", "--timezone", "Europe/Berlin", "--inactive")
    head, first, second = schedule(terminal, "ls", "weekly").splitlines()
    assert head.split() == ["ID", "Schedule", "Active", "Next", "Slug"]
    assert first.split() == [str(FIRST), "every", "7d", "yes", "in", "2d", "week"]
    assert second.split()[1:] == ["cron", "0", "9", "*", "*", "1-5", "(Europe/Berlin)", "paused", "–"]
    assert all(
        len(line) <= 80 for line in terminal.read("deployment", "schedule", "ls", "weekly", width=80).splitlines()
    )
    assert len(json.loads(schedule(terminal, "ls", "weekly", "-o", "json"))) == 2
    assert "has no schedules" in schedule(terminal, "ls", "daily")
    terminal.read("deployment", "pause", "weekly")
    assert "The deployment is paused" in schedule(terminal, "ls", "weekly")


def test_pause_and_resume_one(terminal: Terminal) -> None:
    assert schedule(terminal, "pause", "weekly") == "Paused 1 schedule.\n"
    assert [each.active for each in schedules(terminal, "weekly")] == [False]
    schedule(terminal, "create", "weekly", "--interval", "60")
    assert "has 2 schedules" in refuse(terminal, "resume", "weekly")
    for named in (str(FIRST), "week"):
        schedule(terminal, "pause", "weekly", named)
        schedule(terminal, "resume", "weekly", named)
        assert [each.active for each in schedules(terminal, "weekly")] == [True, True]


def test_pause_and_resume_all(terminal: Terminal) -> None:
    for name in ("daily", "weekly"):
        schedule(terminal, "create", name, "--interval", "60")
    assert schedule(terminal, "pause", "weekly", "--all") == "Paused 2 schedules.\n"
    assert [each.active for each in schedules(terminal, "daily")] == [True]
    assert schedule(terminal, "pause", "--all") == "Paused 1 schedule.\n"
    assert schedule(terminal, "resume", "--all", "-y") == "Resumed 3 schedules.\n"
    assert schedule(terminal, "resume", "--all") == "Resumed 0 schedules.\n"
    assert "--all" in refuse(terminal, "pause")
    assert "--all" in refuse(terminal, "pause", "weekly", "week", "--all")


def test_delete_and_clear(terminal: Terminal) -> None:
    schedule(terminal, "create", "weekly", "--interval", "60", "--slug", "fast")
    assert f"Deleted the schedule every 7d ({FIRST})" in schedule(terminal, "delete", "weekly", "week", "-y")
    assert [each.slug for each in schedules(terminal, "weekly")] == ["fast"]
    assert "has no schedule 'week'" in refuse(terminal, "delete", "weekly", "week")
    assert schedule(terminal, "clear", "weekly", "-y") == "Deleted 1 schedule of weekly.\n"
    assert schedules(terminal, "weekly") == []
    assert "has 0 schedules" in refuse(terminal, "delete", "weekly")


@pytest.mark.parametrize(
    "command",
    [
        ["schedule", "delete", "weekly"],
        ["schedule", "clear", "weekly"],
        ["schedule", "create", "weekly", "--interval", "60", "--replace"],
        ["schedule", "pause", "--all"],
        ["delete", "weekly"],
    ],
)
def test_what_cannot_be_undone_asks_when_told_to(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda: "n")
    ended = terminal.type("--prompt", "deployment", *command)
    assert ended.code == 1
    assert "Error: Nothing was " in ended.err
    assert [(each.id, each.active) for each in schedules(terminal, "weekly")] == [(FIRST, True)]
    monkeypatch.setattr("builtins.input", lambda: "y")
    assert terminal.type("--prompt", "deployment", *command).code == 0
    left = terminal.administration.deployments.get(WEEKLY)
    assert left is None or [(each.id, each.active) for each in left.schedules] != [(FIRST, True)]
