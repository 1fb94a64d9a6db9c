import json
from typing import Any

import msgspec
import pytest

from headrace.cli.invocation import UNBOUNDED
from headrace.cli.pictures import READABLE
from headrace.schema.artifact import Artifact, ArtifactCollection
from headrace.schema.state import StateType
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number


@pytest.fixture(autouse=True)
def artifacts(terminal: Terminal) -> None:
    world = terminal.administration
    run = world.add_flow_run(10, world.add_flow(1, "f"), "quiet-heron", StateType.COMPLETED)
    world.add_artifact(20, "markdown", "# One", key="report", flow_run_id=run.id)
    world.add_artifact(21, "markdown", "# Two", key="report", description="The second", flow_run_id=run.id)
    world.add_artifact(22, "link", "[data](http://x)", key="data")
    world.add_artifact(23, "progress", 50)


def test_ls_shows_the_latest_of_each_key(terminal: Terminal) -> None:
    lines = terminal.read("artifact", "ls").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[str(number(22)), "data"], [str(number(21)), "report"]]
    found = msgspec.json.decode(terminal.read("artifact", "ls", "-o", "json"), type=list[ArtifactCollection])
    assert [each.latest_id for each in found] == [number(22), number(21)]


def test_ls_shows_every_version_when_asked(terminal: Terminal) -> None:
    found = msgspec.json.decode(terminal.read("artifact", "ls", "-a", "-o", "json"), type=list[Artifact])
    assert [each.id for each in found] == [number(value) for value in (23, 22, 21, 20)]
    assert "The second" in terminal.read("artifact", "ls", "--all")


def test_ls_shows_those_of_a_run(terminal: Terminal) -> None:
    for arguments, amount in (((), 1), (("--all",), 2)):
        shown = terminal.read("artifact", "ls", "--flow-run", "quiet-heron", "-o", "json", *arguments)
        assert len(json.loads(shown)) == amount


def test_ls_says_when_there_are_none(terminal: Terminal) -> None:
    terminal.administration.artifacts.clear()
    assert terminal.read("artifact", "ls").strip() == "There are no such artifacts."


def test_inspect_shows_the_latest_of_a_key_or_one_by_id(terminal: Terminal) -> None:
    latest = terminal.read("artifact", "inspect", "report")
    assert "Two" in latest
    assert "The second" in latest
    assert f"Flow run  {number(10)}" in latest
    assert "One" in terminal.read("artifact", "inspect", str(number(20)))
    assert json.loads(terminal.read("artifact", "inspect", "report", "-o", "json"))["data"] == "# Two"


def test_an_artifact_that_is_not_there_is_an_error(terminal: Terminal) -> None:
    assert "no artifact" in terminal.fail("artifact", "inspect", "nothing")
    assert "no artifact" in terminal.fail("artifact", "inspect", str(number(404)))


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        ("table", [{"a": 1, "b": "x"}, {"a": 2.5, "c": None}], ["  a  b  c", "  1  x", "2.5"]),
        ("table", {"a": [1, 2], "b": [3]}, ["a  b", "1  3", "2"]),
        ("table", [[1, 2], [3, 4]], ["0  1", "1  2", "3  4"]),
        ("table", '[{"a": {"deep": true}}]', ['{"deep":true}']),
        ("table", "no json", ["no json"]),
        ("table", [1, 2], ["[1,2]"]),
        ("table", {"a": 1}, ['{"a":1}']),
        ("table", 7, ["7"]),
        ("link", "[data](http://x)", ["data", "http://x"]),
        ("progress", 42.5, ["42.5 %"]),
        ("progress", 1000, ["1000 %"]),
        ("progress", "half", ["half"]),
        ("image", "http://x/y.png", ["http://x/y.png"]),
        ("markdown", {"not": "text"}, ['{"not":"text"}']),
        ("own-kind", {"a": 1}, ['{"a":1}']),
        ("markdown", "a\x1b[2Jb", ["ab"]),
    ],
)
def test_each_kind_is_shown_as_what_it_is(terminal: Terminal, kind: str, data: Any, shown: list[str]) -> None:
    terminal.administration.add_artifact(40, kind, data)
    text = terminal.read("artifact", "inspect", str(number(40)), width=80)
    assert all(line in text for line in shown)
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_long_table_is_cut_and_says_so(terminal: Terminal) -> None:
    terminal.administration.add_artifact(40, "table", [{"n": value} for value in range(1200)])
    assert "the first 50 of 1,200 rows; -o json has all" in terminal.read("artifact", "inspect", str(number(40)))


@pytest.mark.parametrize("data", [[{"n": "x" * 300, "m": 1}], [{"n": value, "m": "x" * 300} for value in range(60)]])
def test_a_table_in_a_pipe_is_whole_and_no_wider_than_it_is(terminal: Terminal, data: Any) -> None:
    terminal.administration.add_artifact(40, "table", data)
    shown = terminal.read("artifact", "inspect", str(number(40)), width=UNBOUNDED)
    assert "x" * 300 in shown
    assert max(map(len, shown.splitlines())) < 320


@pytest.mark.parametrize("kind", ["markdown", "progress", "image", "own-kind"])
def test_a_picture_in_a_pipe_can_be_read(terminal: Terminal, kind: str) -> None:
    terminal.administration.add_artifact(40, kind, 42.5 if kind == "progress" else "some text")
    shown = terminal.read("artifact", "inspect", str(number(40)), width=UNBOUNDED)
    assert max(map(len, shown.splitlines())) <= READABLE


def test_versions_of_a_key(terminal: Terminal) -> None:
    found = json.loads(terminal.read("artifact", "inspect", "report", "--limit", "5", "-o", "json"))
    assert [each["data"] for each in found] == ["# Two", "# One"]
    assert "One" not in terminal.read("artifact", "inspect", "report", "--limit", "1")
    assert "no artifact with the key 'gone'" in terminal.fail("artifact", "inspect", "gone", "--limit", "2")


def test_an_artifact_is_deleted_or_all_versions_of_a_key(terminal: Terminal) -> None:
    artifact_id = str(number(23))
    assert terminal.read("artifact", "delete", "--id", artifact_id) == f"Deleted artifact {artifact_id}.\n"
    assert terminal.read("artifact", "delete", "report") == "Deleted 2 versions of artifact report.\n"
    assert [each.key for each in terminal.administration.artifacts.values()] == ["data"]
    assert "no artifact with the key 'report'" in terminal.fail("artifact", "delete", "report")
    assert "not both" in terminal.fail("artifact", "delete", "data", "--id", artifact_id)
    assert "Name the artifact" in terminal.fail("artifact", "delete")
