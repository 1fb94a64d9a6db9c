"""What has to be made anew in a forked child: locks that another thread of the parent held stay held in it for ever.

And what must not be done in a spawned one before it has begun.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def after_fork(renew: Callable[[], None]) -> None:
    """Have `renew` called in every child that is forked from now on, where processes can be forked."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=renew)


def is_being_spawned() -> bool:
    """Whether this process is one that multiprocessing starts, and just loads the script of its parent again."""
    processes = sys.modules.get("multiprocessing.process")
    return processes is not None and getattr(processes.current_process(), "_inheriting", False)
