"""What earlier attempts of a flow run have finished, and whether it is called again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from headrace.base import errors
from headrace.engine.results import ResultStore, StoredResult
from headrace.rules.transitions import ROLLED_BACK
from headrace.schema.checkpoint import Checkpoint
from headrace.schema.state import State


class Restored(msgspec.Struct, frozen=True):
    """A call that need not be made again: the task run that made it, the state that ended in, and where its value is kept."""

    checkpoint: Checkpoint
    state: State
    record: StoredResult


class Checkpoints:
    """The calls of earlier attempts, by their identities. What is found is not found again."""

    def __init__(self, calls: Iterable[Checkpoint] = (), results: ResultStore | None = None) -> None:
        self._results = results
        self._finished: dict[str, Checkpoint] = {}
        self._unfinished: dict[str, Checkpoint] = {}
        for call in calls:
            finished = call.state is not None and call.state.is_completed() and call.state.name != ROLLED_BACK
            one, other = self._finished, self._unfinished
            if not finished:
                one, other = other, one
            one[call.call] = call
            other.pop(call.call, None)
        self._keys = Counter(checkpoint.task_key for checkpoint in self._finished.values())
        self.finished = len(self._finished)
        self.unfinished = len(self._unfinished)

    def find(self, call: str, key: str) -> Restored | str | None:
        """The call as an earlier attempt finished it; else why it is made again, where there is something to say."""
        checkpoint = self._finished.pop(call, None)
        if checkpoint is None:
            fresh = call not in self._unfinished and self._keys[key] > 0
            return "no finished call of it had these inputs" if fresh else None
        self._keys[key] -= 1
        assert checkpoint.state is not None
        record = _read_record(checkpoint.result)
        if record is None:
            return "the value it had was not kept"
        assert self._results is not None
        try:
            self._results.check(record)
        except errors.HeadraceError as error:
            return str(error).rstrip(".")
        return Restored(checkpoint, checkpoint.state, record)

    def find_unfinished(self, call: str) -> Checkpoint | None:
        """The call as an earlier attempt left it."""
        return self._unfinished.pop(call, None)

    def describe_left(self) -> str | None:
        """A sentence about the finished task runs that have not been called again; None when all were."""
        names = [checkpoint.name for checkpoint in self._finished.values()]
        if not names:
            return None
        shown = ", ".join(names[:5])
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        return f"What earlier attempts had finished and this one did not call: {shown}{more}."


NOTHING_FINISHED = Checkpoints()
"""What the first attempt finds."""


def _read_record(data: Any) -> StoredResult | None:
    try:
        return msgspec.convert(data, StoredResult)
    except msgspec.ValidationError:
        return None
