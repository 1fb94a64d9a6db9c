"""The cases of a run of a generator: what its body does, what is done to it, and what becomes of the run.

Each is run as a task and as a flow, on a thread and in a loop; where it says by which commands, by script as well.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.base import errors
from headrace.engine.interrupts import DeadlineExceeded
from headrace.states import Failed
from headrace.testing import Step, calls, enters, gives, proposes, takes
from tests.unit.engine.flow_cases import ENDED, decided
from tests.unit.engine.flow_cases import START as FLOW_START
from tests.unit.engine.task_cases import FAILURE, RUN

Items = Generator[Any, Any, Any]


@dataclass(frozen=True)
class ItemCase:
    """One case. `body`: the generator's, for the n-th execution; `takes`: what is done to it, which gives `taken`.

    `returns` says that the case is about what is returned, which only a generator on a thread can.
    """

    name: str
    body: Callable[[int], Items]
    path: str
    takes: Callable[[Items], Any] = list
    taken: Any = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raises: type[BaseException] | None = None
    says: str = ""
    executions: int = 1
    returns: bool = False
    task_script: Sequence[Step] | None = None
    flow_script: Sequence[Step] | None = None


class Recipe:
    """The generator function of a case, which counts its executions and how many have ended."""

    def __init__(self, case: ItemCase) -> None:
        self.case = case
        self.executions = 0
        self.closed = 0

    def as_function(self, asynchronous: bool) -> Callable[[], Any]:
        def give() -> Items:
            self.executions += 1
            try:
                return (yield from self.case.body(self.executions))
            finally:
                self.closed += 1

        async def give_in_loop() -> AsyncGenerator[Any, Any]:
            body = give()
            advance: Any = body.send
            argument: Any = None
            while True:
                await asyncio.sleep(0)
                try:
                    item = advance(argument)
                except StopIteration:
                    return
                try:
                    advance, argument = body.send, (yield item)
                except GeneratorExit:
                    body.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in, as anything can be
                    advance, argument = body.throw, error

        function = give_in_loop if asynchronous else give
        function.__name__ = function.__qualname__ = "items"
        return function


class InLoop:
    """An asynchronous generator that is used like one of the other colour; each step is a task of its own."""

    def __init__(self, generator: AsyncGenerator[Any, Any]) -> None:
        self.generator = generator
        self.runner = asyncio.Runner()
        weakref.finalize(self, self.runner.close)

    def __iter__(self) -> InLoop:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        return self._step(self.generator.asend(value))

    def throw(self, error: BaseException) -> Any:
        return self._step(self.generator.athrow(error))

    def close(self) -> None:
        self._step(self.generator.aclose())

    def _step(self, awaitable: Any) -> Any:
        async def step() -> Any:
            return await awaitable

        try:
            return self.runner.run(step())
        except StopAsyncIteration:
            raise StopIteration from None


# bodies


def one_two(_execution: int) -> Items:
    yield 1
    yield 2
    return 3


def none(_execution: int) -> Items:
    yield from ()


def echo(_execution: int) -> Items:
    said = yield "first"
    while said:
        said = yield f"again {said}"


def forgive(_execution: int) -> Items:
    try:
        yield 1
    except LookupError as error:
        yield str(error)


def cling(_execution: int) -> Items:
    try:
        yield 1
    except GeneratorExit:
        yield 2


def clean_up_badly(_execution: int) -> Items:
    try:
        yield 1
    finally:
        raise FAILURE


def fail_at_once(execution: int) -> Items:
    if execution == 1:
        raise FAILURE
    yield 1


def fail_in_the_middle(_execution: int) -> Items:
    yield 1
    raise FAILURE


def be_interrupted(_execution: int) -> Items:
    yield 1
    raise KeyboardInterrupt


def return_a_state(_execution: int) -> Items:
    yield 1
    return Failed("so")


# what is done to them


def talk(items: Items) -> Any:
    return [next(items), items.send("a"), items.send("b"), *items]


def complain(items: Items) -> Any:
    return [next(items), items.throw(LookupError("thrown in")), *items]


def close_after_one(items: Items) -> Any:
    first = next(items)
    items.close()
    return [first, *items]


def close_at_once(items: Items) -> Any:
    items.close()
    return [*items]


DONE, FAILED, CRASHED = "Pending Running Completed", "Pending Running Failed", "Pending Running Crashed"
LATE = "Pending Running TimedOut"

DONE_WELL = enters("Completed")

ITEM_CASES = (
    ItemCase(
        "is exhausted",
        one_two,
        DONE,
        taken=[1, 2],
        task_script=(
            *RUN,
            calls(),
            takes(1),
            gives(1),
            takes(2),
            gives(2),
            takes(raises=StopIteration(3)),
            enters("Completed"),
        ),
        flow_script=(
            *FLOW_START,
            calls(),
            takes(1),
            gives(1),
            takes(raises=StopIteration(3)),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    ItemCase("gives nothing", none, DONE, taken=[]),
    ItemCase("is not iterated", one_two, "", close_at_once, taken=[], executions=0),
    ItemCase(
        "is sent values",
        echo,
        DONE,
        talk,
        taken=["first", "again a", "again b"],
        task_script=(
            *RUN,
            calls(),
            takes("first", value=None),
            gives("first", sends="a"),
            takes("again a", value="a"),
            gives("again a"),
            takes(raises=StopAsyncIteration()),
            enters("Completed"),
        ),
    ),
    ItemCase("is thrown an error that it catches", forgive, DONE, complain, taken=[1, "thrown in"]),
    ItemCase(
        "is thrown an error that it does not catch",
        one_two,
        FAILED,
        complain,
        raises=LookupError,
        task_script=(
            *RUN,
            calls(),
            takes(1),
            gives(1, raises=FAILURE),
            takes(error=FAILURE, raises=FAILURE),
            enters("Failed", "ValueError: no"),
        ),
    ),
    ItemCase(
        "is closed early",
        one_two,
        DONE,
        close_after_one,
        taken=[1],
        task_script=(*RUN, calls(), takes(1), gives(1, raises=GeneratorExit()), takes(), enters("Completed")),
        flow_script=(
            *FLOW_START,
            calls(),
            takes(1),
            gives(1, raises=GeneratorExit()),
            takes(),
            *ENDED,
            proposes("Completed", decided()),
        ),
    ),
    ItemCase(
        "is closed and does not end", cling, FAILED, close_after_one, raises=RuntimeError, says="ignored GeneratorExit"
    ),
    ItemCase("is closed and ends badly", clean_up_badly, FAILED, close_after_one, raises=ValueError),
    ItemCase(
        "is tried again when it has given nothing",
        fail_at_once,
        "Pending Running AwaitingRetry Retrying Completed",
        taken=[1],
        options={"retries": 2},
        executions=2,
    ),
    ItemCase(
        "is not tried again when it has given something",
        fail_in_the_middle,
        FAILED,
        options={"retries": 2},
        raises=ValueError,
        task_script=(*RUN, calls(), takes(1), gives(1), takes(raises=FAILURE), enters("Failed")),
        flow_script=(
            *FLOW_START,
            calls(),
            takes(1),
            gives(1),
            takes(raises=FAILURE),
            *ENDED,
            proposes("Failed", decided()),
        ),
    ),
    ItemCase("is interrupted", be_interrupted, CRASHED, raises=KeyboardInterrupt),
    ItemCase(
        "cannot be made",
        one_two,
        "",
        raises=ValueError,
        task_script=(*RUN, calls(raises=FAILURE), enters("Failed")),
    ),
    ItemCase(
        "decides its state by what it returns", return_a_state, FAILED, raises=errors.FailedRun, says="so", returns=True
    ),
    ItemCase(
        "takes too long for one item",
        one_two,
        "",
        options={"timeout_seconds": 60},
        raises=errors.TaskRunTimeoutError,
        says="exceeded its time limit of 60 seconds",
        task_script=(*RUN, calls(), takes(timeout=60, raises=DeadlineExceeded(0.5)), enters("TimedOut")),
    ),
)
