import json
from pathlib import Path

import pytest

from headrace.schema.job_template import TEMPLATES
from headrace.schema.state import StateType
from headrace.schema.work_pool import ServiceStatus, Worker, WorkerStatus
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import at, number


@pytest.fixture(autouse=True)
def local(terminal: Terminal) -> None:
    """A pool called local, with an urgent queue."""
    terminal.read("work-pool", "create", "local")
    terminal.read("work-queue", "create", "urgent", "-p", "local", "-q", "1", "-l", "2")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "template.json"
    file.write_text('{"job_configuration": {"command": "{{ command }}"}, "variables": {"type": "object"}}')
    return file


class TestCreate:
    def test_takes_what_it_is_told(self, terminal: Terminal, template: Path) -> None:
        options = ["--paused", "--description", "d", "--concurrency-limit", "3", "--base-job-template", str(template)]
        shown = terminal.read("work-pool", "create", "big", "-t", "process", *options)
        assert shown.startswith("Created work pool big.")
        assert "headrace worker start --pool big" in shown
        pool = terminal.administration.pools["big"]
        assert (pool.type, pool.is_paused, pool.description, pool.concurrency_limit) == ("process", True, "d", 3)
        assert pool.base_job_template["job_configuration"] == {"command": "{{ command }}"}

    def test_one_that_is_there_is_changed_only_when_told_so(self, terminal: Terminal) -> None:
        assert "'local' already" in terminal.fail("work-pool", "create", "local", "-l", "4")
        assert terminal.administration.pools["local"].concurrency_limit is None
        shown = terminal.read("work-pool", "create", "local", "-l", "4", "--overwrite")
        assert shown == "Changed work pool local.\n"
        assert terminal.administration.pools["local"].concurrency_limit == 4
        assert not terminal.administration.pools["local"].is_paused

    def test_a_type_cannot_be_changed(self, terminal: Terminal) -> None:
        terminal.administration.pools["local"].type = "docker"
        assert "'docker', which cannot be changed" in terminal.fail("work-pool", "create", "local", "--overwrite")

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            (["x", "-t", "dockr"], "no work pool type 'dockr'; there is: process"),
            (["a/b"], "'a/b' is no name for a work pool"),
            ([""], "'' is no name for a work pool"),
            (["x", "-l", "-1"], "-1"),
            (["x", "-l", "many"], "many"),
            (["x", "--base-job-template", "nowhere.json"], "nowhere.json cannot be read"),
            ([], "NAME"),
        ],
    )
    def test_refuses(self, terminal: Terminal, bad: list[str], said: str) -> None:
        assert said in terminal.fail("work-pool", "create", *bad)
        assert list(terminal.administration.pools) == ["local"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("{", "is no JSON"),
            ("[]", "is no JSON object"),
            ('{"variables": {}}', "has no object 'job_configuration'"),
            ('{"job_configuration": {}, "variables": 1}', "has no object 'variables'"),
        ],
    )
    def test_refuses_a_template_that_is_none(self, terminal: Terminal, template: Path, content: str, said: str) -> None:
        template.write_text(content)
        assert said in terminal.fail("work-pool", "create", "x", "--base-job-template", str(template))


class TestLs:
    def test_shows_pools_by_name(self, terminal: Terminal) -> None:
        terminal.read("work-pool", "create", "big", "--paused", "-l", "3", "--description", "Much memory")
        terminal.administration.pools["big"].active_slots = 2
        head, big, local = terminal.read("work-pool", "ls").splitlines()
        assert head.split() == ["Name", "Type", "Status", "Slots", "Description"]
        assert big.split() == ["big", "process", "Paused", "2", "of", "3", "Much", "memory"]
        assert local.split() == ["local", "process", "Not", "ready", "0"]
        assert str(terminal.administration.pools["big"].id) in terminal.read("work-pool", "ls", "-v")
        assert [pool["name"] for pool in json.loads(terminal.read("work-pool", "ls", "-o", "json"))] == ["big", "local"]

    @pytest.mark.parametrize("arguments", [["ls"], ["ls", "-v"], ["inspect", "local"], ["slots", "local"]])
    def test_fits_eighty_columns(self, terminal: Terminal, arguments: list[str]) -> None:
        terminal.read("work-pool", "create", "x" * 30, "--description", "y" * 200)
        assert all(len(line) <= 80 for line in terminal.read("work-pool", *arguments, width=80).splitlines())

    def test_says_when_there_are_none(self, terminal: Terminal) -> None:
        terminal.administration.pools.clear()
        assert "headrace work-pool create" in terminal.read("work-pool", "ls")


def test_inspect_shows_queues_and_workers(terminal: Terminal) -> None:
    pool = terminal.administration.pools["local"]
    pool.status = ServiceStatus.READY
    terminal.administration.workers["local"] = [
        Worker(
            id=number(7),
            name="host-1",
            work_pool_id=pool.id,
            last_heartbeat_time=at(20),
            heartbeat_interval_seconds=30,
            status=WorkerStatus.ONLINE,
        )
    ]
    shown = terminal.read("work-pool", "inspect", "local")
    for line in (
        "Work pool local",
        "Status   Ready",
        "Queues (2)",
        "urgent          1  Not ready  0 of 2",
        "Workers (1)",
    ):
        assert line in shown
    assert "host-1  Online  20s ago            30s" in shown
    told = json.loads(terminal.read("work-pool", "inspect", "local", "-o", "json"))
    assert (told["name"], len(told["queues"]), told["workers"][0]["name"]) == ("local", 2, "host-1")


