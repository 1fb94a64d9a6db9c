"""`headrace sdk generate`: what it writes. What type checkers say of it: tests/types/test_sdk.py."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from headrace.cli.sdk_source import Described, write_source
from headrace.schema.deployment import Deployment
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.memory import number


def describe(full_name: str, *given: str, description: str = "", **schema: Any) -> Described:
    return Described(full_name, description, schema, frozenset(given))


def describe_by(schema: dict[str, Any]) -> Described:
    return Described("f/d", "", schema, frozenset())


def annotate(told: Any, **definitions: Any) -> str:
    """How the type of one parameter is written."""
    source = write_source([describe("f/d", properties={"x": told}, definitions=definitions)])
    (line,) = [line for line in source.splitlines() if line.startswith("    x: ")]
    return line.removeprefix("    x: ")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"type": "integer"}, "int"),
        ({"type": "number"}, "float"),
        ({"type": "boolean"}, "bool"),
        ({"type": "null"}, "None"),
        ({"type": "string", "format": "date-time"}, "str | datetime"),
        ({"type": "string", "format": "uuid"}, "str | UUID"),
        ({"type": "string", "format": "unheard-of"}, "str"),
        ({"type": "array", "items": {"type": "string"}}, "list[str]"),
        ({"type": "array"}, "list[Any]"),
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"type": ["string", "null"]}, "str | None"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}, {"type": "integer"}]}, "int | None"),
        ({"anyOf": [{"type": "integer"}, {}]}, "Any"),
        ({"allOf": [{"type": "integer"}]}, "int"),
        ({"enum": ["a", 'b"', 1, None, True]}, """Literal["a", 'b"', 1, None, True]"""),
        ({"enum": [1.5]}, "Any"),
        ({"const": "é"}, r'Literal["\xe9"]'),
        ({"$ref": "#/definitions/Gone"}, "Any"),
        ({}, "Any"),
        (True, "Any"),
        ({"type": "unheard-of"}, "Any"),
    ],
)
def test_a_type_is_written_as_the_schema_says(told: Any, said: str) -> None:
    assert annotate(told) == said


def test_definitions_become_types() -> None:
    colour = {"enum": ["red", "blue"], "type": "string"}
    assert annotate({"$ref": "#/definitions/Colour"}, Colour=colour) == 'Literal["red", "blue"]'
    loop = {"anyOf": [{"$ref": "#/definitions/Loop"}, {"type": "null"}]}
    assert annotate({"$ref": "#/definitions/Loop"}, Loop=loop) == "Any"
    tree = {
        "properties": {"leaves": {"type": "array", "items": {"$ref": "#/definitions/Tree"}}},
        "required": ["leaves"],
    }
    source = write_source([describe_by({"properties": {"x": {"$ref": "#/$defs/Tree"}}, "$defs": {"Tree": tree}})])
    assert "    leaves: Required[list[FDTree]]" in source
    assert "    x: FDTree" in source


def test_what_is_needed_is_required_unless_the_deployment_gives_it() -> None:
    properties = {"a": {"type": "integer"}, "b": {"type": "integer"}, "c": {"type": "integer"}}
    source = write_source([describe("f/d", "b", properties=properties, required=["a", "b"])])
    assert "    a: Required[int]\n    b: int\n    c: int\n" in source


def test_names_that_python_does_not_know_are_made_names() -> None:
    names = ["a-b/c", "a/b-c", "1st/x", "class/é ü", 'say "hi"/\\', "run/deployment"]
    source = write_source([describe(name, description='"""; print(1)\\') for name in names])
    module = ast.parse(source)
    found = [ast.literal_eval(node.value) for node in ast.walk(module) if _is_name(node)]  # type: ignore[attr-defined]
    assert sorted(found) == sorted(names)
    assert not [node for node in ast.walk(module) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"]


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "name"


def test_parameters_that_are_no_names_are_written_all_the_same() -> None:
    source = write_source([describe("f/d", properties={"a-b": {"type": "integer"}, "in": {"type": "string"}})])
    assert '        "a-b": "int",\n        "in": "str",\n' in source
    ast.parse(source)


def test_the_order_of_the_deployments_does_not_matter() -> None:
    several = [describe("b/x"), describe("a/x"), describe("a/b")]
    assert write_source(several) == write_source(several[::-1])


@pytest.fixture
def deployments(terminal: Terminal) -> None:
    world = terminal.administration
    for place, (flow, name) in enumerate([("train", "nightly"), ("report", "daily")]):
        made = world.add_flow(place + 1, flow)
        world.add_deployment(Deployment(id=number(20 + place), name=name, flow_id=made.id))


def test_all_deployments_or_those_that_are_named(terminal: Terminal, deployments: None) -> None:
    assert "train_nightly: Final" in terminal.read("sdk", "generate")
    only = terminal.read("sdk", "generate", "--deployment", "train/nightly")
    assert "train_nightly" in only
    assert "report_daily" not in only
    assert "report_daily" in terminal.read("sdk", "generate", "-f", "report")
    both = terminal.read("sdk", "generate", "-f", "report", "-d", "train/nightly")
    assert both == terminal.read("sdk", "generate")


def test_a_file_is_written_anew_and_nobody_elses(terminal: Terminal, deployments: None, tmp_path: Path) -> None:
    path = tmp_path / "sdk.py"
    for _ in range(2):
        assert terminal.read("sdk", "generate", "-o", str(path)) == f"2 deployments in {path}.\n"
    assert path.read_text() == terminal.read("sdk", "generate")
    path.write_text("mine = 1\n")
    assert "was not written by `headrace sdk generate`" in terminal.fail("sdk", "generate", "-o", str(path))
    assert path.read_text() == "mine = 1\n"
    assert "Is a directory" in terminal.fail("sdk", "generate", "-o", str(tmp_path))


def test_no_deployments_are_no_module(terminal: Terminal) -> None:
    assert "There are no such deployments" in terminal.fail("sdk", "generate")
