"""What has to be made anew in a forked child: locks that another thread of the parent held stay held in it for ever."""

from __future__ import annotations

import os
from collections.abc import Callable


def after_fork(renew: Callable[[], None]) -> None:
    """Have `renew` called in every child that is forked from now on, where processes can be forked."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=renew)
