"""What only the driver in a loop does: requests beside the loop, cancellations that wait, loops of worker threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from headrace.base.ids import uuid7
from headrace.engine import loop as loops
from headrace.engine.commands import Lifecycle, Outcome, ask, call, emit, sleep, step
from headrace.engine.context import current
from headrace.engine.flow_definition import Flow
from headrace.engine.loop import beside, drive_async, drive_in_own_loop
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.session import Session
from headrace.engine.steps import Steps
from headrace.engine.task_definition import Task
from headrace.schema.fact import TaskNameFact
from headrace.testing import RecordingRun, RecordingSession
from tests.unit.engine.conftest import Stage


class Slow:
    """A request that waits until it is let go."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = threading.Event()
        self.let_go = threading.Event()
        self.thread = ""

    def perform(self, session: Session) -> str:
        self.thread = threading.current_thread().name
        self.asked.set()
        self.let_go.wait()
        if self.error is not None:
            raise self.error
        return "answered"


@pytest.fixture
def run(home: object) -> RecordingRun:
    return RecordingRun()


async def until(event: threading.Event) -> None:
    """Wait for an event of another thread without stopping the loop."""
    await asyncio.to_thread(event.wait)


def test_requests_leave_the_loop_free(run: RecordingRun) -> None:
    slow = Slow()

    def lifecycle() -> Lifecycle[str]:
        return (yield from ask(slow))

    async def main() -> str:
        driven = asyncio.create_task(drive_async(lifecycle(), run))
        await until(slow.asked)
        slow.let_go.set()
        return await driven

    assert asyncio.run(main()) == "answered"
    assert slow.thread.startswith("headrace-ask")


def test_requests_are_answered_although_users_fill_the_default_executor(run: RecordingRun) -> None:
    hold = threading.Event()
    slow = Slow()
    slow.let_go.set()

    def lifecycle() -> Lifecycle[str]:
        return (yield from ask(slow))

    async def main() -> str:
        jam = [asyncio.create_task(asyncio.to_thread(hold.wait)) for _ in range(64)]
        try:
            return await drive_async(lifecycle(), run)
        finally:
            hold.set()
            await asyncio.gather(*jam)

    assert asyncio.run(main()) == "answered"


def test_a_cancellation_during_a_request_comes_after_its_answer(run: RecordingRun) -> None:
    slow = Slow()
    told: list[Any] = []

    def lifecycle() -> Lifecycle[str]:
        told.append((yield from ask(slow)))
        outcome = yield from call(lambda: told.append("was called"))
        told.append(outcome.interrupt)
        outcome = yield from call(lambda: told.append("was called"))
        return "the end"

    async def main() -> str:
        driven = asyncio.create_task(drive_async(lifecycle(), run))
        await until(slow.asked)
        driven.cancel("stop it")
        driven.cancel("stop it, I say")
        await asyncio.sleep(0)
        assert not driven.done()
        slow.let_go.set()
        return await driven

    assert asyncio.run(main()) == "the end"
    assert told[0] == "answered"
    assert isinstance(told[1], asyncio.CancelledError)
    assert told[2:] == ["was called"]


def take_one(run: RecordingRun) -> Lifecycle[Outcome]:
    async def items() -> Any:
        yield 1

    return step(Steps(items(), run.context))


def sleep_long(run: RecordingRun) -> Lifecycle[Outcome]:
    return sleep(3600.0)


@pytest.mark.parametrize("waits", [sleep_long, take_one])
def test_a_cancellation_ends_the_next_wait(
    run: RecordingRun, waits: Callable[[RecordingRun], Lifecycle[Outcome]]
) -> None:
    slow = Slow()

    def lifecycle() -> Lifecycle[Outcome]:
        yield from ask(slow)
        return (yield from waits(run))

    async def main() -> Outcome:
        driven = asyncio.create_task(drive_async(lifecycle(), run))
        await until(slow.asked)
        driven.cancel()
        await asyncio.sleep(0)
        slow.let_go.set()
        return await driven

    assert isinstance(asyncio.run(main()).interrupt, asyncio.CancelledError)


