"""The lifecycles' cases: what a function does, what becomes of its run, and the commands by which it gets there.

Each case is run three times: through the scripted driver, where it says what the script is, through `drive_sync` and through
`drive_async`. State names, values and exceptions must be the same.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.engine.commands import Outcome
from headrace.engine.flow_definition import Flow
from headrace.engine.results import Result, StoredResult
from headrace.engine.task_definition import Task
from headrace.testing import Step

HANG = object()
"""A function that does this never ends by itself."""

NOTHING: Mapping[str, Any] = {}
UNSET = object()


@dataclass(frozen=True)
class Case:
    """One case.

    `does`: what each execution of the function does: raises an exception, hangs, calls what can be called with the arguments,
    or returns anything else. `arguments`: what the call is made with, made anew for each call if it is a function. `calls`:
    how often it is made; the last one is looked at. `value` or `raises` is how it ends, `path` the names of its states,
    `logs` what stands in its log, `executions` how often the function was executed in all.
    """

    name: str
    does: Sequence[Any]
    path: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    arguments: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict[str, Any])
    calls: int = 1
    value: Any = UNSET
    raises: type[BaseException] | None = None
    says: str = ""
    logs: str = ""
    executions: int | None = None
    script: Sequence[Step] | None = None
    annotation: type[Any] | None = None

    def call_arguments(self) -> Sequence[Any]:
        return self.arguments() if callable(self.arguments) else self.arguments


class Behaviour:
    """The function of a case: does one thing after the other, and counts."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.executions = 0

    def __call__(self, arguments: tuple[Any, ...]) -> Any:
        does = self.case.does[min(self.executions, len(self.case.does) - 1)]
        self.executions += 1
        if isinstance(does, BaseException):
            raise does
        return does(*arguments) if callable(does) else does

    def as_function(self, asynchronous: bool) -> Callable[..., Any]:
        """The function, of either colour, with a signature like the case's arguments ask for."""

        def work(*args: Any) -> Any:
            value = self(args)
            if value is HANG:
                threading.Event().wait()
            return value

        async def work_in_loop(*args: Any) -> Any:
            value = self(args)
            if value is HANG:
                await asyncio.Event().wait()
            return value

        body = work_in_loop if asynchronous else work

        def one(x: Any = None) -> Any:
            return body(x)

        async def one_in_loop(x: Any = None) -> Any:
            return await body(x)

        function = one_in_loop if asynchronous else one
        function.__name__ = function.__qualname__ = "work"
        if self.case.annotation is not None:
            function.__annotations__ = {"x": self.case.annotation}
        return function


def make_task(case: Case, asynchronous: bool = False) -> tuple[Task[..., Any], Behaviour]:
    """The task of a case, and what counts its executions."""
    behaviour = Behaviour(case)
    return Task(behaviour.as_function(asynchronous), **case.options), behaviour


def make_flow(case: Case, asynchronous: bool = False) -> tuple[Flow[..., Any], Behaviour]:
    """The flow of a case, and what counts its executions."""
    behaviour = Behaviour(case)
    return Flow(behaviour.as_function(asynchronous), **case.options), behaviour


def call(definition: Task[..., Any] | Flow[..., Any], case: Case) -> Outcome:
    """Make the calls of the case, in a loop if the function needs one, and say how the last one ended."""
    outcome = Outcome()
    for _ in range(case.calls):
        try:
            main: Any = definition
            value = main(*case.call_arguments(), **case.keywords)
            outcome = Outcome(asyncio.run(value) if definition.is_async else value)
        except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
            outcome = Outcome(None, error)
    return outcome


def check(case: Case, outcome: Outcome) -> None:
    """Whether it ended as the case says."""
    if case.raises is None:
        assert outcome.error is None, outcome.error
        assert outcome.value == case.value or case.value is UNSET
    else:
        assert type(outcome.error) is case.raises, outcome
        assert case.says in str(outcome.error)


def kept(request: Any) -> Result:
    """What a store that keeps nothing answers to `StoreResult`."""
    return Result(request.value, StoredResult(request.storage_key, "/nowhere", "pickle", 1, request.expiration))
