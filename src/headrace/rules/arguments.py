"""Whether what is given is what a schema says: parameters of a run, the input it asks for, the data of a block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from headrace.base.errors import InvalidRequest

MOST_PROBLEMS = 5
"""How many problems are told at once."""

MOST_MISFITS = 100
"""How many are listed for a form."""


class Misfit(NamedTuple):
    """A place in what is given, as the names and numbers that lead there, and what is wrong there."""

    path: list[str | int]
    message: str


def check_arguments(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` in one line when parameters do not fit their deployment's schema, or that is none."""
    _check(
        schema,
        parameters,
        "parameters",
        "The deployment's parameter schema",
        "The parameters do not fit the deployment",
    )


def check_some_arguments(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """As `check_arguments`, for some of the parameters: what is missing comes from elsewhere."""
    check_arguments({key: value for key, value in schema.items() if key != "required"}, parameters)


def find_unknown(known: Sequence[str], given: Iterable[str]) -> str | None:
    """What is to be said of the first parameter that is not known, after the name of whose it would be; None if all are."""
    name = next((each for each in given if each not in known), None)
    if name is None:
        return None
    from difflib import get_close_matches

    nearest = get_close_matches(name, known, n=1)
    has = f"it has {', '.join(known)}." if known else "it has none."
    advice = f"did you mean {nearest[0]!r}?" if nearest else has
    return f"has no parameter {name!r}; {advice}"


def check_input(schema: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` in one line when what is given to a run does not fit the schema of what it asks for."""
    _check(schema, given, "run_input", "The schema of the run's input", "The input is not what the run asks for")


def check_block(schema: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` in one line when the data of a block does not fit the schema of its type."""
    _check(schema, data, "data", "The schema of the block's type", "The block does not fit its type")


def list_misfits(schema: Mapping[str, Any], values: Mapping[str, Any]) -> list[Misfit]:
    """Where values do not fit a schema, up to a hundred places. Raises `InvalidRequest` for what is no schema."""
    return _find_misfits(schema, values, "The schema", MOST_MISFITS)


def _check(schema: Mapping[str, Any], values: Mapping[str, Any], field: str, named: str, misfit: str) -> None:
    problems = _find_misfits(schema, values, named, MOST_PROBLEMS)
    if problems:
        told = "; ".join(f"{_place(path)}{message}" for path, message in problems)
        raise InvalidRequest(f"{misfit}: {told}.", [([field, *path], message) for path, message in problems])


def _find_misfits(schema: Mapping[str, Any], values: Mapping[str, Any], named: str, most: int) -> list[Misfit]:
    """Nothing is fetched that the schema refers to, and patterns are matched in linear time: schemas come from users."""
    from jsonschema_rs import RegexOptions, ValidationError, validator_for

    try:
        validator = validator_for(dict(schema), offline=True, pattern_options=RegexOptions())
        return [
            Misfit([*problem.instance_path], problem.message)
            for problem in islice(validator.iter_errors(dict(values)), most)
        ]
    except (ValidationError, ValueError, TypeError) as error:
        raise InvalidRequest(f"{named} cannot be used: {_first_line(error)}") from None


def _place(path: list[Any]) -> str:
    return f"{'.'.join(map(str, path))}: " if path else ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