def test_a_cancellation_that_nothing_waited_for_is_raised_at_the_end(run: RecordingRun) -> None:
    slow = Slow()

    def lifecycle() -> Lifecycle[str]:
        answer = yield from ask(slow)
        yield from emit(TaskNameFact(uuid7(), answer))
        return "the end"

    async def main() -> None:
        driven = asyncio.create_task(drive_async(lifecycle(), run))
        await until(slow.asked)
        driven.cancel()
        await asyncio.sleep(0)
        slow.let_go.set()
        await driven

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert isinstance(run.session, RecordingSession)
    assert len(run.session.facts) == 1


def test_what_a_cancelled_request_raises_is_raised(run: RecordingRun) -> None:
    slow = Slow(LookupError("no answer"))

    def lifecycle() -> Lifecycle[str]:
        try:
            return (yield from ask(slow))
        except LookupError as error:
            return str(error)

    async def main() -> str:
        driven = asyncio.create_task(drive_async(lifecycle(), run))
        await until(slow.asked)
        driven.cancel()
        await asyncio.sleep(0)
        slow.let_go.set()
        with contextlib.suppress(asyncio.CancelledError):
            return await driven
        return "cancelled"

    assert asyncio.run(main()) == "cancelled"


def test_a_request_the_executor_drops_is_cancelled(run: RecordingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dropping:
        def submit(self, *_: Any) -> Any:
            from concurrent.futures import Future

            future: Future[Any] = Future()
            future.cancel()
            return future

    monkeypatch.setattr(loops, "_threads", Dropping())

    def lifecycle() -> Lifecycle[None]:
        yield from ask(Slow())

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(drive_async(lifecycle(), run))


def test_a_full_journal_is_waited_for_beside_the_loop(run: RecordingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def emit_there(_fact: Any, _durable: bool) -> None:
        threads.append(threading.current_thread().name)

    monkeypatch.setattr(run.session.journal, "is_full", lambda: True)
    monkeypatch.setattr(run.session, "emit", emit_there)

    def lifecycle() -> Lifecycle[None]:
        yield from emit(TaskNameFact(uuid7(), "x"))

    asyncio.run(drive_async(lifecycle(), run))
    assert threads[0].startswith("headrace-ask")


def test_a_coroutine_nobody_goes_on_with_is_closed(run: RecordingRun) -> None:
    ends: list[str] = []
    slow = Slow()

    def lifecycle(waits: Callable[[], Lifecycle[Any]]) -> Lifecycle[None]:
        try:
            yield from waits()
        finally:
            ends.append("closed")

    async def forever() -> None:
        await asyncio.Event().wait()

    async def start_and_drop() -> None:
        commands: list[Callable[[], Lifecycle[Any]]] = [lambda: call(forever), lambda: sleep(3600.0), lambda: ask(slow)]
        for waits in commands:
            coroutine = drive_async(lifecycle(waits), run)
            coroutine.send(None)
            coroutine.close()

    asyncio.run(start_and_drop())
    slow.let_go.set()
    assert ends == ["closed"] * 3


def test_what_blocks_is_called_beside_the_loop_in_this_context() -> None:
    async def main() -> tuple[str, Any]:
        token = current.set(None)
        try:
            return await beside(lambda: (threading.current_thread().name, current.get()))
        finally:
            current.reset(token)

    assert asyncio.run(main()) == ("headrace-beside", None)


def test_an_error_beside_the_loop_is_raised_in_it() -> None:
    def fail() -> None:
        raise LookupError("beside")

    with pytest.raises(LookupError, match="beside"):
        asyncio.run(beside(fail))


def test_nobody_minds_an_answer_that_comes_too_late() -> None:
    begun, hold, ended = threading.Event(), threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def work() -> int:
        threads.append(threading.current_thread())
        begun.set()
        hold.wait()
        return 1

    async def main() -> None:
        waiting = asyncio.create_task(beside(work))
        await until(begun)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        hold.set()
        await asyncio.to_thread(threads[0].join)
        ended.set()

    asyncio.run(main())
    assert ended.is_set()


def test_nobody_minds_an_answer_to_a_loop_that_is_closed() -> None:
    begun, hold = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def work() -> int:
        threads.append(threading.current_thread())
        begun.set()
        hold.wait()
        return 1

    async def main() -> None:
        waiting = asyncio.create_task(beside(work))
        await until(begun)
        waiting.cancel()

    asyncio.run(main())
    hold.set()
    threads[0].join()


def test_nobody_minds_being_woken_when_the_loop_is_closed(stage: Stage) -> None:
    wakes: list[Callable[[], None]] = []

    class Watching:
        def watch(self, _run: Any, wake: Callable[[], None], _duration: float, _until: object) -> Any:
            wakes.append(wake)
            return contextlib.nullcontext()

    stage.session.watch = Watching().watch  # type: ignore[method-assign]

    def lifecycle() -> Lifecycle[Outcome]:
        return (yield from sleep(0.001))

    assert asyncio.run(drive_async(lifecycle(), RecordingRun(stage.session))) == Outcome(False)
    wakes[0]()


# the loops of worker threads


def test_tasks_of_one_thread_share_its_loop_until_it_ends() -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    def lifecycle() -> Lifecycle[Outcome]:
        async def work() -> None:
            seen.append(asyncio.get_running_loop())

        return (yield from call(work))

    pool = ThreadPoolTaskRunner(max_workers=1).duplicate()
    threads: list[threading.Thread] = []
    for _ in range(2):
        pool.submit(lambda: threads.append(threading.current_thread()))
        pool.submit(lambda: drive_in_own_loop(lifecycle(), RecordingRun()) and None)
    pool.teardown()
    threads[0].join()
    assert seen[0] is seen[1]
    assert seen[0].is_closed()


def test_a_thread_that_is_not_ours_gets_a_loop_for_each_task(home: object) -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    def lifecycle() -> Lifecycle[Outcome]:
        async def work() -> None:
            seen.append(asyncio.get_running_loop())

        return (yield from call(work))

    drive_in_own_loop(lifecycle(), RecordingRun())
    assert seen[0].is_closed()


# whole runs in a loop


def test_flows_in_one_loop_run_beside_one_another(stage: Stage) -> None:
    both = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        await both.wait()
        return name

    task = Task(meet)

    async def work(name: str) -> str:
        return await task(name)

    flow = Flow(work)

    async def main() -> list[str]:
        return [*await asyncio.gather(flow("a"), flow("b"))]

    assert asyncio.run(main()) == ["a", "b"]
    assert stage.settle().task_paths() == [["Pending", "Running", "Completed"]] * 2


def test_waiting_for_a_future_in_an_async_flow_does_not_deadlock(stage: Stage) -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    task = Task(double)

    async def work() -> tuple[int, int]:
        waited = task.submit(3).result()
        return waited, await task.submit(task.submit(2))

    assert asyncio.run(Flow(work)()) == (6, 8)


def test_a_timeout_around_a_flow_cancels_it(stage: Stage) -> None:
    limit = asyncio.Timeout(None)

    async def forever() -> None:
        limit.reschedule(0)  # long ago
        await asyncio.Event().wait()

    async def main() -> None:
        async with limit:
            await Flow(forever)()

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    recorded = stage.settle()
    assert recorded.path(recorded.flow_runs()[0])[-1] == "Crashed"


def test_a_flow_cancelled_while_the_orchestrator_is_asked_is_recorded_crashed(stage: Stage) -> None:
    asked, answer = threading.Event(), threading.Event()

    def before(verb: str, request: Any) -> None:
        if verb == "propose_flow_run_state" and request.state.type == "RUNNING":
            asked.set()
            answer.wait()

    stage.recorder.before = before

    async def never() -> None:
        raise AssertionError("it was cancelled before")

    async def main() -> None:
        running = asyncio.create_task(Flow(never)())
        await until(asked)
        running.cancel()
        await asyncio.sleep(0)
        answer.set()
        await running

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    recorded = stage.settle()
    assert recorded.path(recorded.flow_runs()[0]) == ["Pending", "Running", "Crashed"]


def test_a_synchronous_flow_runs_within_a_running_loop(stage: Stage) -> None:
    async def double(x: int) -> int:
        return 2 * x

    task = Task(double)

    def work() -> int:
        return task.submit(4).result()

    async def main() -> int:
        return Flow(work)()

    assert asyncio.run(main()) == 8
