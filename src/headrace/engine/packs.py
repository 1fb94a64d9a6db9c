"""Packs: files that hold many small values, because making a file of its own costs more than all the rest of a task.

A process appends to packs of its own, one for each folder. Where a value is, only its record says; so what is looked for by
its key is never in a pack.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

from headrace.base.ids import uuid7
from headrace.schema.result_file import AT, PACKS

LARGEST: Final = 64 * 2**10
"""Bytes above which a value gets a file of its own."""

FULL: Final = 64 * 2**20
"""About how many bytes a pack has before another is begun."""


class Packs:
    """The packs that this process appends to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, tuple[int, Path, int]] = {}

    def append(self, folder: Path, content: bytes) -> str:
        """Append to a pack in the folder and return the location. Raises `OSError`."""
        with self._lock:
            opened = self._open.get(folder)
            if opened is not None and not os.fstat(opened[0]).st_nlink:
                os.close(opened[0])  # somebody has deleted it meanwhile, and nobody would find what is written
                opened = None
            descriptor, path, size = opened or _begin(folder)
            written = memoryview(content)
            try:
                while written:
                    written = written[os.write(descriptor, written) :]
            except BaseException:  # what is left of it is in the way of nobody, in a pack that is appended to no more
                self._open.pop(folder, None)
                os.close(descriptor)
                raise
            if size + len(content) > FULL:
                self._open.pop(folder, None)
                os.close(descriptor)
            else:
                self._open[folder] = (descriptor, path, size + len(content))
        return f"{path}{AT}{size}"

    def close(self) -> None:
        """Append no more."""
        with self._lock:
            while self._open:
                os.close(self._open.popitem()[1][0])


def _begin(folder: Path) -> tuple[int, Path, int]:
    path = folder / PACKS / uuid7().hex
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), path, 0
