"""The ledger of a process: facts on disk, so that they survive its death although they are not delivered yet.

Writing to a file costs a fraction of a transaction, so that a task can wait for it. The facts are delivered in batches as
all others are; who finds the process dead delivers what it had noted.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from headrace.schema.fact import Batch
from headrace.schema.ledger import pack_entry

SEGMENT: Final = 8 * 2**20
"""About how many bytes a file of a ledger has before another is begun, so that what was delivered can go."""


class Ledger:
    """The files whose names begin with `path`. Not safe for threads: the journal takes care of that."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self._size = 0
        self._number = 0
        self._segments: list[tuple[str, int]] = []

    def note(self, batch: Batch) -> None:
        """Note a batch; it survives the death of this process when this returns. Raises `OSError`."""
        if self._descriptor < 0 or self._size > SEGMENT:
            self._begin_segment()
        entry = memoryview(pack_entry(batch))
        while entry:
            written = os.write(self._descriptor, entry)
            self._size += written
            entry = entry[written:]
        self._segments[-1] = (self._segments[-1][0], batch.last)

    def forget(self, last: int) -> None:
        """Remove the files in which everything up to the fact of this number is noted, but for the one in use."""
        while len(self._segments) > 1 and self._segments[0][1] <= last:
            _remove(self._segments.pop(0)[0])

    def clear(self) -> None:
        """Remove everything."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        while self._segments:
            _remove(self._segments.pop()[0])

    def _begin_segment(self) -> None:
        path = f"{self._path}-{self._number:06d}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._number += 1
        self._descriptor, self._size = descriptor, 0
        self._segments.append((path, 0))


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - a text all along
