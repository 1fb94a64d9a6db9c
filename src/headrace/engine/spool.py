"""What could not be delivered, on disk, until the next process that connects delivers it.

Each entry, a batch or a proposal, is a file of its own that is there whole or not at all; names sort in the order in
which entries were kept. Delivering is idempotent, so processes that deliver at once do no harm: each delivers all it
finds, in order, and then removes it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid5

import msgspec

from headrace.base import clock, errors
from headrace.schema.fact import Batch
from headrace.schema.orchestration import Proposal

if TYPE_CHECKING:
    from headrace.gateway.execution import Execution

log = logging.getLogger("headrace.spool")

_KINDS: dict[str, type[Batch | Proposal]] = {"batch": Batch, "proposal": Proposal}
_REFUSED = ".refused"


class Spool:
    """The folder of undelivered facts and proposals of one user."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._last = 0
        self._numbers = itertools.count()

    def keep(self, entry: Batch | Proposal) -> None:
        """Keep a batch or a proposal after all kept before; it survives the process when this returns. Raises `OSError`."""
        kind = "batch" if isinstance(entry, Batch) else "proposal"
        with self._lock:
            self._last = max(self._last + 1, clock.micros())
            name = f"{self._last:017d}-{os.getpid()}-{next(self._numbers)}.{kind}"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._folder / f".{name}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_encode(entry))
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(self._folder / name)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise

    def deliver(self, gateway: Execution) -> int:
        """Deliver every entry there is, oldest first, and remove it; return how many were delivered.

        Stops quietly when the orchestrator cannot be reached. An entry that is refused is kept aside, and said to be.
        """
        found = [path for kind in _KINDS for path in self._folder.glob(f"[0-9]*.{kind}")]
        delivered = 0
        for path in sorted(found, key=lambda path: path.name):
            try:
                _deliver(path, gateway)
                path.unlink(missing_ok=True)
                delivered += 1
            except FileNotFoundError:  # another process has delivered it meanwhile
                continue
            except (errors.Unavailable, errors.NotAuthorized, OSError) as error:
                log.warning("What is kept in the spool %s stays there for now: %s", self._folder, error)
                break
            except (errors.GatewayError, TypeError, ValueError, OverflowError) as error:  # damaged files included
                aside = path.with_name(path.name + _REFUSED)
                with contextlib.suppress(FileNotFoundError):
                    path.rename(aside)
                log.error("An entry of the spool is refused and left in %s: %s", aside, error)  # noqa: TRY400
        return delivered


def _encode(entry: Batch | Proposal) -> bytes:
    try:
        return msgspec.msgpack.encode(entry)
    except UnicodeEncodeError:  # somebody logged half of a surrogate pair, say a file name that is no UTF-8
        return msgspec.msgpack.encode(_mend(msgspec.to_builtins(entry)))


def _mend(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_mend(item) for item in cast("list[Any]", value)]
        case dict():
            return {_mend(key): _mend(item) for key, item in cast("dict[Any, Any]", value).items()}
        case _:
            return value


def _deliver(path: Path, gateway: Execution) -> None:
    entry = msgspec.msgpack.decode(path.read_bytes(), type=_KINDS[path.suffix.removeprefix(".")])
    try:
        _send(entry, gateway)
    except errors.LostFacts:  # the database was put back, or is another one: what is kept here is not lost all the same
        _send(_number_anew(entry), gateway)


def _send(entry: Batch | Proposal, gateway: Execution) -> None:
    if isinstance(entry, Batch):
        gateway.deliver(entry)
    else:
        gateway.propose_flow_run_state(entry)


def _number_anew(entry: Batch | Proposal) -> Batch | Proposal:
    """The entry with its facts in a journal of their own, which is the same one whoever delivers it."""
    if isinstance(entry, Proposal):
        carried = None if entry.batch is None else _number_anew(entry.batch)
        return msgspec.structs.replace(entry, batch=carried)
    journal_id = uuid5(entry.journal_id, str(entry.first))
    return msgspec.structs.replace(entry, journal_id=journal_id, first=1)
