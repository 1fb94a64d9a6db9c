"""What the command line does beyond runs: requests, events, shell commands, transfers. With and without a server."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.serving import ServerProcess
from tests.acceptance.test_cli import HEADRACE, Machine
from tests.acceptance.working import end_left_behind

SUMS = """
from headrace import flow, task

@task
def add(a, b):
    return a + b

@flow(log_prints=True)
def sums(a: int, b: int = 2):
    print("the sum is", add(a, b))
    if a < 0:
        raise ValueError("negative")
"""


@pytest.fixture(params=["embedded", "server"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A user's machine, on a database of its own or with a server."""
    machine = Machine(tmp_path)
    if request.param == "embedded":
        yield machine
        end_left_behind(str(machine.home))
        return
    server = ServerProcess(tmp_path / "served", tmp_path / "server.log")
    server.start()
    machine.environ["HEADRACE_API_URL"] = server.url
    yield machine
    end_left_behind(str(machine.home))
    server.stop()


def test_limits(machine: Machine) -> None:
    machine.headrace("gcl", "create", "db", "--limit", "5")
    machine.headrace("concurrency-limit", "create", "gpu", "2")
    assert [each["name"] for each in machine.read("gcl", "ls")] == ["db", "tag:gpu"]
    assert "did you mean 'db'" in machine.refuse("gcl", "disable", "dbb")
    machine.headrace("gcl", "disable", "db")
    assert machine.read("gcl", "inspect", "db")["active"] is False
    machine.headrace("concurrency-limit", "reset", "gpu")
    for width in ("80", "160"):
        lines = machine.headrace("gcl", "ls", COLUMNS=width).splitlines()
        assert len(lines) == 3
        assert max(map(len, lines)) <= int(width)
    for noun, name in (("gcl", "db"), ("concurrency-limit", "gpu")):
        machine.headrace(noun, "delete", name)
        machine.refuse(noun, "inspect", name)


def test_any_request(machine: Machine) -> None:
    machine.headrace("variable", "set", "colour", "red")
    (found,) = json.loads(machine.headrace("api", "POST", "/variables/filter", "-d", '{"limit": 1}'))
    assert found["name"] == "colour"
    ended = machine.run(HEADRACE, "api", "GET", "/variables/name/gone")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "404" in ended.stderr


def test_events_are_followed_while_others_make_them(machine: Machine) -> None:
    command = [HEADRACE, "events", "stream", "--format", "text"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=machine.environ, cwd=machine.folder
    ) as stream:
        assert stream.stdout is not None
        assert stream.stderr is not None
        assert "Ctrl-C" in stream.stderr.readline()
        machine.headrace("events", "emit", "shop.order.paid", "--resource-id", "shop.order.7")
        assert stream.stdout.readline().endswith("shop.order.paid | shop.order.7\n")
        machine.headrace("shell", "watch", "true", HEADRACE_LOGGING_LEVEL="ERROR")
        while "prefect.flow-run.Completed" not in (line := stream.stdout.readline()):
            assert line
        stream.send_signal(signal.SIGINT)
        assert stream.wait(60) == 130
        assert stream.stderr.read() == ""


