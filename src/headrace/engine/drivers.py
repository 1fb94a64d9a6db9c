"""The drivers that perform a lifecycle's commands on the calling thread.

Their asynchronous siblings are in `loop.py`, apart, so that programs without a loop never import one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from headrace.engine.commands import Ask, Call, Command, Emit, Give, Lifecycle, Next, Outcome, Sleep
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
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            return end.value
        reply = error = None
        try:
            reply = _perform(command, run)
        except BaseException as raised:  # an interrupt here belongs to the run: its lifecycle says what becomes of it
            error = raised


def drive_items(lifecycle: Lifecycle[T], run: Run, finish: Callable[[T], Any]) -> Generator[Any, Any, Any]:
    """Like `drive_sync` for a run that gives items: they are this generator's, and so is what is done to it.

    It returns, or raises, what `finish` makes of what the lifecycle returns.
    """
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            return finish(end.value)
        reply = error = None
        if isinstance(command, Give):
            try:
                reply = Outcome((yield command.item))
            except BaseException as thrown:
                reply = Outcome(None, thrown)
            continue
        try:
            reply = _perform(command, run)
        except BaseException as raised:  # as above
            error = raised


def _perform(command: Command, run: Run) -> Any:
    match command:
        case Emit():
            return run.session.emit(command.fact, command.durable)
        case Call():
            return _call(command, run.context)
        case Ask():
            return command.request.perform(run.session)
        case Sleep():
            return _sleep(command, run.session)
        case Next():
            return _call(Call(command.steps.take, (command.value, command.error), None, command.timeout), run.context)
        case _:
            raise TypeError("A run that gives items is driven by who takes them.")


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


_DRIVERS = frozenset({__name__, "headrace.engine.loop", "headrace.engine.interrupts", "headrace.engine.steps"})


def _sleep(command: Sleep, session: Session) -> Outcome:
    try:
        return Outcome(session.sleep(command.delay, command.wake, command.turn, command.until))
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
