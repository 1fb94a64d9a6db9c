"""The client for code that blocks."""

from __future__ import annotations

from typing import Self

from headrace.clients.kept import Kept
from headrace.clients.places import Places
from headrace.clients.runs import Runs


class Client(Runs, Places, Kept):
    """Looks at what the orchestrator knows and changes it: the server that the settings name, or the database in place.

    Made by `get_client(sync_client=True)`, and used by `with`. Raises `Unavailable` when nothing answers.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be closed: the session is the process's."""
