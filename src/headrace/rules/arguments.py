"""Whether the parameters of a run are what its deployment's schema says."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from headrace.base.errors import InvalidRequest

MOST_PROBLEMS = 5
"""How many problems are told at once."""


def check_arguments(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` in one line when parameters do not fit a JSON schema, or the schema is none.

    Nothing is fetched that the schema refers to, and patterns are matched in linear time: schemas come from users.
    """
    from jsonschema_rs import RegexOptions, ValidationError, validator_for

    try:
        validator = validator_for(dict(schema), offline=True, pattern_options=RegexOptions())
        problems = [*islice(validator.iter_errors(dict(parameters)), MOST_PROBLEMS)]
    except (ValidationError, ValueError) as error:
        raise InvalidRequest(f"The deployment's parameter schema cannot be used: {_first_line(error)}") from None
    if problems:
        told = "; ".join(f"{_place(problem.instance_path)}{problem.message}" for problem in problems)
        raise InvalidRequest(
            f"The parameters do not fit the deployment: {told}.",
            [(["parameters", *problem.instance_path], problem.message) for problem in problems],
        )


def _place(path: list[Any]) -> str:
    return f"{'.'.join(map(str, path))}: " if path else ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
