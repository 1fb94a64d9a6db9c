from typing import Any

import pytest

from headrace.base.errors import InvalidRequest
from headrace.rules.arguments import check_arguments, check_input, list_misfits

SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "integer"}, "point": {"$ref": "#/definitions/Point"}},
    "required": ["x"],
    "definitions": {"Point": {"type": "object", "properties": {"label": {"type": "string", "pattern": "^(a+)+$"}}}},
}


def test_what_fits_is_let_through() -> None:
    check_arguments(SCHEMA, {"x": 1, "point": {"label": "aaa"}, "more": None})
    check_arguments({}, {"anything": 1})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, 'The parameters do not fit the deployment: "x" is a required property.'),
        ({"x": "1"}, 'The parameters do not fit the deployment: x: "1" is not of type "integer".'),
        ({"x": 1, "point": {"label": "a" * 40 + "!"}}, "point.label: "),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_arguments(SCHEMA, parameters)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_each_problem_is_told_with_its_place() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_arguments(SCHEMA, {"x": "1", "point": {"label": "b"}})
    assert [way for way, _ in refusal.value.problems] == [["parameters", "x"], ["parameters", "point", "label"]]


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "http://localhost/schema"}, {"pattern": "("}])
def test_a_schema_that_is_none_is_told(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="The deployment's parameter schema cannot be used"):
        check_arguments(schema, {})


def test_input_is_checked_like_parameters() -> None:
    check_input(SCHEMA, {"x": 1})
    with pytest.raises(InvalidRequest, match="The input is not what the run asks for") as refusal:
        check_input(SCHEMA, {})
    assert [way for way, _ in refusal.value.problems] == [["run_input"]]
    with pytest.raises(InvalidRequest, match="The schema of the run's input cannot be used"):
        check_input({"type": "nonsense"}, {})


def test_misfits_are_listed_with_their_places() -> None:
    assert list_misfits(SCHEMA, {"x": 1}) == []
    listed = list_misfits(SCHEMA, {"point": {"label": 1}})
    assert {tuple(path) for path, _ in listed} == {(), ("point", "label")}
    many = list_misfits(
        {"items": {"type": "object"}, "additionalProperties": {"type": "integer"}}, {str(n): "" for n in range(200)}
    )
    assert len(many) == 100
    with pytest.raises(InvalidRequest, match="The schema cannot be used"):
        list_misfits({"$ref": "https://example.com/schema.json"}, {})
