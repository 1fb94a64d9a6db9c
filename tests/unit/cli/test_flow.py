import json

from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number


def test_ls_shows_flows(terminal: Terminal) -> None:
    terminal.administration.add_flow(1, "animal-facts")
    assert terminal.read("flow", "ls").splitlines()[1].split() == [str(number(1)), "animal-facts", "1h", "ago"]
    assert [flow["name"] for flow in json.loads(terminal.read("flow", "ls", "-o", "json"))] == ["animal-facts"]


def test_ls_says_when_there_are_none(terminal: Terminal) -> None:
    assert terminal.read("flow", "ls").startswith("There are no flows yet")
