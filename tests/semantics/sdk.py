"""Either SDK under one name. Cases are user code that says `sdk.flow` and `sdk.states.Completed`, whichever it is."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ELSEWHERE = {("prefect", "quote"): "prefect.utilities.annotations"}
"""Names that one of the two keeps in a module of its own."""

CASE_TAG = "case:"
"""What the tags begin with by which the runs of a case are found."""


class Sdk:
    """The public names of one SDK: those of its package, and its modules. `note` is what cases tell with.

    It may be sent to other processes, and what is noted there counts as well.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self.package = package
        self.folder = folder
        self._notes = str(folder / "notes.txt")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        package = import_module(ELSEWHERE.get((self.package, name), self.package))
        value = getattr(package, name, None)
        return import_module(f"{self.package}.{name}") if value is None or isinstance(value, ModuleType) else value

    def note(self, *words: object) -> None:
        """Tell what has just happened. Each note is one write, so that those of threads and processes stay whole."""
        line = " ".join(map(str, words)) + "\n"
        notes = os.open(self._notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(notes, line.encode())
        finally:
            os.close(notes)

    def notes(self) -> list[str]:
        """Everything noted so far, in order."""
        path = Path(self._notes)
        return path.read_text().splitlines() if path.exists() else []

    def count(self, word: str) -> int:
        """Note a word, and say how often it has been noted now."""
        self.note(word)
        return self.notes().count(word)

    def tags_here(self) -> list[str]:
        """The tags that a run made here gets, without the one that marks the case."""
        return own_tags(self.runtime.flow_run.tags)


def own_tags(tags: Any) -> list[str]:
    """The tags that a case gave by itself."""
    return sorted(tag for tag in tags if not tag.startswith(CASE_TAG))
