"""Identifiers: UUIDv7 for what is created, and state ids derived from their run's id.

A UUIDv7 (RFC 9562, section 5.7) begins with the time, so newest-first order is id order and inserts go to one end
of each index.

A state's id is its run's id with the state's ordinal (1, 2, …) added in the low 16 bits, modulo 2**16. So states need
no stored id and no index of their own: the run of a state is found by a range look-up on the run's key.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from uuid import UUID

DEFAULT_WORKSPACE = UUID("00000000-0000-7000-8000-000000000001")
"""The workspace every database has from its creation."""

_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)
_RANDOM = (1 << 62) - 1
_LOW = 0xFFFF


def uuid7() -> UUID:
    """A new time-ordered unique id (UUIDv7), in order to a quarter of a microsecond (section 6.2, method 3)."""
    millis, nanos = divmod(time.time_ns(), 1_000_000)
    fraction = (nanos << 12) // 1_000_000
    return UUID(int=(millis << 80) | (fraction << 64) | _VERSION_AND_VARIANT | (_draw() & _RANDOM))


_BLOCK = 256
_words: Iterator[int] = iter(())


def _draw() -> int:
    """64 random bits. They are asked of the system in blocks: each time costs a change of threads beside a busy one."""
    global _words  # noqa: PLW0603 - one supply per process
    word = next(_words, None)
    if word is None:
        _words = iter(struct.unpack(f"{_BLOCK}Q", os.urandom(8 * _BLOCK)))
        return next(_words)
    return word


def _forget_words() -> None:
    """A forked child must not draw what its parent draws."""
    global _words  # noqa: PLW0603
    _words = iter(())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_words)


def state_id(run_id: UUID, ordinal: int) -> UUID:
    """The id of a run's state number `ordinal` (the first is 1)."""
    value = run_id.int
    return UUID(int=(value & ~_LOW) | ((value + ordinal) & _LOW))


def state_ordinal(run_id: UUID, state: UUID) -> int:
    """The ordinal of the state with id `state` within the run `run_id`; the inverse of `state_id`."""
    return (state.int - run_id.int) & _LOW


def run_range(state: UUID) -> tuple[UUID, UUID]:
    """The lowest and highest run id that a state with this id can belong to, both inclusive."""
    return UUID(int=state.int & ~_LOW), UUID(int=state.int | _LOW)
