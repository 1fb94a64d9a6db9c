"""Which call a call is, and whether an earlier attempt of its flow run has finished it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from headrace.base import errors
from headrace.engine.checkpoints import Restored

if TYPE_CHECKING:
    from headrace.engine.context import FlowContext, RunContext


class Identity(NamedTuple):
    """A call as later attempts know it: its identity, None if it has none; and either what an earlier attempt finished, or
    why the call is made all the same, where there is something to say.
    """

    call: str | None
    restored: Restored | None = None
    reason: str | None = None


def identify_call(parent: RunContext, flow: FlowContext, key: str, arguments: Mapping[str, Any]) -> Identity:
    """The identity of a call of `key` made from `parent`, which belongs to the run of `flow`."""
    from headrace.engine.identity import identify

    if parent.call is None:
        return Identity(None, None, "the task it is called from is not durable")
    try:
        digest = identify(parent.call, key, arguments, flow.lineage)
    except errors.SerializationError as error:
        return Identity(None, None, str(error))
    call = flow.next_equal(digest)
    found = flow.checkpoints.find(call, key)
    return Identity(call, found) if isinstance(found, Restored) else Identity(call, None, found)
