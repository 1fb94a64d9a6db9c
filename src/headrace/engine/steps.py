"""A user's generator, taken step by step in a place of its own.

A generator shares the context variables of whoever takes its items: what its body sets between two items would leak to the
caller. So each step is made in a copy of the caller's context that the generator keeps; its asynchronous steps stay in the
caller's asyncio task, since time limits and task groups that it opened belong to that.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Awaitable, Generator
from typing import Any

from headrace.engine.context import RunContext, current


class Steps:
    """The steps of a generator of either colour, as part of a run."""

    def __init__(self, generator: Any, context: RunContext) -> None:
        self.generator = generator
        self._place = contextvars.copy_context()
        self._place.run(current.set, context)

    def take(self, value: Any = None, error: BaseException | None = None) -> Any:
        """Send the value, or throw the error, into the generator and return its next item, or a coroutine that does.

        A `GeneratorExit` closes it. The end is raised as `StopIteration` or `StopAsyncIteration`.
        """
        if inspect.isasyncgen(self.generator):
            return self._advance_in_loop(value, error)
        return self._place.run(self._advance, value, error)

    def _advance(self, value: Any, error: BaseException | None) -> Any:
        if error is None:
            return self.generator.send(value)
        if isinstance(error, GeneratorExit):
            return self.generator.close()
        return self.generator.throw(error)

    async def _advance_in_loop(self, value: Any, error: BaseException | None) -> Any:
        if error is None:
            step = self.generator.asend(value)
        elif isinstance(error, GeneratorExit):
            step = self.generator.aclose()
        else:
            step = self.generator.athrow(error)
        return await _Placed(self._place, step)


class _Placed:
    """An awaitable that is executed in a context of its own, by the asyncio task that awaits it."""

    def __init__(self, place: contextvars.Context, awaitable: Awaitable[Any]) -> None:
        self._place = place
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._awaitable.__await__()
        go_on, given = steps.send, None
        while True:
            try:
                awaited = self._place.run(go_on, given)
            except StopIteration as end:
                return end.value
            try:
                go_on, given = steps.send, (yield awaited)
            except BaseException as error:
                go_on, given = steps.throw, error
