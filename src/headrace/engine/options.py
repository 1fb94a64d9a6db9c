"""What options may say. What could never be recorded, or waited for, is refused where it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from headrace.base import errors
from headrace.rules.retries import LONGEST_DELAY

if TYPE_CHECKING:
    from pathlib import Path

OnCrash = Literal["resume", "fail"]
"""What becomes of a run whose attempt dies."""

H = TypeVar("H", bound=Callable[..., Any])


def check_on_crash(of: str, given: OnCrash | None) -> OnCrash | None:
    """What was given. Raises `UsageError` for anything else than `resume`, `fail` and None."""
    if given is not None and given not in get_args(OnCrash):
        raise errors.UsageError(f'{of}: on_crash must be "resume" or "fail", not {given!r}.')
    return given


def check_count(of: str, given: int) -> int:
    """What was given. Raises `UsageError` unless it is a whole number that is not negative."""
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise errors.UsageError(f"{of} must be a whole number, 0 or more, not {given!r}.")
    return given


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


def find_folder(storage: PathLike[str] | str | None) -> Path | None:
    """The folder a user named for results, absolute; None when it was left to the settings.

    Raises `UsageError` for what is no path.
    """
    if storage is None:
        return None
    if not isinstance(storage, (str, PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise errors.UsageError(
            f"Results are kept in a folder: result_storage is a path or a LocalFileSystem, not a {type(storage).__name__}."
        )
    from pathlib import Path

    return Path(storage).expanduser().absolute()
