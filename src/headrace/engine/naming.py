"""Names of runs, from templates, functions or chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.base import errors

RunName = str | Callable[..., str]
"""A template such as `"load {path}"` or `"{parameters[path]}"`, or a function of nothing or of `parameters`."""


def check_run_name(template: object, of: str) -> None:
    """Raise `UsageError` unless `template` can name runs."""
    if template is not None and not isinstance(template, str) and not callable(template):
        raise errors.UsageError(
            f"The run name of {of!r} must be a template or a function, not {type(template).__name__}."
        )


def render_run_name(template: RunName, parameters: Mapping[str, Any], of: str) -> str:
    """The name a run with these parameters gets. Raises `UsageError` when the template cannot be filled."""
    try:
        if isinstance(template, str):
            return template.format(**{"parameters": parameters, **parameters})
        name = _ask(template, parameters)
    except errors.HeadraceError:
        raise
    except Exception as error:
        raise errors.UsageError(f"The run name of {of!r} cannot be made: {type(error).__name__}: {error}") from error
    if not isinstance(name, str):
        raise errors.UsageError(f"The function that names runs of {of!r} returned {type(name).__name__}, not a text.")
    return name


def _ask(function: Callable[..., str], parameters: Mapping[str, Any]) -> object:
    import inspect

    if "parameters" in inspect.signature(function).parameters:
        return function(parameters=dict(parameters))
    return function()
