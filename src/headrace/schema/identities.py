"""How a call within a flow run is named, so that a later attempt finds what an earlier one has finished.

The identity of a call is the digest of what was called, from where and with what, and its ordinal among equal calls of
an attempt: `3f9a….0`. A task run's dynamic key holds it after what tells attempts and processes apart: `2-3f9a….0`.
"""

from __future__ import annotations

from typing import Final

MARK: Final = "."
"""Stands in every identity, and in no dynamic key of a call that has none."""

FORGOTTEN: Final = "~"
"""Stands in the place of the mark where a call is not to be restored any more."""


def name_call(digest: str, ordinal: int) -> str:
    """The identity of a call."""
    return f"{digest}{MARK}{ordinal}"


def call_of(dynamic_key: str) -> str | None:
    """The identity that a dynamic key holds; None when it holds none."""
    call = dynamic_key.rpartition("-")[2]
    return call if MARK in call else None


def forget_call(dynamic_key: str) -> str:
    """The dynamic key without an identity that could be found again."""
    return dynamic_key.replace(MARK, FORGOTTEN)
