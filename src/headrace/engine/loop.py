"""The drivers that perform a lifecycle's commands in the calling event loop.

Requests are blocking and short: they run in an executor of our own, which user code cannot fill, and are shielded, so a
cancelled run still learns what it was answered. The cancellation is then the outcome of the next thing it would wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from headrace.engine.commands import Ask, Call, Command, Emit, Give, Lifecycle, Next, Outcome, Sleep
from headrace.engine.context import RunContext, current
from headrace.engine.drivers import without_driver
from headrace.engine.forks import after_fork
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.runners.threads import at_thread_end
from headrace.engine.watchdog import watched

if TYPE_CHECKING:
    from headrace.engine.drivers import Run
    from headrace.engine.session import Session

T = TypeVar("T")


def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="headrace-ask")


_threads = _executor()


def _renew_threads() -> None:
    global _threads  # noqa: PLW0603 - one per process
    _threads = _executor()


after_fork(_renew_threads)


async def drive_async(lifecycle: Lifecycle[T], run: Run) -> T:
    """Perform the lifecycle's commands in this loop and return what it returns."""
    reply: Any = None
    error: BaseException | None = None
    shield = Shield()
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            shield.release()
            return end.value
        reply = error = None
        try:
            reply = await _perform(command, run, shield)
        except GeneratorExit:  # nobody will ever go on with this coroutine
            lifecycle.close()
            raise
        except BaseException as raised:
            error = raised


async def drive_items_async(
    lifecycle: Lifecycle[T], run: Run, finish: Callable[[T], object]
) -> AsyncGenerator[Any, Any]:
    """Like `drive_async` for a run that gives items: they are this generator's, and so is what is done to it.

    It cannot return anything: `finish` is called with what the lifecycle returns, and may raise.
    """
    reply: Any = None
    error: BaseException | None = None
    shield = Shield()
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            shield.release()
            finish(end.value)
            return
        reply = error = None
        if isinstance(command, Give):
            try:
                reply = shield.take() or Outcome((yield command.item))
            except BaseException as thrown:
                reply = Outcome(None, thrown)
            continue
        try:
            reply = await _perform(command, run, shield)
        except GeneratorExit:
            lifecycle.close()
            raise
        except BaseException as raised:
            error = raised


async def _perform(command: Command, run: Run, shield: Shield) -> Any:
    session = run.session
    match command:
        case Emit():
            if command.durable or session.journal.is_full():
                await shield.complete(session.emit, command.fact, command.durable)
            else:
                session.emit(command.fact)
            return None
        case Call():
            return shield.take() or await _call(command, run.context)
        case Ask():
            return await shield.complete(command.request.perform, session)
        case Sleep():
            return shield.take() or await _sleep(command, session)
        case Next():
            step = Call(command.steps.take, (command.value, command.error), None, command.timeout)
            return shield.take() or await _call(step, run.context)
        case _:
            raise TypeError("A run that gives items is driven by who takes them.")


class Shield:
    """Lets blocking requests finish although the task that made them is cancelled, and remembers the cancellation."""

    def __init__(self) -> None:
        self.cancelled: asyncio.CancelledError | None = None

    def take(self) -> Outcome | None:
        """The cancellation that came during a request, as an outcome, once."""
        cancelled, self.cancelled = self.cancelled, None
        return None if cancelled is None else Outcome(None, cancelled)

    def release(self) -> None:
        """Raise the cancellation that came during the last request, if one did."""
        if self.cancelled is not None:
            raise self.cancelled from None

    async def complete(self, function: Callable[..., T], *args: Any) -> T:
        """Call the function in our executor and wait for it whatever happens."""
        context = contextvars.copy_context()
        future = asyncio.get_running_loop().run_in_executor(_threads, lambda: context.run(function, *args))
        while True:
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError as cancelled:
                if future.cancelled():
                    raise
                self.cancelled = cancelled


async def _call(command: Call, context: RunContext) -> Outcome:
    token = current.set(context)
    limit: asyncio.Timeout | None = None
    try:
        if command.timeout is None:
            value = await _finish(_begin(command))
        else:
            with watched(command.timeout):
                async with asyncio.timeout(command.timeout) as limit:
                    value = await _finish(_begin(command))
        return Outcome(value)
    except GeneratorExit:
        raise
    except BaseException as error:
        if limit is not None and limit.expired() and isinstance(error, TimeoutError):
            return Outcome(None, DeadlineExceeded(command.timeout or 0.0))
        return Outcome(None, without_driver(error))
    finally:
        current.reset(token)


def _begin(command: Call) -> Any:
    """Call the function, here: what it raises must not pass through a coroutine, which would change a `StopIteration`."""
    if command.blocking:
        return beside(partial(command.function, *command.args, **(command.kwargs or {})))
    return command.function(*command.args, **(command.kwargs or {}))


async def _finish(value: Any) -> Any:
    return await cast("Any", value) if isinstance(value, Coroutine) else value


async def _sleep(command: Sleep, session: Session) -> Outcome:
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[bool] = loop.create_future()

    def end(entered: bool) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: woken.done() or woken.set_result(entered))

    try:
        with (
            session.watch(command.wake, partial(end, True), command.delay, command.until),
            session.live.attend(command.turn, partial(end, False)),
        ):
            try:
                async with asyncio.timeout(command.delay):
                    return Outcome(await woken)
            except TimeoutError:
                return Outcome(False)
    except GeneratorExit:
        raise
    except BaseException as error:
        return Outcome(None, error)


async def beside(function: Callable[[], T]) -> T:
    """Call a function that may wait for other runs in a thread of its own: no pool can be too full for it."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Outcome] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome = Outcome(context.run(function))
        except BaseException as error:
            outcome = Outcome(None, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_answer, answer, outcome)

    threading.Thread(target=work, name="headrace-beside", daemon=True).start()
    outcome = await answer
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def _answer(answer: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not answer.cancelled():
        answer.set_result(outcome)


_own = threading.local()


def drive_in_own_loop(lifecycle: Lifecycle[T], run: Run) -> T:
    """Drive the lifecycle in the event loop of this worker thread, which is made when first needed and lives as long."""
    runner: asyncio.Runner | None = getattr(_own, "runner", None)
    if runner is None:
        runner = asyncio.Runner()
        if not at_thread_end(runner.close):
            with runner:
                return runner.run(drive_async(lifecycle, run), context=contextvars.copy_context())
        _own.runner = runner
    return runner.run(drive_async(lifecycle, run), context=contextvars.copy_context())
