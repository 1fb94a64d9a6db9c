from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from headrace.base import errors
from headrace.engine import futures
from headrace.engine.futures import (
    Future,
    FutureList,
    UpstreamFailed,
    allow_failure,
    as_completed,
    find_futures,
    quote,
    resolve,
    unmapped,
    wait,
)
from headrace.schema.state import State, StateType
from headrace.states import Completed, Failed

LIMIT = 30


def pending(name: str = "load") -> Future[Any]:
    return Future(uuid4(), name)


def ended(value: Any = 1) -> Future[Any]:
    future = pending()
    future.end(Completed(data=value))
    return future


def failed(error: BaseException | None = None) -> Future[Any]:
    future = pending("broken")
    future.end(Failed(data=error or ValueError("no such file")))
    return future


def meanwhile(act: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


# one future


def test_a_future_is_pending_until_its_run_has_ended() -> None:
    future = pending()
    assert not future.done()
    assert future.state.type is StateType.PENDING
    assert repr(future) == "<Future 'load' Pending()>"
    future.end(Completed(data=3))
    assert future.done()
    assert future.state.is_completed()
    assert repr(future) == "<Future 'load' Completed()>"


def test_a_run_ends_once() -> None:
    future = ended(1)
    future.end(Completed(data=2))
    assert future.result() == 1


def test_who_attends_is_told_whether_the_run_ends_before_or_after() -> None:
    early = pending()
    attended = early.attend()
    assert early.attend() is attended
    assert not attended.done()
    early.end(Completed(data=3))
    assert attended.result(0) is early.state
    late = ended()
    assert late.attend().result(0) is late.state


def test_those_who_attend_at_once_wait_for_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """What another thread does before this one has its turn."""

        def __enter__(self) -> None:
            monkeypatch.undo()
            attended.append(future.attend())

        def __exit__(self, *_: object) -> None: ...

    future, attended = pending(), list[Any]()
    monkeypatch.setattr(futures, "_telling", Other())
    assert [future.attend()] == attended


def test_a_forked_child_waits_for_nobody_who_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Lock()
    held.acquire()
    monkeypatch.setattr(futures, "_telling", held)
    futures._renew_lock()  # pyright: ignore[reportPrivateUsage]
    assert ended(5).result() == 5


def test_a_result_is_waited_for() -> None:
    future = pending()
    thread = meanwhile(lambda: future.end(Completed(data=3)))
    assert future.result(LIMIT) == 3
    thread.join(LIMIT)


def test_a_result_that_is_late_is_named() -> None:
    with pytest.raises(TimeoutError, match=r"Task run 'load' has not ended within 0\.01 seconds"):
        pending().result(0.01)


def test_a_failure_is_raised_or_returned() -> None:
    with pytest.raises(ValueError, match="no such file"):
        failed().result()
    assert isinstance(failed().result(raise_on_failure=False), ValueError)


def test_waiting_ends_with_the_run_or_the_limit() -> None:
    future = pending()
    future.wait(0.01)
    assert not future.done()
    thread = meanwhile(lambda: future.end(Completed()))
    future.wait(LIMIT)
    assert future.done()
    thread.join(LIMIT)


def test_callbacks_are_given_the_future() -> None:
    future, told = pending(), list[Future[Any]]()
    future.add_done_callback(told.append)
    assert not told
    future.end(Completed())
    future.add_done_callback(told.append)
    assert told == [future, future]


# in a loop


def test_a_future_can_be_awaited() -> None:
    async def flow() -> Any:
        future = pending()
        thread = meanwhile(lambda: future.end(Completed(data=3)))
        value = await asyncio.wait_for(future, LIMIT)
        thread.join(LIMIT)
        return value, await ended(4)

    assert asyncio.run(flow()) == (3, 4)


def test_awaiting_a_failure_raises_it() -> None:
    async def flow() -> None:
        await failed()

    with pytest.raises(ValueError, match="no such file"):
        asyncio.run(flow())


def test_who_stops_waiting_does_not_cancel_the_run() -> None:
    future = pending()

    async def flow() -> Any:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 0.01)
        assert not future.done()
        future.end(Completed(data=3))
        return await future

    assert asyncio.run(flow()) == 3


