"""What transactions, and calls that are cached, know of others of the same key."""

from __future__ import annotations

from enum import Enum, auto


class IsolationLevel(Enum):
    """What transactions of the same key know of each other."""

    READ_COMMITTED = auto()
    """Each sees what others have committed."""
    SERIALIZABLE = auto()
    """One at a time: the others wait for its end."""
