"""The driver that performs a lifecycle's commands in the calling event loop.

Requests are blocking and short: they run in an executor of our own, which user code cannot fill, and are shielded, so a
cancelled run still learns what it was answered. The cancellation is then the outcome of the next thing it would wait for.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from headrace.engine.commands import Ask, Call, Emit, Lifecycle, Outcome, Sleep
from headrace.engine.context import RunContext, current
from headrace.engine.drivers import without_driver
from headrace.engine.forks import after_fork
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.runners import at_thread_end

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
    session = run.session
    reply: Any = None
    error: BaseException | None = None
    shield = Shield()
    while True:
        try:
            command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
        except StopIteration as end:
            if shield.cancelled is not None:
                raise shield.cancelled from None
            return end.value
        reply = error = None
        try:
            match command:
                case Emit():
                    if command.durable or session.journal.is_full():
                        await shield.complete(session.emit, command.fact, command.durable)
                    else:
                        session.emit(command.fact)
                case Call():
                    reply = shield.take() or await _call(command, run.context)
                case Ask():
                    reply = await shield.complete(command.request.perform, session)
                case Sleep():
                    reply = shield.take() or await _sleep(command, session)
                case _:
                    following = Call(_take, (command.generator,), None, command.timeout)
                    reply = shield.take() or await _call(following, run.context)
        except GeneratorExit:  # nobody will ever go on with this coroutine
            lifecycle.close()
            raise
        except BaseException as raised:
            error = raised


class Shield:
    """Lets blocking requests finish although the task that made them is cancelled, and remembers the cancellation."""

    def __init__(self) -> None:
        self.cancelled: asyncio.CancelledError | None = None

    def take(self) -> Outcome | None:
        """The cancellation that came during a request, as an outcome, once."""
        cancelled, self.cancelled = self.cancelled, None
        return None if cancelled is None else Outcome(None, cancelled)

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


async def _take(generator: Any) -> Any:
    return await anext(generator)


async def _sleep(command: Sleep, session: Session) -> Outcome:
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[bool] = loop.create_future()

    def end(cancelled: bool) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: woken.done() or woken.set_result(cancelled))

    try:
        with (
            session.watch(command.wake, partial(end, True), command.delay),
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
