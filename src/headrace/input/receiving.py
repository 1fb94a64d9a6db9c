"""Receiving what is sent to a flow run while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from headrace.base import clock, errors
from headrace.engine.forms import Form
from headrace.input.sending import prefix_of, respond
from headrace.input.texts import RunInputMetadata, find, identify

__all__ = ["InputReceiver", "ReceivedInput", "receive_input"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReceivedInput(Generic[T]):
    """A value with how it came, as `receive_input(with_metadata=True)` gives it."""

    value: T
    metadata: RunInputMetadata

    def respond(self, run_input: Any, sender: str | None = None, key_prefix: str | None = None) -> None:
        """Send a value to the flow run that sent this one; in async code await it. Raises `UsageError` when none did."""
        return respond(run_input, self.metadata, sender, key_prefix)


class InputReceiver(Generic[T]):
    """Gives what is sent to a flow run, oldest first, each once: to be gone through with `for`, or `async for`."""

    def __init__(
        self,
        kind: type[T],
        timeout: float | None = 3600,
        poll_interval: float = 1.0,
        raise_timeout_error: bool = False,
        exclude_keys: Iterable[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | str | None = None,
        with_metadata: bool = False,
    ) -> None:
        self.exclude_keys = {*(exclude_keys or ())}
        self.key_prefix = prefix_of(kind) if key_prefix is None else key_prefix
        self.flow_run_id = identify(flow_run_id)
        self._form = Form(kind)
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._raises = raise_timeout_error
        self._with_metadata = with_metadata

    def next(self) -> T:
        """The next one. Raises `TimeoutError` when there has been none for so long."""
        ends = self._ends()
        while (found := self._find()) is None:
            threading.Event().wait(self._pause(ends))
        return found[0]

    async def anext(self) -> T:
        """As `next`, without blocking the running event loop."""
        import asyncio

        from headrace.engine.loop import beside

        ends = self._ends()
        while True:
            found = await beside(self._find)
            if found is not None:
                return found[0]
            await asyncio.sleep(self._pause(ends))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            return self.next()
        except TimeoutError:
            if self._raises:
                raise
            raise StopIteration from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.anext()
        except TimeoutError:
            if self._raises:
                raise
            raise StopAsyncIteration from None

    def _ends(self) -> float:
        return float("inf") if self._timeout is None else clock.monotonic() + self._timeout

    def _pause(self, ends: float) -> float:
        left = ends - clock.monotonic()
        if left <= 0:
            raise TimeoutError(f"No input came for flow run {self.flow_run_id} within {self._timeout:g} seconds.")
        return min(left, self._poll_interval)

    def _find(self) -> tuple[Any] | None:
        found = find(self.key_prefix, 1, [*self.exclude_keys], self.flow_run_id)
        if not found:
            return None
        told = found[0]
        self.exclude_keys.add(told.key)
        try:
            value = self._form.read(told.value)
        except errors.ParameterTypeError as error:
            raise errors.ParameterTypeError(f"Input {told.key!r}: {error}") from None
        metadata = RunInputMetadata(told.key, told.sender, self.flow_run_id)
        if hasattr(value, "accept_metadata"):
            value.accept_metadata(metadata)
        elif self._with_metadata:
            value = ReceivedInput(value, metadata)
        return (value,)


def receive_input(
    input_type: type[T],
    timeout: float | None = 3600,
    poll_interval: float = 1.0,
    raise_timeout_error: bool = False,
    exclude_keys: Iterable[str] | None = None,
    key_prefix: str | None = None,
    flow_run_id: UUID | str | None = None,
    with_metadata: bool = False,
) -> InputReceiver[T]:
    """Go through what is sent to the flow run that executes here, or to another one, by `send_input`: `for` or `async for`.

    * `input_type` – a `RunInput` or another model, or any type; what is sent must be such a value
    * `timeout` – for how many seconds the next one is waited for; then the iteration ends, or raises `TimeoutError` with
      `raise_timeout_error`; None waits for ever
    * `poll_interval` – how often it is looked for
    * `exclude_keys`, `key_prefix` – inputs that are passed over, and with what the keys of the others begin, by default the
      name of the type
    * `with_metadata` – gives `ReceivedInput`s, which know who sent them and can be responded to; a `RunInput` always does
    """
    return InputReceiver(
        input_type, timeout, poll_interval, raise_timeout_error, exclude_keys, key_prefix, flow_run_id, with_metadata
    )