def test_a_run_may_end_after_the_loop_that_waited_for_it(caplog: pytest.LogCaptureFixture) -> None:
    future = pending()

    async def flow() -> None:
        await asyncio.wait_for(future, 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(flow())
    future.end(Completed(data=3))
    assert future.result() == 3
    assert not caplog.records


# several


def test_waiting_for_several_tells_those_that_have_ended() -> None:
    one, other = ended(), pending()
    done, not_done = wait([one, other], 0.01)
    assert (done, not_done) == ({one}, {other})
    assert wait([one], None).done == {one}
    assert wait(iter([])) == (set(), set())


def test_futures_come_in_the_order_in_which_they_end() -> None:
    first, second = pending(), pending()
    second.end(Completed())
    coming = as_completed([first, second], LIMIT)
    assert next(coming) is second
    first.end(Completed())
    assert next(coming) is first
    assert next(coming, None) is None


def test_those_that_do_not_come_in_time_are_told() -> None:
    with pytest.raises(TimeoutError):
        list(as_completed([pending()], 0.01))


def test_a_list_of_futures_gives_all_results_in_order() -> None:
    futures = FutureList([ended(1), ended(2)])
    assert futures.result() == futures.result(LIMIT) == [1, 2]
    assert isinstance(FutureList([ended(), failed()]).result(raise_on_failure=False)[1], ValueError)
    with pytest.raises(TimeoutError, match="'load'"):
        FutureList([ended(), pending()]).result(0.01)


# within arguments


def test_upstreams_are_found_at_any_depth() -> None:
    futures = [pending() for _ in range(6)]
    one, two, three, four, five, six = futures
    state = Completed()
    given = {"a": [one, (two, {three})], "b": FutureList([four]), "c": {"d": state}, "e": 3, "f": object()}
    assert find_futures(given) == [one, two, three, four, state]
    assert find_futures(frozenset({five})) == [five]
    assert find_futures(six) == [six]
    assert find_futures("text") == []


def test_what_is_marked_is_found_and_so_is_what_is_in_it() -> None:
    future = pending()
    tolerated, hidden = allow_failure([future]), quote([future])
    assert find_futures([tolerated, hidden]) == [tolerated, future, hidden]


def test_upstreams_give_way_to_their_values() -> None:
    given = {
        "a": [ended(1), (ended(2), {ended(3)}, frozenset({ended(4)}))],
        "b": FutureList([ended(5)]),
        "c": Completed(data=6),
        "d": 7,
    }
    assert resolve(given) == {"a": [1, (2, {3}, frozenset({4}))], "b": [5], "c": 6, "d": 7}
    other = object()
    assert resolve(other) is other


def test_resolving_waits() -> None:
    future = pending()
    thread = meanwhile(lambda: future.end(Completed(data=3)))
    assert resolve([future]) == [3]
    thread.join(LIMIT)


@pytest.mark.parametrize("state", [Failed(), State(type=StateType.CANCELLED), State(type=StateType.CRASHED)])
def test_an_upstream_that_did_not_complete_is_named(state: State) -> None:
    future = pending("load")
    future.end(state)
    with pytest.raises(UpstreamFailed, match="Upstream task run 'load' did not reach a 'COMPLETED' state"):
        resolve({"a": [future]})
    with pytest.raises(UpstreamFailed, match="'an upstream run'"):
        resolve([state])
    with pytest.raises(errors.RunError):
        resolve(unmapped(future))


def test_a_failure_that_is_allowed_is_given_instead_of_the_value() -> None:
    error = ValueError("no such file")
    assert resolve(allow_failure(failed(error))) is error
    assert resolve([allow_failure([failed(error), ended(2)]), 3]) == [[error, 2], 3]
    assert resolve(allow_failure(unmapped(failed(error)))) is error


def test_what_is_quoted_is_left_as_it_is() -> None:
    inner = [failed()]
    assert resolve({"a": quote(inner)}) == {"a": inner}
    assert quote(inner).unquote() is inner


def test_what_is_marked_shows_how() -> None:
    assert repr(unmapped(allow_failure(quote(3)))) == "unmapped(allow_failure(quote(3)))"
    assert resolve(unmapped([ended(3)])) == [3]
