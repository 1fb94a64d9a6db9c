import json
from typing import Any

import pytest

from tests.unit.cli.conftest import Terminal


@pytest.mark.parametrize(
    ("text", "value"), [("plain text", "plain text"), ("3", 3), ('{"a": [1]}', {"a": [1]}), ('"3"', "3"), ("-1", -1)]
)
def test_a_value_is_json_or_the_text_it_is(terminal: Terminal, text: str, value: Any) -> None:
    assert terminal.read("variable", "set", "rate", text, "--tag", "a", "-t", "b") == "Set: variable rate.\n"
    made = terminal.administration.variables["rate"]
    assert (made.value, made.tags) == (value, ["a", "b"])


def test_a_variable_is_set_anew_only_if_asked_for(terminal: Terminal) -> None:
    terminal.read("variable", "set", "rate", "3", "-t", "a")
    refused = terminal.fail("variable", "set", "rate", "4")
    assert refused == "Error: There is a variable called 'rate' already; --overwrite sets it anew."
    assert terminal.read("variable", "set", "rate", "4", "--overwrite") == "Set anew: variable rate.\n"
    made = terminal.administration.variables["rate"]
    assert (made.value, made.tags) == (4, ["a"])
    terminal.read("variable", "set", "rate", "5", "--overwrite", "-t", "b")
    assert terminal.administration.variables["rate"].tags == ["b"]


def test_a_name_has_bounds(terminal: Terminal) -> None:
    for name in ("", "x" * 256):
        assert "A variable's name has 1 to 255 characters." in terminal.fail("variable", "set", name, "1")


def test_get_shows_the_value_alone(terminal: Terminal) -> None:
    terminal.read("variable", "set", "city", "Köln [x]")
    terminal.read("variable", "set", "rates", "[1, null]")
    assert terminal.read("variable", "get", "city") == "Köln [x]\n"
    assert terminal.read("variable", "get", "rates") == "[1,null]\n"


def test_inspect_shows_everything(terminal: Terminal) -> None:
    terminal.read("variable", "set", "city", "Köln", "-t", "place")
    terminal.read("variable", "set", "bare", "0")
    shown = terminal.read("variable", "inspect", "city")
    assert "Variable city" in shown
    assert '"Köln"' in shown
    assert "place" in shown
    assert "Tags" not in terminal.read("variable", "inspect", "bare")
    assert json.loads(terminal.read("variable", "inspect", "city", "-o", "json"))["value"] == "Köln"


def test_ls_lists_by_name(terminal: Terminal) -> None:
    assert "There are no variables yet" in terminal.read("variable", "ls")
    for name in ("town", "city"):
        terminal.read("variable", "set", name, "1", "-t", "place")
    lines = terminal.read("variable", "ls").splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["Name", "Value", "Tags"],
        ["city", "1", "place"],
        ["town", "1", "place"],
    ]
    assert [each["name"] for each in json.loads(terminal.read("variables", "ls", "-o", "json"))] == ["city", "town"]


@pytest.mark.parametrize("word", ["unset", "delete"])
def test_unset_deletes(terminal: Terminal, word: str) -> None:
    terminal.read("variable", "set", "city", "x")
    assert terminal.read("variable", word, "city") == "Deleted variable city.\n"
    assert terminal.administration.variables == {}


@pytest.mark.parametrize("word", ["get", "inspect", "unset"])
def test_a_variable_that_is_not_there_is_an_error(terminal: Terminal, word: str) -> None:
    assert terminal.fail("variable", word, "city") == "Error: There is no variable called 'city'."


def test_a_value_that_is_nested_too_deeply_is_refused(terminal: Terminal) -> None:
    for depth in (600, 100_000):
        said = terminal.fail("variable", "set", "deep", "[" * depth + "]" * depth)
        assert said == "Error: The value is nested too deeply."
