"""What is kept for flow runs by key, as it is kept; and the keys of what a paused run asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec

from headrace.base import errors
from headrace.connect import open_session
from headrace.engine.awaiting import in_async_code
from headrace.engine.context import current, current_flow_run
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.schema.flow_run_input import FlowRunInput, FlowRunInputCreate
from headrace.schema.state import State
from headrace.schema.wire import decode_json
from headrace.schema.wire_event import FLOW_RUN

__all__ = [
    "RunInputMetadata", "acreate_flow_run_input", "adelete_flow_run_input", "afilter_flow_run_input",
    "aread_flow_run_input", "create_flow_run_input", "delete_flow_run_input", "filter_flow_run_input",
    "keyset_from_base_key", "keyset_from_paused_state", "read_flow_run_input",
]  # fmt: skip

T = TypeVar("T")

set_opener(open_session)


@dataclass(frozen=True, slots=True)
class RunInputMetadata:
    """How an input came: under which key, from whom if that is known, and for which flow run."""

    key: str
    sender: str | None
    receiver: UUID


def keyset_from_base_key(base_key: str) -> dict[str, str]:
    """The keys of what belongs together when a run asks for input: description, schema and response."""
    return {what: f"{base_key}-{what}" for what in ("description", "response", "schema")}


def keyset_from_paused_state(state: State) -> dict[str, str]:
    """The keys of what a run asks for that is in this state. Raises `UsageError` unless it is paused."""
    if not state.is_paused():
        raise errors.UsageError(f"Only a paused flow run asks for input, and this one is {state.name}.")
    base = f"{(state.name or 'Paused').lower()}-{state.state_details.pause_key}"
    return state.state_details.run_input_keyset or keyset_from_base_key(base)


def create_flow_run_input(
    key: str, value: Any, flow_run_id: UUID | str | None = None, sender: str | None = None
) -> None:
    """Leave a value that JSON can hold for a flow run, by default the one that executes here, under a key.

    In async code await it. Raises `ObjectAlreadyExists` for a key in use, `ObjectNotFound` without such a run.
    """
    return here_or_awaited(lambda: leave(key, value, flow_run_id, sender))


async def acreate_flow_run_input(
    key: str, value: Any, flow_run_id: UUID | str | None = None, sender: str | None = None
) -> None:
    """As `create_flow_run_input`."""
    await _beside(lambda: leave(key, value, flow_run_id, sender))


def read_flow_run_input(key: str, flow_run_id: UUID | str | None = None) -> Any:
    """The value that was left for a flow run, by default the one that executes here, under a key; None without any.

    In async code await it.
    """
    return here_or_awaited(lambda: _read(key, flow_run_id))


async def aread_flow_run_input(key: str, flow_run_id: UUID | str | None = None) -> Any:
    """As `read_flow_run_input`."""
    return await _beside(lambda: _read(key, flow_run_id))


def filter_flow_run_input(
    key_prefix: str, limit: int = 1, exclude_keys: Sequence[str] | set[str] = (), flow_run_id: UUID | str | None = None
) -> list[FlowRunInput]:
    """What was left under keys that begin with a prefix, oldest first; in async code await it."""
    return here_or_awaited(lambda: find(key_prefix, limit, [*exclude_keys], flow_run_id))


async def afilter_flow_run_input(
    key_prefix: str, limit: int = 1, exclude_keys: Sequence[str] | set[str] = (), flow_run_id: UUID | str | None = None
) -> list[FlowRunInput]:
    """As `filter_flow_run_input`."""
    return await _beside(lambda: find(key_prefix, limit, [*exclude_keys], flow_run_id))


def delete_flow_run_input(key: str, flow_run_id: UUID | str | None = None) -> None:
    """Delete what was left under a key; in async code await it. Raises `ObjectNotFound`."""
    return here_or_awaited(lambda: _delete(key, flow_run_id))


async def adelete_flow_run_input(key: str, flow_run_id: UUID | str | None = None) -> None:
    """As `delete_flow_run_input`."""
    await _beside(lambda: _delete(key, flow_run_id))


# for the modules beside this one


def here_or_awaited(function: Callable[[], T]) -> T:
    """Do it here; in async code return a coroutine that does it beside the loop."""
    return cast("T", _beside(function)) if in_async_code() else function()


def leave(key: str, value: Any, flow_run_id: UUID | str | None, sender: str | None) -> None:
    """Leave a value for a run. Who sends is the flow run that executes here, unless said otherwise."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise errors.UsageError(f"What is left for a flow run must be what JSON can hold: {error}") from None
    context = current.get()
    if sender is None and context is not None and context.flow_run_id is not None:
        sender = f"{FLOW_RUN}{context.flow_run_id}"
    session, run_id = session_here(), identify(flow_run_id)
    create = FlowRunInputCreate(key=key, value=text, sender=sender)
    session.patiently(lambda: session.gateway.create_flow_run_input(run_id, create))


def find(prefix: str, limit: int, exclude: Sequence[str], flow_run_id: UUID | str | None) -> list[FlowRunInput]:
    """What was left under keys that begin with the prefix."""
    session, run_id = session_here(), identify(flow_run_id)
    return session.patiently(lambda: session.gateway.list_flow_run_inputs(run_id, prefix, limit, exclude))


def identify(flow_run_id: UUID | str | None) -> UUID:
    """The id of the run that is meant: the one that executes here, without any. Raises `UsageError` for what is no id."""
    if flow_run_id is None:
        return current_flow_run().run.id
    try:
        return flow_run_id if isinstance(flow_run_id, UUID) else UUID(flow_run_id)
    except (ValueError, AttributeError):
        raise errors.UsageError(f"A flow run is named by its id, not {flow_run_id!r}.") from None


def read(key: str, flow_run_id: UUID | str | None) -> FlowRunInput:
    """What was left under a key. Raises `ObjectNotFound`."""
    session, run_id = session_here(), identify(flow_run_id)
    return session.patiently(lambda: session.gateway.read_flow_run_input(run_id, key))


def _read(key: str, flow_run_id: UUID | str | None) -> Any:
    try:
        text = read(key, flow_run_id).value
    except errors.ObjectNotFound:
        return None
    try:
        return decode_json(text)
    except msgspec.DecodeError as error:
        raise errors.SerializationError(f"What was left under {key!r} is no JSON: {error}.") from None


def _delete(key: str, flow_run_id: UUID | str | None) -> None:
    session, run_id = session_here(), identify(flow_run_id)
    session.patiently(lambda: session.gateway.delete_flow_run_input(run_id, key))


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)
