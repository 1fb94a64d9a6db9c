import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from headrace.schema.deployment import Deployment, DeploymentStatus
from headrace.schema.schedule import DeploymentSchedule, Schedule
from headrace.schema.state import StateType
from headrace.schema.work_pool import ServiceStatus
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import NOW, at, number


@pytest.fixture(autouse=True)
def daily(terminal: Terminal) -> Deployment:
    """The deployment animal-facts/daily, beside one of another flow."""
    world = terminal.administration
    facts, taxi = world.add_flow(1, "animal-facts"), world.add_flow(2, "taxi")
    terminal.read("work-pool", "create", "local")
    world.add_deployment(
        Deployment(
            id=number(22),
            name="train",
            flow_id=taxi.id,
            created=at(60),
            schedules=[
                DeploymentSchedule(id=number(41), schedule=Schedule(cron="0 9 * * 1-5", timezone="Europe/Berlin"))
            ],
        )
    )
    return world.add_deployment(
        Deployment(
            id=number(21),
            name="daily",
            flow_id=facts.id,
            created=at(3600),
            work_pool_name="local",
            work_queue_name="default",
            entrypoint="facts.py:facts",
            parameters={"limit": 5},
            tags=["nightly"],
        )
    )


class TestLs:
    def test_shows_deployments_by_name(self, terminal: Terminal) -> None:
        head, daily, train = terminal.read("deployment", "ls").splitlines()
        assert head.split() == ["Name", "Status", "Schedule", "Work", "pool", "Created", "ID", "Tags"]
        assert daily.split() == ["animal-facts/daily", "Not", "ready", "local", "1h", "ago", str(number(21)), "nightly"]
        assert train.startswith("taxi/train          Not ready  cron 0 9 * * 1-5 (Europe/Berlin)")

    def test_filters_and_orders(self, terminal: Terminal) -> None:
        def names(*arguments: str) -> list[str]:
            return [each["name"] for each in json.loads(terminal.read("deployment", "ls", "-o", "json", *arguments))]

        assert names() == ["daily", "train"]
        assert names("--by-created") == ["train", "daily"]
        assert names("--flow-name", "taxi") == ["train"]
        assert names("--flow-name", "taxi", "--flow-name", "animal-facts", "--limit", "1") == ["daily"]
        assert "no such deployments" in terminal.read("deployment", "ls", "--flow-name", "x")

    def test_fits_eighty_columns_with_whole_names(self, terminal: Terminal) -> None:
        lines = terminal.read("deployment", "ls", width=80).splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert lines[1].startswith("animal-facts/daily ")
        terminal.administration.deployments[number(21)].name = "x" * 50
        lines = terminal.read("deployment", "ls", width=80).splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert "x" * 50 in lines[2]


class TestInspect:
    def test_shows_all_there_is(self, terminal: Terminal, daily: Deployment) -> None:
        terminal.administration.add_flow_run(
            31, terminal.administration.flows[number(1)], "old-run", StateType.COMPLETED, deployment_id=daily.id
        )
        shown = terminal.read("deployment", "inspect", "daily")
        for line in (
            "Deployment animal-facts/daily",
            "Work pool    local",
            "Entry point  facts.py:facts",
            'Parameters   {"limit":5}',
            "Latest runs",
            "old-run",
        ):
            assert line in shown
        assert "Schedules" not in shown
        scheduled = terminal.read("deployment", "inspect", "train", width=80)
        assert f"  {number(41)} cron 0 9 * * 1-5 (Europe/B… yes    in 20h" in scheduled
        assert all(len(line) <= 80 for line in scheduled.splitlines())

    def test_is_found_by_each_of_its_names(self, terminal: Terminal) -> None:
        for name in ("animal-facts/daily", "daily", str(number(21))):
            assert json.loads(terminal.read("deployment", "inspect", name, "-o", "json"))["id"] == str(number(21))

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("animal-facts/dayly", "'animal-facts/dayly'; did you mean 'animal-facts/daily'?"),
            ("dayly", "'dayly'; did you mean 'animal-facts/daily'?"),
            ("taxi/daily", "'taxi/daily'"),
            ("zzz", "There is no deployment 'zzz'."),
            (str(number(404)), str(number(404))),
        ],
    )
    @pytest.mark.parametrize("command", ["inspect", "run", "delete", "pause", "resume"])
    def test_one_that_is_not_there_is_an_error(self, terminal: Terminal, command: str, name: str, said: str) -> None:
        assert said in terminal.fail("deployment", command, name)
        assert len(terminal.administration.deployments) == 2

    def test_a_name_that_several_flows_have_is_not_enough(self, terminal: Terminal, daily: Deployment) -> None:
        terminal.administration.add_deployment(Deployment(id=number(23), name="daily", flow_id=number(2)))
        assert "Several deployments are called 'daily'" in terminal.fail("deployment", "run", "daily")
        assert "animal-facts/daily" in terminal.read("deployment", "pause", "animal-facts/daily")
        assert [each.paused for each in terminal.administration.deployments.values()] == [False, True, False]


