"""The part of a lifecycle in which a user's generator is taken item by item."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from headrace.base import clock
from headrace.engine.commands import Call, Give, Lifecycle, Next, Outcome
from headrace.engine.context import RunContext
from headrace.engine.futures import quote
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.steps import Steps


class Sink(Enum):
    """Where the items of a run go: one by one to whoever iterates, into a list that is the run's value, or nowhere."""

    CALLER = auto()
    LIST = auto()
    NOWHERE = auto()


class Iteration:
    """The items of a run. `handed`: one has reached the caller, so the run cannot begin anew; `spent`: seconds in its steps."""

    __slots__ = ("handed", "sink", "spent")

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.handed = False
        self.spent = 0.0


def iterate(
    iteration: Iteration,
    function: Callable[[], Any],
    context: RunContext,
    limit: float | None,
    note: Callable[[Any], None] | None = None,
) -> Lifecycle[Outcome]:
    """Make the generator, take its items until it ends or is closed, and return how it ended.

    The outcome's value is what the generator returned, or the list of its items, quoted. The limit is for the steps: what
    the caller does between them takes none of the generator's time. `note` is told of each item before it goes on.
    """
    made: Outcome = yield Call(function)
    if made.error is not None:
        return made
    steps = Steps(made.value, context)
    items: list[Any] = []
    iteration.spent = 0.0
    given = Outcome()
    while True:
        began = clock.monotonic()
        taken: Outcome = yield Next(steps, given.value, given.error, None if limit is None else limit - iteration.spent)
        iteration.spent += clock.monotonic() - began
        if isinstance(given.error, GeneratorExit):
            return taken
        if taken.error is not None:
            return _ended(taken, limit, quote(items) if iteration.sink is Sink.LIST else None)
        if limit is not None and iteration.spent >= limit:
            yield Next(steps, error=GeneratorExit())
            return Outcome(None, DeadlineExceeded(limit))
        if note is not None:
            note(taken.value)
        if iteration.sink is Sink.CALLER:
            iteration.handed = True
            given = yield Give(taken.value)
        elif iteration.sink is Sink.LIST:
            items.append(taken.value)


def _ended(taken: Outcome, limit: float | None, items: quote[list[Any]] | None) -> Outcome:
    """How a generator ended whose last step raised something: the end itself, or what is wrong."""
    match taken.error:
        case StopIteration(value=value):
            return Outcome(value if items is None else items)
        case StopAsyncIteration():
            return Outcome(items)
        case DeadlineExceeded(still_running=still_running) if limit is not None:
            return Outcome(None, DeadlineExceeded(limit, still_running))
        case _:
            return taken
