"""The driver that performs a lifecycle's commands on the calling thread.

Its asynchronous sibling is in `loop.py`, apart, so that programs without a loop never import one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Next, Outcome, Sleep
from headrace.engine.context import RunContext, current
from headrace.engine.interrupts import call_within

if TYPE_CHECKING:
    from headrace.engine.session import Session

T = TypeVar("T")


class Run(Protocol):
    """What a driver must know of the run it drives: its session, and its context once it has one."""

    session: Session

    @property
    def context(self) -> RunContext:
        """The context entered around the run's user code."""
        ...


def drive_sync(lifecycle: Lifecycle[T], run: Run) -> T:
    """Perform the lifecycle's commands on this thread and return what it returns.

    User code runs on this thread as well, so its tracebacks, signals and debuggers are what they would be without us.
    """
    session = run.session
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            return end.value
        reply = error = None
        try:
            match command:
                case Emit():
                    session.emit(command.fact, command.durable)
                case Call():
                    reply = _call(command, run.context)
                case Ask():
                    reply = command.request.perform(session)
                case Sleep():
                    reply = _sleep(command, session)
                case Next():
                    reply = _step(command, run.context)
        except BaseException as raised:  # an interrupt here belongs to the run: its lifecycle says what becomes of it
            error = raised


def _call(command: Call, context: RunContext | None) -> Outcome:
    token = current.set(context) if context is not None else None
    value: Any
    try:
        if command.timeout is None:
            value = command.function(*command.args, **(command.kwargs or {}))
        else:
            value = call_within(command.timeout, command.function, command.args, command.kwargs or {})
        if type(value) is CoroutineType:
            value = complete(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return Outcome(value)
    except BaseException as error:
        return Outcome(None, without_driver(error))
    finally:
        if token is not None:
            current.reset(token)


def without_driver(error: BaseException) -> BaseException:
    """The error with its traceback beginning where the user's code does."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
    return error


def _step(command: Next, context: RunContext | None) -> Outcome:
    return _call(Call(next, (command.generator,), None, command.timeout), context)


def _sleep(command: Sleep, session: Session) -> Outcome:
    try:
        return Outcome(session.sleep(command.delay, command.wake))
    except BaseException as error:
        return Outcome(None, error)


def complete(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from synchronous code, in a loop of this thread's own, or beside the one that runs here."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return in_thread(lambda: asyncio.run(coroutine))


def in_thread(function: Callable[[], T]) -> T:
    """Call the function in a thread of its own, in a copy of this context, and wait for it."""
    import contextvars
    import threading

    answer: list[Outcome] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            answer.append(Outcome(context.run(function)))
        except BaseException as error:
            answer.append(Outcome(None, error))

    thread = threading.Thread(target=work, name="headrace-call")
    thread.start()
    thread.join()
    outcome = answer[0]
    if outcome.error is not None:
        raise outcome.error
    return outcome.value
