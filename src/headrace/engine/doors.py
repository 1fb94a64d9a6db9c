"""Doors: ways into modules that are loaded by whoever first goes in.

Where flows and tasks are defined nothing is executed yet: most processes that load a module of flows look at them, deploy
them or import a helper that stands beside them. What executes is behind a door, and comes with the first call.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Door:
    """Stands for a module, which is loaded when something in it is first asked for. To a type checker it is the module."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(self._module), name)
        setattr(self, name, found)  # the next time nobody asks here
        return found
