"""State hooks: functions of a user's that are told when a run enters a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.engine.commands import Lifecycle, call
from headrace.engine.definitions import Hook
from headrace.engine.logs import RunLogger
from headrace.schema.state import State


def run_hooks(hooks: Sequence[Hook], definition: Any, record: Any, state: State, log: RunLogger) -> Lifecycle[None]:
    """Call each hook in turn. One that fails is logged; it neither stops the others nor changes the state.

    An interrupt, an exit and a cancellation are not the hook's own doing: they are raised.
    """
    for hook in hooks:
        outcome = yield from call(hook, definition, record, state)
        if outcome.interrupt is not None:
            raise outcome.interrupt
        if outcome.error is not None:
            name = getattr(hook, "__name__", repr(hook))
            log.error("Hook %r failed on state %s: %r", name, state.name, outcome.error, exc_info=outcome.error)
