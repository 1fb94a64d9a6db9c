"""What could not be delivered, on disk, until the next process that connects delivers it.

A spool file belongs to one journal: MessagePack documents one after another, each a batch or a proposal, in order.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from uuid import UUID

import msgspec

from headrace.base import errors
from headrace.gateway.execution import Execution
from headrace.schema.fact import Batch
from headrace.schema.orchestration import Proposal

log = logging.getLogger("headrace.spool")

_LENGTH = 8


class Spool:
    """The folder of undelivered facts and proposals of one user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, journal_id: UUID, entry: Batch | Proposal) -> None:
        """Append a batch or a proposal to the journal's file; it survives the process when this returns."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        payload = msgspec.msgpack.encode([type(entry) is Proposal, msgspec.to_builtins(entry)])
        descriptor = os.open(self._folder / f"{journal_id}.spool", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(len(payload).to_bytes(_LENGTH, "big") + payload)
            file.flush()
            os.fsync(file.fileno())

    def deliver(self, gateway: Execution) -> int:
        """Deliver every file there is, oldest first, and remove it; return how many entries were delivered.

        A file that another process is delivering is left to it. Stops quietly when the orchestrator cannot be reached.
        """
        if not self._folder.is_dir():
            return 0
        delivered = 0
        for path in sorted(self._folder.glob("*.spool"), key=_age):
            with _claimed(path) as mine:
                if mine is None:
                    continue
                try:
                    delivered += self._deliver_file(mine, gateway)
                except errors.Unavailable:
                    mine.rename(path)
                    return delivered
                mine.unlink()
        return delivered

    def _deliver_file(self, path: Path, gateway: Execution) -> int:
        count = 0
        for entry in _entries(path):
            try:
                if isinstance(entry, Batch):
                    gateway.deliver(entry)
                else:
                    gateway.propose_flow_run_state(entry)
                count += 1
            except errors.Unavailable:
                raise
            except errors.GatewayError as error:
                log.error("An entry of %s is refused and dropped from the spool: %s", path.name, error)  # noqa: TRY400
        return count


def _entries(path: Path) -> Iterator[Batch | Proposal]:
    content = path.read_bytes()
    place = 0
    while place + _LENGTH <= len(content):
        length = int.from_bytes(content[place : place + _LENGTH], "big")
        payload = content[place + _LENGTH : place + _LENGTH + length]
        place += _LENGTH + length
        if len(payload) < length:
            log.error("%s ends in the middle of an entry, which is lost; the process died while writing it.", path.name)
            return
        is_proposal, value = msgspec.msgpack.decode(payload)
        yield msgspec.convert(value, Proposal if is_proposal else Batch)


@contextlib.contextmanager
def _claimed(path: Path) -> Generator[Path | None]:
    """The file under a name of this process's own, or None when somebody else took it."""
    mine = path.with_suffix(f".{os.getpid()}")
    try:
        path.rename(mine)
    except FileNotFoundError:
        yield None
        return
    yield mine


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has just taken it
        return 0.0