class TestShell:
    def test_a_command_is_a_run_with_its_lines(self, machine: Machine) -> None:
        ended = machine.run(HEADRACE, "shell", "watch", "echo one; echo two >&2", "--flow-run-name", "r1", "--tag", "t")
        assert (ended.returncode, ended.stdout) == (0, "Flow shell-command completed.\n")
        (run,) = machine.read("flow-run", "ls")
        assert (run["name"], run["tags"], run["state_type"]) == ("r1", ["t"], "COMPLETED")
        logged = [line["message"] for line in machine.read("flow-run", "logs", "r1")]
        assert {"one", "two"} <= {*logged}

    def test_a_command_that_fails_is_a_failed_run(self, machine: Machine) -> None:
        command = ["shell", "watch", "echo no such thing; exit 3", "--flow-name", "copy", "--no-log-output"]
        ended = machine.run(HEADRACE, *command, "--stream-stdout")
        assert (ended.returncode, ended.stdout) == (1, "no such thing\n")
        assert "Traceback" not in ended.stderr
        (run,) = machine.read("flow-run", "ls", "--flow-name", "copy")
        assert run["state"]["message"] == "The command ended with exit code 3: no such thing"
        assert "no such thing" not in [line["message"] for line in machine.read("flow-run", "logs", run["id"])]

    def test_a_command_that_is_killed(self, machine: Machine) -> None:
        assert machine.run(HEADRACE, "shell", "watch", "kill -9 $$").returncode == 1
        (run,) = machine.read("flow-run", "ls")
        assert run["state"]["message"] == "The command was ended by SIGKILL."

    def test_a_command_is_served(self, machine: Machine) -> None:
        command = [HEADRACE, "shell", "serve", "echo served here", "--flow-name", "greet", "--deployment-name", "d"]
        more = ["--cron-schedule", "0 0 1 1 *", "--timezone", "Europe/Berlin", "--tag", "t", "--concurrency-limit", "1"]
        with subprocess.Popen(
            [*command, *more], stdout=subprocess.PIPE, text=True, env=machine.environ, cwd=machine.folder
        ) as service:
            assert service.stdout is not None
            assert service.stdout.readline() == "Serving\n"
            assert service.stdout.readline().split() == ["greet/d"]
            machine.run(HEADRACE, "deployment", "run", "greet/d", "--watch", "--watch-interval", "0.1")
            (run,) = machine.read("flow-run", "ls", "--state", "completed")
            assert "served here" in [line["message"] for line in machine.read("flow-run", "logs", run["id"])]
            service.send_signal(signal.SIGINT)
            assert service.wait(60) == 0
        deployment = machine.read("deployment", "inspect", "greet/d")
        assert (deployment["tags"], deployment["concurrency_limit"], deployment["paused"]) == (["t"], 1, True)
        assert deployment["schedules"][0]["schedule"] == {"cron": "0 0 1 1 *", "timezone": "Europe/Berlin"}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["watch", " "], "There is no command to run."),
            (["watch", "true", "--flow-name", "a/b"], "'a/b' is no name for a flow"),
            (["serve", "true", "--timezone", "UTC"], "--timezone goes with --cron-schedule"),
            (["serve", "true", "--cron-schedule", "nonsense"], "nonsense"),
        ],
    )
    def test_what_cannot_be_is_said(self, machine: Machine, arguments: list[str], said: str) -> None:
        assert said in machine.refuse("shell", *arguments)


class TestExecute:
    @pytest.fixture
    def deployed(self, machine: Machine) -> Machine:
        (machine.folder / "sums.py").write_text(SUMS)
        machine.headrace("work-pool", "create", "local", "--set-as-default")
        ended = machine.run(HEADRACE, "deploy", "sums.py:sums", "-n", "d")
        assert ended.returncode == 0, ended.stderr
        return machine

    def start(self, machine: Machine, *more: str) -> str:
        """The id of a new run of the deployment."""
        machine.headrace("deployment", "run", "sums/d", "--flow-run-name", "r", *more)
        (run,) = machine.read("flow-run", "ls", "--state", "scheduled")
        return run["id"]

    def test_a_scheduled_run_is_executed_here(self, deployed: Machine) -> None:
        assert deployed.read("deployment", "inspect", "sums/d")["work_pool_name"] == "local"
        run_id = self.start(deployed, "--param", "a=1")
        assert deployed.run(HEADRACE, "flow-run", "execute", run_id).returncode == 0
        assert deployed.read("flow-run", "inspect", run_id)["state_type"] == "COMPLETED"
        assert "the sum is 3" in [line["message"] for line in deployed.read("flow-run", "logs", run_id)]
        assert "only a run that waits to begin" in deployed.refuse("flow-run", "execute", "--id", run_id)

    def test_a_run_that_was_handed_over_is_executed_here(self, deployed: Machine) -> None:
        """Whoever starts the infrastructure has made it Pending, as the contract's workers do."""
        run_id = self.start(deployed, "--param", "a=-1")
        pending = '{"state": {"type": "PENDING"}}'
        deployed.headrace("api", "POST", f"/flow_runs/{run_id}/set_state", "-d", pending)
        ended = deployed.run(HEADRACE, "flow-run", "execute", "--id", run_id, TMPDIR=str(deployed.folder))
        assert ended.returncode == 1
        found = deployed.read("flow-run", "inspect", run_id)
        assert (found["state_type"], found["run_count"]) == ("FAILED", 1)
        assert not [*deployed.folder.glob("headrace-run-*")]

    def test_a_run_of_no_deployment_is_nobodys(self, deployed: Machine) -> None:
        flow_id = deployed.read("flow", "ls")[0]["id"]
        asked = {"flow_id": flow_id, "name": "alone", "state": {"type": "SCHEDULED"}}
        deployed.headrace("api", "POST", "/flow_runs/", "-d", json.dumps(asked))
        assert "belongs to no deployment" in deployed.refuse("flow-run", "execute", "alone")


