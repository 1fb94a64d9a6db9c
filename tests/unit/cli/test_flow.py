import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from headrace.deployments import serving
from headrace.projects.blueprints import Blueprint
from headrace.schema.schedule import Schedule
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number


def test_ls_shows_flows(terminal: Terminal) -> None:
    terminal.administration.add_flow(1, "animal-facts")
    assert terminal.read("flow", "ls").splitlines()[1].split() == [str(number(1)), "animal-facts", "1h", "ago"]
    assert [flow["name"] for flow in json.loads(terminal.read("flow", "ls", "-o", "json"))] == ["animal-facts"]


def test_ls_says_when_there_are_none(terminal: Terminal) -> None:
    assert terminal.read("flow", "ls").startswith("There are no flows yet")


FLOWS = """
from headrace import flow

@flow
def etl(rows: int = 1): ...
"""

DRAWN = """
from headrace import flow, task

@task
def load(path): raise AssertionError("it runs")

@task
def clean(rows): raise AssertionError("it runs")

@flow
def etl(count: int):
    for path in range(count):
        clean(load(path))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with a flow in it."""
    (tmp_path / "served_flows.py").write_text(FLOWS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    path = [*sys.path]
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("served_flows", None)


def test_serve_says_what_is_to_be_served(terminal: Terminal, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Blueprint, dict[str, Any]]] = []

    def note(blueprint: Blueprint, **options: Any) -> None:
        served.append((blueprint, options))

    monkeypatch.setattr(serving, "serve", note)
    terminal.read("flow", "serve", "served_flows.py")
    told = (
        "-n daily -d Each -v 2 -t a -t b --cron @daily --interval 1m --interval 90 --rrule FREQ=DAILY "
        "--timezone Asia/Tokyo --limit 3 --global-limit 2 --no-pause-on-shutdown"
    )
    terminal.read("flow", "serve", "served_flows.py:etl", *told.split())
    (plain, default), (full, options) = served
    assert (plain.name, plain.entrypoint, plain.schedules) == ("etl", "served_flows.py:etl", UNSET)
    assert default == {"limit": None, "pause_on_shutdown": True, "environ": default["environ"]}
    assert default["environ"]["HEADRACE_HOME"] == terminal.environ["HEADRACE_HOME"]
    assert options == {"limit": 3, "pause_on_shutdown": False, "environ": options["environ"]}
    said = full.definition
    assert (full.name, said.description, said.version, said.tags) == ("daily", "Each", "2", ["a", "b"])
    assert said.concurrency_limit
    assert said.concurrency_limit.limit == 2
    assert isinstance(full.schedules, list)
    assert [each.schedule for each in full.schedules] == [
        Schedule(cron="@daily", timezone="Asia/Tokyo"),
        Schedule(interval=60, timezone="Asia/Tokyo"),
        Schedule(interval=90, timezone="Asia/Tokyo"),
        Schedule(rrule="FREQ=DAILY", timezone="Asia/Tokyo"),
    ]
    assert full.pull_steps == [{"headrace.deployments.steps.set_working_directory": {"directory": str(project)}}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("nothing.py", "There is no file nothing.py"),
        ("served_flows.py:etk", "There is no 'etk' in served_flows.py; did you mean served_flows.py:etl?"),
        ("served_flows.py -n a/b", "Deployment 'a/b': a deployment cannot be called 'a/b'"),
        ("served_flows.py --cron daily", "Schedule: cron: A cron string has five fields"),
        ("served_flows.py --interval often", "--interval 'often' is no duration: write '10 minutes'"),
        ("served_flows.py --timezone UTC", "--timezone goes with --cron, --interval or --rrule."),
        ("served_flows.py --limit 0", "limit is how many runs are executed at once, at least 1, not 0."),
        ("served_flows.py --global-limit 0", "Deployment 'etl': concurrency_limit: expected a whole number >= 1"),
    ],
)
def test_what_cannot_be_served_is_said(arguments: str, says: str, terminal: Terminal, project: Path) -> None:
    assert terminal.fail("flow", "serve", *arguments.split()).startswith(f"Error: {says}")


@pytest.fixture
def drawn(project: Path) -> Path:
    (project / "drawn_flows.py").write_text(DRAWN, encoding="utf-8")
    return project


def test_visualize_draws_without_running(terminal: Terminal, drawn: Path) -> None:
    assert terminal.read("flow", "visualize", "drawn_flows.py", "-p", "count=1").splitlines() == [
        "etl",
        "├─ ● load",
        "└─ ● clean  ← load",
    ]
    said = terminal.read("flow", "visualize", "drawn_flows.py:etl", "--param", "count=2", "-o", "etl.svg")
    assert said == "Flow etl is drawn in etl.svg.\n"
    assert (drawn / "etl.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            "drawn_flows.py",
            "Flow 'etl' cannot be drawn: it calculates with its parameter 'count', which only a run knows.",
        ),
        ("drawn_flows.py -p count=x", "etl was given parameters of the wrong type: count='x'"),
        ("drawn_flows.py -p rows=1", "etl(count: int) cannot be called like this"),
        ("drawn_flows.py -p count=1 -o etl.png", "A drawing is saved as .svg, .mmd or .mermaid"),
        ("nothing.py", "There is no file nothing.py"),
    ],
)
def test_what_cannot_be_drawn_is_said(arguments: str, says: str, terminal: Terminal, drawn: Path) -> None:
    assert terminal.fail("flow", "visualize", *arguments.split()).startswith(f"Error: {says}")
