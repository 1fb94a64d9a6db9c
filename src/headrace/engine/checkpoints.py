"""What earlier attempts of a flow run have finished, and whether it is called again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

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
            before = self._unfinished.pop(call.call, None)
            if call.state is not None and call.state.is_completed() and call.state.name != ROLLED_BACK:
                self._finished[call.call] = call
                continue
            before = self._finished.pop(call.call, before)
            if before is not None and call.child_flow_run_id is None:  # its attempt died before it had taken the run up
                call = msgspec.structs.replace(call, child_flow_run_id=before.child_flow_run_id)  # noqa: PLW2901
            self._unfinished[call.call] = call
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
        missing = self._say_missing(record)
        if record is None or missing is not None:
            self._unfinished[call] = (
                checkpoint  # a subflow's run can be entered again: what it had finished is restored
            )
            return missing
        return Restored(checkpoint, checkpoint.state, record)

    def _say_missing(self, record: StoredResult | None) -> str | None:
        if record is None:
            return "the value it had was not kept"
        assert self._results is not None
        try:
            self._results.check(record)
        except errors.HeadraceError as error:
            return str(error).rstrip(".")
        return None

    def find_child(self, call: str) -> UUID | None:
        """The run of a subflow whose call an earlier attempt left without a value."""
        left = self._unfinished.pop(call, None)
        return None if left is None else left.child_flow_run_id

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
