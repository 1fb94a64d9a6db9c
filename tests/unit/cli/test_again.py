"""Running runs again: what is asked of the orchestrator, and what is refused in one line. That they run is in acceptance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.base.errors import InvalidRequest
from headrace.schema.checkpoint import Reopening
from headrace.schema.deployment import Deployment
from headrace.schema.orchestration import Claim
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number

SCHEMA = {"type": "object", "properties": {"limit": {"type": "integer"}, "depth": {"type": "integer"}}}
ENDED = [StateType.CRASHED, StateType.FAILED, StateType.CANCELLED]


@pytest.fixture
def asked(terminal: Terminal) -> list[Reopening]:
    """What was asked of the orchestrator."""
    requests: list[Reopening] = []

    def reopen(request: Reopening) -> Claim:
        requests.append(request)
        if request.from_task == "tarin":
            raise InvalidRequest(
                "Flow run 'quiet-heron' has no task 'tarin' that could be run again; its tasks: train."
            )
        return Claim(flow_run=terminal.administration.flow_runs[request.flow_run_id], epoch=2)

    terminal.administration.reopen = reopen
    return requests


def crashed(terminal: Terminal, kind: StateType = StateType.CRASHED, **what: Any) -> FlowRun:
    flow = terminal.administration.add_flow(1, "facts")
    return terminal.administration.add_flow_run(10, flow, "quiet-heron", kind, **what)


def deployed(terminal: Terminal, kind: StateType = StateType.CRASHED) -> FlowRun:
    """A run of a deployment."""
    nightly = Deployment(id=number(5), flow_id=number(1), name="nightly", parameter_openapi_schema=SCHEMA)
    deployment = terminal.administration.add_deployment(nightly)
    return crashed(terminal, kind, deployment_id=deployment.id, parameters={"limit": 3})


@pytest.mark.parametrize("kind", ENDED)
def test_a_run_that_has_not_come_to_its_end_is_resumed(
    kind: StateType, terminal: Terminal, asked: list[Reopening]
) -> None:
    run = deployed(terminal, kind)
    said = terminal.read("flow-run", "resume", "quiet-heron")
    assert said == f"Flow run quiet-heron ({run.id}) begins again when a worker takes it.\n"
    assert asked == [Reopening(flow_run_id=run.id, message="Resumed from the command line.")]


@pytest.mark.parametrize("command", ["rerun", "retry"])
@pytest.mark.parametrize("kind", [*ENDED, StateType.COMPLETED])
def test_any_run_that_has_ended_can_be_run_again(
    command: str, kind: StateType, terminal: Terminal, asked: list[Reopening]
) -> None:
    run = deployed(terminal, kind)
    terminal.read("flow-run", command, "quiet-heron", "--from", "train", "-p", "limit=5", "--param", "depth=[1]")
    (request,) = asked
    assert (request.flow_run_id, request.from_task, request.parameters) == (run.id, "train", {"limit": 5, "depth": [1]})
    assert request.presence is None


def test_a_parameter_that_is_unknown_is_named_with_those_there_are(terminal: Terminal, asked: list[Reopening]) -> None:
    deployed(terminal)
    assert terminal.fail("flow-run", "rerun", "quiet-heron", "-p", "limti=5") == (
        "Error: Flow run 'quiet-heron' has no parameter 'limti'; it has: limit, depth."
    )
    assert "is not written as name=value" in terminal.fail("flow-run", "rerun", "quiet-heron", "-p", "limit")
    assert asked == []


def test_a_task_that_is_unknown_is_named_with_those_there_are(terminal: Terminal, asked: list[Reopening]) -> None:
    deployed(terminal)
    assert "has no task 'tarin'" in terminal.fail("flow-run", "rerun", "quiet-heron", "--from", "tarin")


@pytest.mark.parametrize("arguments", [("rerun",), ("replay", "--local")])
@pytest.mark.parametrize("kind", [StateType.RUNNING, StateType.SCHEDULED, StateType.PAUSED])
def test_a_run_that_has_not_ended_is_left_alone(
    arguments: tuple[str, ...], kind: StateType, terminal: Terminal, asked: list[Reopening]
) -> None:
    deployed(terminal, kind)
    said = terminal.fail("flow-run", arguments[0], "quiet-heron", *arguments[1:])
    assert said == (
        f"Error: Flow run 'quiet-heron' is {kind.capitalize()}: only a run that has ended can be run again."
    )
    assert asked == []


def test_a_run_that_has_crashed_asks_for_nothing(terminal: Terminal, asked: list[Reopening]) -> None:
    deployed(terminal)
    assert "is Crashed: it asks for nothing, leave out --input." in terminal.fail(
        "flow-run", "resume", "quiet-heron", "--input", '{"x": 1}'
    )
    assert asked == []


@pytest.mark.parametrize("command", [("resume",), ("rerun",), ("replay", "--local")])
def test_where_a_run_is_to_be_executed_has_to_be_known(command: tuple[str, ...], terminal: Terminal) -> None:
    crashed(terminal)
    said = terminal.fail("flow-run", command[0], "quiet-heron", *command[1:])
    assert "It is not known where the flow of 'quiet-heron' is: name it with --entrypoint" in said


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("gone.py:facts", "There is no file gone.py"),
        ("broken.py:facts", "broken.py, line 1 cannot be loaded: ZeroDivisionError"),
        ("there.py:fact", "There is no 'fact' in there.py"),
        (":facts", "names no file"),
    ],
)
def test_what_cannot_be_loaded_is_named(
    place: str, says: str, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("1 / 0\n", encoding="utf-8")
    Path("there.py").write_text("facts = 1\n", encoding="utf-8")
    crashed(terminal)
    assert says in terminal.fail("flow-run", "resume", "quiet-heron", "-e", place)


def test_a_file_that_is_gone_from_where_it_was_is_named(terminal: Terminal, tmp_path: Path) -> None:
    crashed(terminal, context={"entrypoint": f"{tmp_path}/gone.py:facts", "directory": str(tmp_path / "gone")})
    assert "There is no file" in terminal.fail("flow-run", "resume", "quiet-heron")


def test_the_flow_of_a_deployment_is_where_that_says(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nightly = Deployment(id=number(5), flow_id=number(1), name="nightly", entrypoint="flows/gone.py:facts")
    deployment = terminal.administration.add_deployment(nightly)
    crashed(terminal, deployment_id=deployment.id)
    assert "There is no file flows/gone.py in " in terminal.fail("flow-run", "replay", "quiet-heron", "--local")


def test_a_replay_says_where_it_is_executed(terminal: Terminal) -> None:
    crashed(terminal)
    assert "add --local" in terminal.fail("flow-run", "replay", "quiet-heron")


@pytest.mark.parametrize("command", ["resume", "rerun", "retry", "replay"])
def test_a_run_that_is_not_there_is_named(command: str, terminal: Terminal) -> None:
    more = ["--local"] if command == "replay" else []
    assert "nobody" in terminal.fail("flow-run", command, "nobody", *more)
