import json

import msgspec
import pytest

from headrace.schema.run import ConstantInput, FlowRunResult, ParameterInput, TaskRun, TaskRunResult
from headrace.schema.state import StateType
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import at, number


@pytest.fixture
def trained(terminal: Terminal) -> TaskRun:
    world = terminal.administration
    run = world.add_flow_run(10, world.add_flow(1, "main"), "quiet-heron", StateType.RUNNING, start_time=at(100))
    world.add_task_run(20, run, "read-0", StateType.COMPLETED, start_time=at(99), total_run_time=1.0, run_count=1)
    other = world.add_flow_run(11, world.flows[number(1)], "other-otter", StateType.RUNNING, start_time=at(50))
    world.add_task_run(22, other, "read-1", StateType.FAILED)
    return world.add_task_run(
        21,
        run,
        "train-0",
        StateType.RUNNING,
        start_time=at(90),
        estimated_run_time=90.0,
        run_count=2,
        tags=["gpu"],
        cache_key="k",
        cache_expiration=at(-3600),
        task_inputs={
            "frame": [TaskRunResult(id=number(20)), FlowRunResult(id=number(11))],
            "path": [ParameterInput(name="path")],
            "depth": [ConstantInput(type="int")],
            "rest": [],
        },
    )


def test_ls_shows_task_runs(terminal: Terminal, trained: TaskRun) -> None:
    lines = terminal.read("task-run", "ls").splitlines()
    assert lines[0].split() == ["ID", "Name", "State", "Tries", "Duration", "When", "Tags"]
    assert lines[2].split() == [str(trained.id), "train-0", "Running", "2", "1m", "30s", "1m", "ago", "gpu"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), [22, 21, 20]),
        (("--flow-run", "quiet-heron"), [21, 20]),
        (("--task-run-name", "read-0"), [20]),
        (("--state-type", "failed", "--state-type", "completed"), [22, 20]),
        (("--state", "Running"), [21]),
        (("--limit", "1"), [22]),
    ],
)
def test_ls_filters(terminal: Terminal, trained: TaskRun, arguments: tuple[str, ...], found: list[int]) -> None:
    shown = msgspec.json.decode(terminal.read("task-run", "ls", "-o", "json", *arguments), type=list[TaskRun])
    assert [run.id for run in shown] == [number(value) for value in found]


def test_ls_says_when_there_are_none(terminal: Terminal) -> None:
    assert terminal.read("task-run", "ls").strip() == "There are no such task runs."


def test_inspect_shows_all_there_is(terminal: Terminal, trained: TaskRun) -> None:
    terminal.administration.add_artifact(30, "link", "[x](http://x)", key="k", task_run_id=trained.id)
    shown = terminal.read("task-run", "inspect", "train-0")
    for line in (
        "Task run train-0",
        f"  ID            {trained.id}",
        "  Task          train",
        f"  Flow run      quiet-heron ({number(10)})",
        "  State         Running",
        "  Duration      1m 30s",
        "  Tries         2",
        f"  Input frame   task run {number(20)}, flow run {number(11)}",
        "  Input path    parameter path",
        "  Input depth   constant int",
        "  Cache key     k",
        "  Cached until  2026-03-01 13:00:00 (in 1h)",
        "States",
        "Artifacts (1)",
    ):
        assert line in shown
    assert "Input rest" not in shown


def test_inspect_json_is_the_wire_form_with_the_states(terminal: Terminal, trained: TaskRun) -> None:
    text = terminal.read("task-run", "inspect", str(trained.id), "-o", "json")
    assert msgspec.json.decode(text, type=TaskRun) == trained
    assert len(json.loads(text)["states"]) == 2


def test_a_task_run_that_is_not_there_is_an_error(terminal: Terminal) -> None:
    assert "There is no task run" in terminal.fail("task-run", "inspect", str(number(404)))


def test_logs_are_those_of_the_task_run(terminal: Terminal, trained: TaskRun) -> None:
    terminal.administration.add_log(1, "the flow's", flow_run_id=number(10))
    terminal.administration.add_log(2, "the task's", flow_run_id=number(10), task_run_id=trained.id)
    assert terminal.read("task-run", "logs", "train-0").splitlines() == [
        "2026-03-01 11:43:22.000 | INFO     | Task run 'train-0' - the task's"
    ]