def test_pause_resume_and_limits(terminal: Terminal) -> None:
    pools = terminal.administration.pools
    assert terminal.read("work-pool", "pause", "local") == "Paused work pool local.\n"
    assert pools["local"].is_paused
    assert terminal.read("work-pool", "resume", "local") == "Resumed work pool local.\n"
    assert not pools["local"].is_paused
    assert "at most 5" in terminal.read("work-pool", "set-concurrency-limit", "local", "5")
    assert pools["local"].concurrency_limit == 5
    assert "no limit" in terminal.read("work-pool", "clear-concurrency-limit", "local")
    assert pools["local"].concurrency_limit is None
    assert "-1" in terminal.fail("work-pool", "set-concurrency-limit", "local", "-1")


def test_update_changes_what_is_named_only(terminal: Terminal, template: Path) -> None:
    terminal.read("work-pool", "update", "local", "--concurrency-limit", "2")
    terminal.read("work-pool", "update", "local", "--description", "new", "--base-job-template", str(template))
    pool = terminal.administration.pools["local"]
    assert (pool.description, pool.concurrency_limit, sorted(pool.base_job_template)) == (
        "new",
        2,
        ["job_configuration", "variables"],
    )
    assert "Say what to change" in terminal.fail("work-pool", "update", "local")


def test_delete(terminal: Terminal) -> None:
    assert terminal.read("work-pool", "delete", "local") == "Deleted work pool local.\n"
    assert not terminal.administration.pools


@pytest.mark.parametrize(
    "command",
    ["inspect", "pause", "resume", "delete", "slots", "preview", "clear-concurrency-limit", "set-concurrency-limit"],
)
def test_a_pool_that_is_not_there_is_an_error(terminal: Terminal, command: str) -> None:
    more = ["1"] if command == "set-concurrency-limit" else []
    assert "no work pool 'locale'; did you mean 'local'?" in terminal.fail("work-pool", command, "locale", *more)
    assert "There is no work pool 'xyz'." in terminal.fail("work-pool", command, "xyz", *more)


class TestRunsOfAPool:
    @pytest.fixture(autouse=True)
    def runs(self, terminal: Terminal) -> None:
        world = terminal.administration
        flow = world.add_flow(1, "animal-facts")
        place = {"work_pool_name": "local", "work_queue_name": "default"}
        for value, due in ((11, -1800.0), (12, 60.0), (13, -7200.0)):
            world.add_flow_run(
                value, flow, f"run-{value}", StateType.SCHEDULED, next_scheduled_start_time=at(due), **place
            )
        world.add_flow_run(14, flow, "run-14", StateType.RUNNING, start_time=at(50), **place)
        world.add_flow_run(15, flow, "elsewhere", StateType.RUNNING, work_pool_name="other")

    def test_preview_shows_those_that_are_due_first_one_first(self, terminal: Terminal) -> None:
        head, late, soon = terminal.read("work-pool", "preview", "local").splitlines()
        assert head.split() == ["ID", "Flow", "Name", "State", "When", "Queue"]
        assert late.split() == [str(number(12)), "animal-facts", "run-12", "Scheduled", "1m", "ago", "default"]
        assert soon.split() == [str(number(11)), "animal-facts", "run-11", "Scheduled", "in", "30m", "default"]
        assert "run-13" in terminal.read("work-pool", "preview", "local", "-h", "2.5")
        told = json.loads(terminal.read("work-pool", "preview", "local", "-o", "json"))
        assert [run["name"] for run in told] == ["run-12", "run-11"]
        assert terminal.read("work-queue", "preview", "urgent").strip() == "No runs are due within 1 h."
        assert terminal.fail("work-pool", "preview", "local", "-h", "0")

    def test_slots_shows_who_takes_them(self, terminal: Terminal) -> None:
        terminal.administration.pools["local"].active_slots = 1
        shown = terminal.read("work-pool", "slots", "local")
        assert shown.startswith("Work pool local: 1 slot taken, no limit.")
        assert "Runs (1)" in shown
        assert "run-14" in shown
        told = json.loads(terminal.read("work-pool", "slots", "local", "-o", "json"))
        assert (told["active_slots"], [run["name"] for run in told["flow_runs"]]) == (1, ["run-14"])


def test_the_template_of_a_type_is_shown_or_written(terminal: Terminal, tmp_path: Path) -> None:
    shown = terminal.read("work-pool", "get-default-base-job-template", "-t", "process")
    assert json.loads(shown) == TEMPLATES["process"]
    path = tmp_path / "template.json"
    terminal.read("work-pool", "get-default-base-job-template", "-f", str(path))
    assert path.read_text() == shown
    assert "cannot be written" in terminal.fail("work-pool", "get-default-base-job-template", "-f", str(tmp_path))
    assert "There is no work pool type 'docker'" in terminal.fail(
        "work-pool", "get-default-base-job-template", "-t", "docker"
    )


def test_a_pool_becomes_the_default(terminal: Terminal) -> None:
    shown = terminal.read("work-pool", "create", "mine", "--set-as-default")
    assert "Set HEADRACE_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME to 'mine' in profile default." in shown
    assert "HEADRACE_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME=mine" in terminal.read("profile", "inspect")
