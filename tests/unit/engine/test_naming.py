from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headrace.base import errors
from headrace.engine.naming import check_run_name, render_run_name


def of_parameters(parameters: dict[str, Any]) -> str:
    return "-".join(sorted(parameters))


def refuse() -> str:
    raise errors.MissingContextError("no run here")


def needy(there: str) -> str:
    return there


def fail() -> str:
    return str(1 // 0)


@pytest.mark.parametrize("template", [None, "train {model}", lambda: "name"])
def test_templates_and_functions_can_name_runs(template: Any) -> None:
    check_run_name(template, "train")


def test_nothing_else_can() -> None:
    with pytest.raises(errors.UsageError, match="The run name of 'train' must be a template or a function, not int"):
        check_run_name(3, "train")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("load {path!r} at {place:>3}", "load 'a.csv' at   2"),
        ("fixed", "fixed"),
        (lambda: "made", "made"),
        (of_parameters, "path-place"),
    ],
)
def test_a_name_is_made_of_the_parameters(template: str | Callable[..., str], name: str) -> None:
    assert render_run_name(template, {"path": "a.csv", "place": 2}, "load") == name


def test_a_function_may_change_what_it_is_given() -> None:
    parameters = {"path": 1}

    def empty(parameters: dict[str, Any]) -> str:
        return f"{parameters.pop('path')}"

    assert render_run_name(empty, parameters, "load") == "1"
    assert parameters == {"path": 1}


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("load {other}", "KeyError: 'other'"),
        ("load {", "ValueError: "),
        ("load {path.size}", "AttributeError: "),
        (fail, "ZeroDivisionError: "),
        (needy, "TypeError: "),
    ],
)
def test_a_name_that_cannot_be_made_says_why(template: str | Callable[..., str], reason: str) -> None:
    with pytest.raises(errors.UsageError, match=f"The run name of 'load' cannot be made: {reason}"):
        render_run_name(template, {"path": "a.csv"}, "load")


def test_an_error_of_ours_is_passed_on() -> None:
    with pytest.raises(errors.MissingContextError, match="no run here"):
        render_run_name(refuse, {}, "load")


def test_a_function_must_return_a_text() -> None:
    nameless: Any = lambda: 3  # noqa: E731
    with pytest.raises(errors.UsageError, match="names runs of 'load' returned int, not a text"):
        render_run_name(nameless, {}, "load")
