"""Templates that people write: what a notification says, what event a request makes.

They are Jinja's, in a sandbox that knows plain data only: `{{ flow_run.name }}`, `{% if … %}`, `{% for … %}`, `{% set … %}` and
the filters of `rules.sandbox`. How much one may do is bounded: its length, its steps, its time, the size of any value and
of the whole. The library is loaded when the first template is touched, so that scripts which only record go without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any

import msgspec

from headrace.rules.work import TemplateError, Work

__all__ = ["LONGEST", "TemplateError", "check", "render"]

LONGEST = 32 * 1024
"""How many signs a template may have."""

_KEPT = (datetime, date, timedelta)
"""What is left as it is, so that a template may ask it for its parts."""


def render(template: str, context: Mapping[str, Any], *, as_json: bool = False) -> str:
    """The text that a template makes of plain values and wire types, by name.

    A name that stands for nothing is an empty text, and so is anything about it. With `as_json` the template is one of a JSON
    document: what stands for text is escaped as within a JSON string, lists and objects are written as JSON, and so is whatever
    goes through the filter `tojson`. Raises `TemplateError`, and `TypeError` for values that are not plain.
    """
    from headrace.rules.sandbox import read

    _check_length(template)
    given = {
        str(name): msgspec.to_builtins(value, builtin_types=_KEPT, str_keys=True) for name, value in context.items()
    }
    try:
        return "".join(read(template).generate(Work.beside(given, as_json=as_json)))
    except Exception as error:  # noqa: BLE001 - an expression of a template may raise anything
        raise _explain(error) from None


def check(template: str) -> str | None:
    """What is wrong with a template, in one line; None if nothing is."""
    from headrace.rules.sandbox import read

    try:
        _check_length(template)
        read(template)
    except TemplateError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - the compiler of templates raises what Python's does, too
        return str(_explain(error))
    return None


def _check_length(template: str) -> None:
    if len(template) > LONGEST:
        raise TemplateError(f"A template has at most {LONGEST} signs; this one has {len(template)}.")


def _explain(error: Exception) -> TemplateError:
    """The error for people: on which line, and what, but none of the values."""
    import jinja2

    line = getattr(error, "lineno", None) if isinstance(error, jinja2.TemplateSyntaxError) else _find_line(error)
    match error:
        case TemplateError():
            said = str(error).rstrip(".")
        case jinja2.TemplateError():
            said = " ".join((error.message or type(error).__name__).split()).rstrip(".")
        case TypeError() | ZeroDivisionError():
            said = str(error)
        case RecursionError() | SyntaxError() | MemoryError():
            said = "it is nested too deeply"
        case _:
            said = f"this cannot be worked out ({type(error).__name__})"
    return TemplateError(f"Line {line} of the template: {said}." if line else f"The template: {said}.")


def _find_line(error: Exception) -> int | None:
    """The line of the template at which something happened."""
    from headrace.rules.sandbox import SOURCE

    line: int | None = None
    at: TracebackType | None = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == SOURCE:
            line = at.tb_lineno
        at = at.tb_next
    return line
