"""Sending values to flow runs while they run."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel, TypeAdapter

from headrace.base import errors
from headrace.input.texts import RunInputMetadata, acreate_flow_run_input, here_or_awaited, leave
from headrace.schema.wire_event import FLOW_RUN

__all__ = ["asend_input", "send_input"]


def send_input(
    run_input: Any, flow_run_id: UUID | str, sender: str | None = None, key_prefix: str | None = None
) -> None:
    """Send a value to a flow run, which gets it by `receive_input`: a `RunInput` or another model, or what JSON can hold.

    In async code await it. Inputs of one kind have keys that begin alike: `key_prefix`, by default the name of the model or
    type. Raises `ObjectNotFound` without such a run, `UsageError` for what cannot be sent.
    """
    key, value = _pack(run_input, key_prefix)
    return here_or_awaited(lambda: leave(key, value, flow_run_id, sender))


async def asend_input(
    run_input: Any, flow_run_id: UUID | str, sender: str | None = None, key_prefix: str | None = None
) -> None:
    """As `send_input`."""
    key, value = _pack(run_input, key_prefix)
    await acreate_flow_run_input(key, value, flow_run_id, sender)


def respond(run_input: Any, to: RunInputMetadata | None, sender: str | None, key_prefix: str | None) -> None:
    """Send a value to the flow run that sent an input. Raises `UsageError` when none did."""
    told = to.sender if to is not None else None
    if told is None or not told.startswith(FLOW_RUN):
        raise errors.UsageError("Only to an input that another flow run has sent can be responded.")
    return send_input(run_input, told.removeprefix(FLOW_RUN), sender, key_prefix)


def prefix_of(kind: Any) -> str:
    """With what the keys of inputs of this type begin."""
    name = getattr(kind, "__name__", None) or str(kind)
    return f"{name.lower()[:100]}-auto"


def _pack(value: Any, key_prefix: str | None) -> tuple[str, Any]:
    """A key that nobody has used, and what is kept under it. A value that is no model is its field `value`."""
    key = f"{prefix_of(type(value)) if key_prefix is None else key_prefix}-{uuid4()}"
    if isinstance(value, BaseModel):
        return key, value.model_dump(mode="json")
    try:
        kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
        return key, {"value": TypeAdapter[Any](kind).dump_python(value, mode="json")}
    except Exception as error:  # noqa: BLE001 - pydantic has many ways to say that it can make nothing of a value
        text = str(error).partition("\n")[0]
        raise errors.UsageError(f"A value of type {type(value).__name__} cannot be sent: {text}") from None
