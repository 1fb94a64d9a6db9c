"""How the session of a process is opened: known before there is one, since what defines flows does not load what runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace.base import errors

if TYPE_CHECKING:
    from headrace.engine.session import Session

_opener: Callable[..., Session] | None = None


def set_opener(opener: Callable[..., Session]) -> None:
    """Say how a session is opened when the first run of this process needs one; with settings, one that has these."""
    global _opener  # noqa: PLW0603 - one per process
    _opener = opener


def find_opener() -> Callable[..., Session]:
    """How sessions are opened. Raises `MissingContextError` where nobody has said it."""
    if _opener is None:
        raise errors.MissingContextError("No session can be opened here: import flow and task from headrace.")
    return _opener
