"""Time limits: on the main thread by alarm, elsewhere by an injected exception, and the truth where neither helps."""

from __future__ import annotations

import contextlib
import contextvars
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from headrace.engine import interrupts
from headrace.engine.interrupts import DeadlineExceeded, DeadlineInterrupt, call_within

SOON = 0.05
LIMIT = 60.0


def here(act: Callable[[], Any]) -> Any:
    return act()


def elsewhere(act: Callable[[], Any]) -> Any:
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(act())
        except BaseException as error:  # noqa: BLE001 - to be raised here
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(LIMIT)
    (value,) = outcome
    if isinstance(value, BaseException):
        raise value
    return value


def spin() -> NoReturn:
    while True:
        pass


def wait_long() -> None:
    threading.Event().wait(LIMIT)


@pytest.fixture(autouse=True)
def alarms() -> Iterator[None]:
    """Each test leaves the alarm as it found it."""
    before = signal.getsignal(signal.SIGALRM)
    timer = signal.setitimer(signal.ITIMER_REAL, 0)  # the suite's own limit
    yield
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    signal.setitimer(signal.ITIMER_REAL, *timer)


both = pytest.mark.parametrize("anywhere", [here, elsewhere], ids=["main thread", "another thread"])


@both
def test_code_within_its_limit_returns_what_it_returns(anywhere: Callable[[Callable[[], Any]], Any]) -> None:
    assert anywhere(lambda: call_within(LIMIT, divmod, (7, 2), {})) == (3, 1)
    assert anywhere(lambda: call_within(LIMIT, dict, (), {"a": 1})) == {"a": 1}


@both
def test_code_raises_what_it_raises(anywhere: Callable[[Callable[[], Any]], Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        anywhere(lambda: call_within(LIMIT, divmod, (7, 0), {}))


@both
def test_code_past_its_limit_is_interrupted(anywhere: Callable[[Callable[[], Any]], Any]) -> None:
    with pytest.raises(DeadlineExceeded, match=r"^exceeded its time limit of 0\.05 seconds$") as caught:
        anywhere(lambda: call_within(SOON, spin, (), {}))
    assert caught.value.seconds == SOON
    assert not caught.value.still_running


@both
def test_code_may_clean_up_when_it_is_interrupted(anywhere: Callable[[Callable[[], Any]], Any]) -> None:
    cleaned = threading.Event()

    def untidy() -> None:
        try:
            spin()
        except Exception:  # noqa: BLE001 - must not catch it
            pytest.fail("an interrupt is no error of the code's own")
        finally:
            cleaned.set()

    with pytest.raises(DeadlineExceeded):
        anywhere(lambda: call_within(SOON, untidy, (), {}))
    assert cleaned.is_set()


@both
def test_the_context_goes_with_the_code(anywhere: Callable[[Callable[[], Any]], Any]) -> None:
    run = contextvars.ContextVar[str]("run")

    def act() -> str:
        run.set("flow")
        return call_within(LIMIT, run.get, (), {})

    assert contextvars.copy_context().run(anywhere, act) == "flow"


# the main thread


def test_a_call_that_blocks_is_interrupted_on_the_main_thread() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        call_within(SOON, wait_long, (), {})
    assert not caught.value.still_running


def test_a_limit_that_is_over_before_it_begins_is_exceeded() -> None:
    with pytest.raises(DeadlineExceeded, match="limit of 0 seconds"):
        call_within(0.0, spin, (), {})


def test_the_inner_limit_counts_when_it_is_the_shorter() -> None:
    def outer() -> str:
        with pytest.raises(DeadlineExceeded, match=r"0\.05"):
            call_within(SOON, spin, (), {})
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        return "went on"

    assert call_within(LIMIT, outer, (), {}) == "went on"


def test_the_outer_limit_counts_when_it_is_the_shorter() -> None:
    def outer() -> None:
        call_within(LIMIT, spin, (), {})

    with pytest.raises(DeadlineExceeded, match=r"0\.05"):
        call_within(SOON, outer, (), {})


def test_the_outer_limit_goes_on_after_the_inner() -> None:
    def outer() -> None:
        with contextlib.suppress(DeadlineExceeded):
            call_within(SOON, spin, (), {})
        spin()

    with pytest.raises(DeadlineExceeded, match=r"0\.2"):
        call_within(4 * SOON, outer, (), {})


def test_an_interrupt_meant_for_others_is_passed_on() -> None:
    def stop() -> NoReturn:
        raise DeadlineInterrupt

    with pytest.raises(DeadlineInterrupt):
        call_within(LIMIT, stop, (), {})


def test_an_alarm_that_comes_late_is_nothing() -> None:
    handler: Any = call_within(LIMIT, signal.getsignal, (signal.SIGALRM,), {})
    assert handler(signal.SIGALRM, None) is None


def test_code_that_goes_on_in_spite_of_its_interrupt_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "AGAIN", SOON)
    heard: list[BaseException] = []

    def stubborn() -> None:
        try:
            spin()
        except DeadlineInterrupt as interrupt:
            heard.append(interrupt)
        spin()

    with pytest.raises(DeadlineExceeded):
        call_within(SOON, stubborn, (), {})
    assert len(heard) == 1


def test_a_system_without_alarms_limits_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer")
    seen = call_within(LIMIT, threading.current_thread, (), {})
    monkeypatch.undo()
    assert seen.name == "headrace-limited"


# other threads


def test_code_that_cannot_be_interrupted_is_left_behind_and_told() -> None:
    # In a process of its own: CPython 3.11 under a tracer (coverage) livelocks while an interrupt waits to be heard.
    code = """
import threading
from headrace.engine import interrupts
interrupts.GRACE = 0.01
release = threading.Lock()
release.acquire()
def limit():
    try:
        interrupts.call_within(0.05, release.acquire, (), {})
    except interrupts.DeadlineExceeded as error:
        print(error.still_running, error)
thread = threading.Thread(target=limit)
thread.start()
thread.join()
"""
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=untraced, capture_output=True, text=True, check=True, timeout=60)
    told = DeadlineExceeded(0.05, still_running=True)
    assert run.stdout == f"True {told}\n"
    assert "could not be interrupted and is still running in its thread" in run.stdout


def test_nested_limits_hold_on_other_threads() -> None:
    def outer() -> str:
        with pytest.raises(DeadlineExceeded, match=r"0\.05"):
            call_within(SOON, spin, (), {})
        return "went on"

    assert elsewhere(lambda: call_within(LIMIT, outer, (), {})) == "went on"


def test_code_that_has_just_ended_is_not_interrupted() -> None:
    limited = interrupts._Limited(lambda: 3)  # pyright: ignore[reportPrivateUsage]
    assert limited.ended.wait(LIMIT)
    assert not limited.interrupt()
    assert limited.value == 3
