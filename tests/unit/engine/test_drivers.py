"""What both drivers do with each command, and what only the one on a thread does."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine.commands import Ask, Call, Lifecycle, Outcome, ask, call, emit, give, sleep, step
from headrace.engine.context import current
from headrace.engine.drivers import complete, drive_sync, in_thread, without_driver
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.loop import drive_async
from headrace.engine.session import Session
from headrace.engine.steps import Steps
from headrace.schema.fact import TaskNameFact
from headrace.testing import RecordingRun, RecordingSession

Drive = Callable[[Lifecycle[Any], RecordingRun], Any]


def drive_in_loop(lifecycle: Lifecycle[Any], run: RecordingRun) -> Any:
    return asyncio.run(drive_async(lifecycle, run))


@pytest.fixture(params=[drive_sync, drive_in_loop], ids=["on a thread", "in a loop"])
def drive(request: pytest.FixtureRequest, home: object) -> Drive:
    return request.param


@pytest.fixture
def run(home: object) -> RecordingRun:
    return RecordingRun()


class Question:
    """A request that is answered by a function."""

    def __init__(self, answer: Callable[[Session], Any]) -> None:
        self.answer = answer

    def perform(self, session: Session) -> Any:
        return self.answer(session)


def explode(*_: Any) -> Any:
    raise LookupError("no such thing")


def interrupt(*_: Any) -> Any:
    raise KeyboardInterrupt


# both


def test_a_lifecycle_returns(drive: Drive, run: RecordingRun) -> None:
    def lifecycle() -> Lifecycle[int]:
        yield from emit(TaskNameFact(uuid7(), "x"))
        return 5

    assert drive(lifecycle(), run) == 5


def test_a_lifecycle_that_raises_raises(drive: Drive, run: RecordingRun) -> None:
    def lifecycle() -> Lifecycle[None]:
        yield from emit(TaskNameFact(uuid7(), "x"))
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        drive(lifecycle(), run)


def test_facts_are_emitted_in_order(drive: Drive, run: RecordingRun) -> None:
    facts = [TaskNameFact(uuid7(), str(number)) for number in range(3)]

    def lifecycle() -> Lifecycle[None]:
        yield from emit(facts[0])
        yield from emit(facts[1], durable=True)
        yield from emit(facts[2])

    drive(lifecycle(), run)
    assert isinstance(run.session, RecordingSession)
    assert run.session.facts == facts
    assert run.session.durable == [facts[1]]


def test_what_emitting_raises_is_thrown_in(drive: Drive, run: RecordingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.session, "emit", explode)

    def lifecycle() -> Lifecycle[str]:
        try:
            yield from emit(TaskNameFact(uuid7(), "x"))
        except LookupError as error:
            return str(error)
        return "nothing was raised"

    assert drive(lifecycle(), run) == "no such thing"


@pytest.mark.parametrize("raises", [explode, interrupt])
def test_a_question_is_answered_or_raises(drive: Drive, run: RecordingRun, raises: Callable[..., Any]) -> None:
    def lifecycle() -> Lifecycle[tuple[Any, type[object]]]:
        answer = yield from ask(Question(lambda session: session is run.session))
        try:
            yield from ask(Question(raises))
        except (LookupError, KeyboardInterrupt) as error:
            return answer, type(error)
        return answer, type(None)

    assert drive(lifecycle(), run) == (True, LookupError if raises is explode else KeyboardInterrupt)


def test_a_call_has_an_outcome_whatever_happens(drive: Drive, run: RecordingRun) -> None:
    async def in_loop(value: int) -> int:
        await asyncio.sleep(0)
        return value

    def pair(x: int, y: int) -> tuple[int, int]:
        return x, y

    def stop() -> None:
        raise StopIteration("not the driver's")

    def lifecycle() -> Lifecycle[list[Outcome]]:
        outcomes: list[Outcome] = []
        outcomes.append((yield from call(pair, 1, kwargs={"y": 2})))
        outcomes.append((yield from call(in_loop, 3)))
        outcomes.append((yield from call(lambda: 4, blocking=True)))
        outcomes.append((yield from call(lambda: 5, timeout=60)))
        outcomes.append((yield from call(explode)))
        outcomes.append((yield from call(interrupt)))
        outcomes.append((yield from call(stop)))
        outcomes.append((yield from call(explode, blocking=True)))
        outcomes.append((yield from call(explode, timeout=60)))
        return outcomes

    outcomes: list[Outcome] = drive(lifecycle(), run)
    assert [outcome.value for outcome in outcomes[:4]] == [(1, 2), 3, 4, 5]
    kinds = [LookupError, KeyboardInterrupt, StopIteration, LookupError, LookupError]
    assert [type(outcome.error) for outcome in outcomes[4:]] == kinds
    assert [outcome.interrupt is not None for outcome in outcomes[3:6]] == [False, False, True]


def test_a_call_that_takes_too_long(drive: Drive, run: RecordingRun) -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    def lifecycle() -> Lifecycle[Outcome]:
        return (yield from call(forever, timeout=0.01))

    outcome: Outcome = drive(lifecycle(), run)
    assert isinstance(outcome.error, DeadlineExceeded)
    assert outcome.error.seconds == 0.01


def test_user_code_runs_in_the_context_and_nothing_else_does(drive: Drive, run: RecordingRun) -> None:
    seen: list[Any] = []

    def items() -> Iterator[Any]:
        yield current.get()

    async def items_in_loop() -> AsyncIterator[Any]:
        yield current.get()

    def lifecycle() -> Lifecycle[None]:
        seen.append(current.get())
        seen.append((yield from call(current.get)).value)
        seen.append((yield from call(current.get, blocking=True)).value)
        seen.append((yield from call(current.get, timeout=60)).value)
        generator = items() if drive is drive_sync else items_in_loop()
        seen.append((yield from step(Steps(generator, run.context))).value)
        seen.append(current.get())

    drive(lifecycle(), run)
    assert seen == [None, run.context, run.context, run.context, run.context, None]


def test_a_generator_is_taken_item_by_item(drive: Drive, run: RecordingRun) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("in the middle")

    async def items_in_loop() -> AsyncIterator[int]:
        yield 1
        raise LookupError("in the middle")

    def lifecycle(generator: Any) -> Lifecycle[list[Outcome]]:
        steps = Steps(generator, run.context)
        return [(yield from step(steps)), (yield from step(steps, timeout=60)), (yield from step(steps))]

    first, second, third = drive(lifecycle(items() if drive is drive_sync else items_in_loop()), run)
    assert first.value == 1
    assert isinstance(second.error, LookupError)
    assert isinstance(third.error, (StopIteration, StopAsyncIteration))


def test_items_are_given_only_where_somebody_takes_them(drive: Drive, run: RecordingRun) -> None:
    def lifecycle() -> Lifecycle[str]:
        try:
            yield from give(1)
        except TypeError as error:
            return str(error)
        return "they were given"

    assert drive(lifecycle(), run) == "A run that gives items is driven by who takes them."


def test_a_wait_ends_by_itself_or_is_woken(drive: Drive, home: object) -> None:
    def lifecycle(seconds: float, wake: UUID | None) -> Lifecycle[Outcome]:
        return (yield from sleep(seconds, wake))

    assert drive(lifecycle(0.001, None), RecordingRun()) == Outcome(False)
    woken = RecordingRun(RecordingSession(woken=True))
    assert drive(lifecycle(60.0, uuid7()), woken) == Outcome(True)


def test_a_wait_that_is_interrupted(drive: Drive, run: RecordingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.session, "sleep", interrupt)
    monkeypatch.setattr(run.session, "watch", interrupt)

    def lifecycle() -> Lifecycle[Outcome]:
        return (yield from sleep(0.001))

    assert isinstance(drive(lifecycle(), run).error, KeyboardInterrupt)


def test_a_traceback_begins_where_the_users_code_does(drive: Drive, run: RecordingRun) -> None:
    def inner() -> None:
        raise LookupError

    def outer() -> None:
        inner()

    def lifecycle() -> Lifecycle[list[Outcome]]:
        return [
            (yield from call(outer)),
            (yield from call(outer, timeout=60)),
            (yield from call(outer, blocking=True)),
        ]

    for outcome in drive(lifecycle(), run):
        frames = traceback.extract_tb(outcome.error.__traceback__)
        assert [frame.name for frame in frames if "headrace" not in frame.filename or "tests" in frame.filename] == [
            "outer",
            "inner",
        ]
        assert frames[0].name in {"outer", "run"}


def test_a_session_without_an_orchestrator_says_so(run: RecordingRun) -> None:
    with pytest.raises(errors.UsageError, match="read_flow_run was asked"):
        run.session.gateway.read_flow_run(uuid7())


# on a thread


def test_an_error_without_traceback_stays_without() -> None:
    error = without_driver(LookupError())
    assert error.__traceback__ is None


def test_an_error_that_is_all_the_drivers_keeps_its_traceback(run: RecordingRun) -> None:
    def lifecycle() -> Lifecycle[Outcome]:
        return (yield Call(None))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    outcome = drive_sync(lifecycle(), run)
    assert isinstance(outcome.error, TypeError)
    assert outcome.error.__traceback__ is not None


def test_a_coroutine_is_completed_where_no_loop_runs_and_where_one_does() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    async def within() -> int:
        return complete(work())

    assert complete(work()) == threading.get_ident()
    assert asyncio.run(within()) != threading.get_ident()


def test_what_a_function_in_a_thread_raises_is_raised_here() -> None:
    with pytest.raises(SystemExit):
        in_thread(lambda: (_ for _ in ()).throw(SystemExit(3)))


def test_a_question_is_a_value() -> None:
    assert Ask(Question(explode)) != Ask(Question(explode))