class TestRun:
    def test_says_which_run_was_made(self, terminal: Terminal) -> None:
        terminal.administration.pools["local"].status = ServiceStatus.READY
        shown = terminal.read("deployment", "run", "animal-facts/daily", "--flow-run-name", "my-run")
        (asked,) = terminal.administration.asked
        (run,) = terminal.administration.flow_runs.values()
        assert (asked.name, asked.state, asked.parameters, asked.tags) == ("my-run", None, {}, [])
        assert shown.splitlines()[:2] == [f"Flow run my-run ({run.id})", "  Deployment  animal-facts/daily"]
        assert "local, queue default" in shown
        assert "Page" not in shown, "without a server there is no page"

    @pytest.mark.parametrize(
        ("url", "page"),
        [
            ("http://127.0.0.1:4200/api", "http://127.0.0.1:4200/runs/"),
            ("https://me:secret@flows.example/team/api/", "https://flows.example/team/runs/"),
        ],
    )
    def test_says_where_its_page_is(self, terminal: Terminal, url: str, page: str) -> None:
        terminal.environ["HEADRACE_API_URL"] = url
        shown = terminal.read("deployment", "run", "daily")
        (run,) = terminal.administration.flow_runs
        assert f"  Page        {page}{run}\n" in shown

    def test_parameters_are_those_that_the_flow_has(self, terminal: Terminal, daily: Deployment) -> None:
        daily.parameter_openapi_schema = {"properties": {"n": {}, "who": {}}}
        said = terminal.fail("deployment", "run", "daily", "--param", "x=3")
        assert said == "Error: Deployment 'daily' has no parameter 'x'; it has n, who."
        daily.parameter_openapi_schema = {"properties": {}}
        assert terminal.fail("deployment", "run", "daily", "--param", "x=3").endswith("'x'; it has none.")
        assert terminal.administration.flow_runs == {}
        for more in ({"additionalProperties": True}, {"additionalProperties": {"type": "integer"}}):
            daily.parameter_openapi_schema = {"properties": {}, **more}
            terminal.read("deployment", "run", "daily", "--param", "x=3")
        daily.parameter_openapi_schema, daily.enforce_parameter_schema = {"properties": {}}, False
        terminal.read("deployment", "run", "daily", "--param", "x=3")

    def test_takes_parameters_tags_and_job_variables(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        options = ["-p", "limit=7", "-p", "who=a cat", "-p", 'deep={"a": [1]}', "--param", "text=a=b", "-p", "empty="]
        more = ["--params", '{"limit": 1, "other": null}', "--tag", "x", "--tag", "y", "--job-variable", "cpus=2"]
        terminal.read("deployment", "run", "daily", *options, *more)
        (asked,) = terminal.administration.asked
        assert asked.parameters == {
            "limit": 7,
            "other": None,
            "who": "a cat",
            "deep": {"a": [1]},
            "text": "a=b",
            "empty": "",
        }
        assert (asked.tags, asked.job_variables) == (["x", "y"], {"cpus": 2})
        monkeypatch.setattr("sys.stdin", io.StringIO('{"limit": 3}'))
        terminal.read("deployment", "run", "--id", str(number(21)), "--params", "-")
        assert terminal.administration.asked[1].parameters == {"limit": 3}

    def test_starts_when_it_is_told(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("headrace.base.clock.now", lambda: NOW)
        shown = terminal.read("deployment", "run", "daily", "--start-in", "10 minutes")
        assert "Starts      2026-03-01 12:10:00 (in 10m)" in shown
        terminal.read("deployment", "run", "daily", "--start-at", "2026-03-02T08:00+02:00")
        terminal.read("deployment", "run", "daily", "--start-at", "2026-03-02T08:00")
        states = [asked.state for asked in terminal.administration.asked if asked.state is not None]
        assert [state.state_details.scheduled_time for state in states] == [
            NOW + timedelta(minutes=10),
            datetime(2026, 3, 2, 6, tzinfo=UTC),
            datetime(2026, 3, 2, 8, tzinfo=UTC),
        ]

    def test_says_what_keeps_it_from_starting(self, terminal: Terminal) -> None:
        assert "`headrace worker start --pool local`" in terminal.read("deployment", "run", "daily")
        terminal.administration.pools["local"].status = ServiceStatus.PAUSED
        assert "Work pool local is paused" in terminal.read("deployment", "run", "daily")
        assert "nobody serves it now" in terminal.read("deployment", "run", "train")
        terminal.administration.deployments[number(22)].status = DeploymentStatus.READY
        assert "nobody" not in terminal.read("deployment", "run", "train")

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ([], "Name the deployment"),
            (["daily", "--id", str(number(21))], "not both"),
            (["--id", "daily"], "'daily' is no id"),
            (["daily", "-p", "limit"], "'limit' is not written as name=value"),
            (["daily", "-p", "=1"], "'=1' is not written as name=value"),
            (["daily", "--job-variable", "x"], "--job-variable 'x'"),
            (["daily", "--params", "[1]"], "no JSON object"),
            (["daily", "--params", "{1]"], "--params is no JSON"),
            (["daily", "--start-in", "soon"], "'soon' is no duration"),
            (["daily", "--start-in", "3 fortnights"], "'fortnights' is no unit"),
            (["daily", "--start-in", "0 minutes"], "'0 minutes'"),
            (["daily", "--start-at", "tomorrow"], "'tomorrow' is no time"),
            (["daily", "--start-at", "2026-03-02", "--start-in", "1h"], "exclude each other"),
            (["daily", "--watch-interval", "0"], "0"),
        ],
    )
    def test_refuses(self, terminal: Terminal, bad: list[str], said: str) -> None:
        assert said in terminal.fail("deployment", "run", *bad)
        assert terminal.administration.asked == []


