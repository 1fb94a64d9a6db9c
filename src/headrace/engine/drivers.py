"""The driver that performs a lifecycle's commands on the calling thread.

Its asynchronous sibling is in `loop.py`, apart, so that programs without a loop never import one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome, Sleep
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
                case _:
                    reply = _call(Call(next, (command.generator,), None, command.timeout), run.context)
        except BaseException as raised:  # an interrupt here belongs to the run: its lifecycle says what becomes of it
            error = raised


def _call(command: Call, context: RunContext) -> Outcome:
    token = current.set(context)
    value: Any
    try:
        if command.timeout is None:
            value = command.function(*command.args, **(command.kwargs or {}))
            if type(value) is CoroutineType:
                value = complete(cast("Any", value))
        else:
            value = call_within(command.timeout, _call_whole, (command,), {})
        return Outcome(value)
    except BaseException as error:
        return Outcome(None, without_driver(error))
    finally:
        current.reset(token)


def _call_whole(command: Call) -> Any:
    """Call the function and, should it turn out to be asynchronous, await what it returns."""
    value: Any = command.function(*command.args, **(command.kwargs or {}))
    if type(value) is CoroutineType:
        return complete(cast("Any", value))
    return value


def without_driver(error: BaseException) -> BaseException:
    """The error with its traceback beginning where our code ends."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__") in _DRIVERS:
        traceback = traceback.tb_next
    error.__traceback__ = traceback or error.__traceback__
    return error


_DRIVERS = frozenset({__name__, "headrace.engine.loop", "headrace.engine.interrupts"})


def _sleep(command: Sleep, session: Session) -> Outcome:
    try:
        return Outcome(session.sleep(command.delay, command.wake, command.turn))
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
    from concurrent.futures import Future

    answer: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            answer.set_result(context.run(function))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=work, name="headrace-call", daemon=True).start()
    return answer.result()
