"""What options may say. What could never be recorded, or waited for, is refused where it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan
from typing import Any, TypeVar

from headrace.base import errors
from headrace.rules.retries import LONGEST_DELAY

H = TypeVar("H", bound=Callable[..., Any])


def collect_hooks(of: str, name: str, hooks: Iterable[H] | None) -> list[H]:
    """The hooks of an option, as a list of its own. Raises `UsageError` for what is no collection of functions."""
    given: Any = hooks if hooks is not None else ()
    if callable(given) or isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise errors.UsageError(f"{of}: {name} must be a list of functions, not {given!r}.")
    collected: list[Any] = list(given)  # pyright: ignore[reportUnknownArgumentType]
    for hook in collected:
        if not callable(hook):
            raise errors.UsageError(f"{of}: {name} must be functions, and {hook!r} is none.")
    return collected


def check_texts(of: str, **texts: object) -> None:
    """Raise `UsageError` unless each option is a text, or None."""
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise errors.UsageError(f"{of}: {name} must be a text, not {text!r}.")


def check_timeout(of: str, seconds: float | None) -> float | None:
    """The limit in seconds; None without one, which 0 and an infinite limit are too.

    Raises `UsageError` for one that is no number, or negative.
    """
    limit = float(seconds or 0)
    if isnan(limit) or limit < 0:
        raise errors.UsageError(f"{of}: timeout_seconds must be a number of seconds that is not negative.")
    return limit if 0 < limit <= LONGEST_DELAY else None