def test_pause_and_resume(terminal: Terminal, daily: Deployment) -> None:
    assert "Paused deployment animal-facts/daily" in terminal.read("deployment", "pause", "daily")
    assert terminal.administration.deployments[daily.id].paused
    assert "Paused" in terminal.read("deployment", "ls")
    assert terminal.read("deployment", "resume", "daily") == "Resumed deployment animal-facts/daily.\n"
    assert not terminal.administration.deployments[daily.id].paused


def test_delete(terminal: Terminal) -> None:
    shown = terminal.read("deployment", "delete", "daily", "taxi/train")
    assert shown.splitlines() == [
        f"Deleted deployment animal-facts/daily ({number(21)}).",
        f"Deleted deployment taxi/train ({number(22)}).",
    ]
    assert not terminal.administration.deployments
    assert "Name the deployment" in terminal.fail("deployment", "delete")


def test_a_deployment_is_deleted_by_id(terminal: Terminal) -> None:
    assert terminal.read("deployment", "delete", "--id", str(number(21))).startswith(
        "Deleted deployment animal-facts/daily"
    )
    assert [each.name for each in terminal.administration.deployments.values()] == ["train"]
    assert "is no id" in terminal.fail("deployment", "delete", "--id", "train")
    assert "not both" in terminal.fail("deployment", "delete", "train", "--id", str(number(22)))


def test_all_deployments_are_deleted(terminal: Terminal) -> None:
    assert "name none beside it" in terminal.fail("deployment", "delete", "train", "--all")
    assert terminal.read("deployment", "delete", "--all").count("Deleted deployment") == 2
    assert terminal.read("deployment", "delete", "--all") == "There are no deployments.\n"