def test_a_transfer_from_a_laptop_to_a_server(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    server = ServerProcess(tmp_path / "served", tmp_path / "server.log")
    server.start()
    try:
        machine.headrace("profile", "create", "team")
        machine.headrace("--profile", "team", "config", "set", f"HEADRACE_API_URL={server.url}")
        machine.headrace("variable", "set", "colour", "red")
        machine.headrace("block", "create", "secret", "token", "--set", "value=xyzzy")
        for outcome in ("copied", "skipped"):
            done = machine.read("transfer", "--from", "default", "--to", "team")
            assert {(each["name"], each["outcome"]) for each in done} == {
                ("colour", outcome),
                ("secret/token", outcome),
            }
        found = machine.read("--profile", "team", "block", "inspect", "secret/token", "--secrets")
        assert found["data"] == {"value": "xyzzy"}
    finally:
        server.stop()


def test_a_generated_module_runs_a_deployment(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (machine.folder / "sums.py").write_text(SUMS)
    machine.headrace("work-pool", "create", "local")
    machine.run(HEADRACE, "deploy", "sums.py:sums", "-n", "d")
    machine.headrace("sdk", "generate", "-o", "deployed.py")
    use = "from deployed import sums_d\nprint(sums_d.run({'timeout': 0, 'flow_run_name': 'r'}, a=4).parameters)"
    ended = machine.run(sys.executable, "-c", use)
    assert (ended.stdout, ended.returncode) == ("{'a': 4}\n", 0), ended.stderr
    assert machine.read("flow-run", "inspect", "r")["parameters"] == {"a": 4}


def test_a_worker_makes_its_pool_from_a_template(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert "There is no work pool 'local'" in machine.refuse("worker", "start", "-p", "local", "--run-once")
    made = ["--type", "process", "--no-create-pool-if-not-found"]
    assert "There is no work pool 'local'" in machine.refuse("worker", "start", "-p", "local", "--run-once", *made)
    machine.headrace("work-pool", "get-default-base-job-template", "--file", "template.json")
    template = json.loads((machine.folder / "template.json").read_text())
    template["variables"]["properties"]["grace_seconds"]["default"] = 5
    (machine.folder / "template.json").write_text(json.dumps(template))
    needs = machine.refuse("worker", "start", "-p", "local", "--base-job-template", "template.json")
    assert "--create-pool-if-not-found" in needs
    started = ["--create-pool-if-not-found", "--base-job-template", "template.json", "--run-once"]
    assert machine.run(HEADRACE, "worker", "start", "-p", "local", *started).returncode == 0
    assert machine.read("work-pool", "inspect", "local")["base_job_template"] == template
