"""Futures: handles on runs that are executing elsewhere."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from headrace.base import errors
from headrace.engine.forks import after_fork
from headrace.engine.places import lending_place
from headrace.schema.state import State, StateType

R = TypeVar("R")
UNFINISHED = State(type=StateType.PENDING)

_telling: threading.Lock
"""Held by who says how a run ended, or is about to wait for it: for a moment, and never while anything of others is called."""


def _renew_lock() -> None:
    global _telling  # noqa: PLW0603 - one per process
    _telling = threading.Lock()


_renew_lock()
after_fork(_renew_lock)


class Future(Generic[R]):
    """A task run that was submitted. Give it to another task as an argument, or ask it for its state or result."""

    __slots__ = ("_state", "_waited_for", "name", "task_run_id")

    def __init__(self, task_run_id: UUID, name: str) -> None:
        self.task_run_id = task_run_id
        self.name = name
        self._state: State | None = None
        self._waited_for: concurrent.futures.Future[State] | None = None
        """Made by the first who has to wait: most runs of many have ended before anybody asks for them."""

    @property
    def state(self) -> State:
        """The final state, or Pending while the run has not ended."""
        return UNFINISHED if self._state is None else self._state

    def attend(self) -> concurrent.futures.Future[State]:
        """See that the end is heard of here, and return what tells of it."""
        if self._waited_for is None:
            made = concurrent.futures.Future[State]()
            with _telling:
                if self._state is not None:
                    made.set_result(self._state)
                if self._waited_for is None:
                    self._waited_for = made
        return self._waited_for

    def done(self) -> bool:
        """Whether the run has ended."""
        return self._state is not None

    def wait(self, timeout: float | None = None) -> None:
        """Block until the run has ended, at most `timeout` seconds."""
        if self._state is None:
            ended = self.attend()
            if not ended.done():
                with lending_place():
                    concurrent.futures.wait([ended], timeout)

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """Block until the run has ended and return its value.

        A run that did not complete raises its exception, or returns it without `raise_on_failure`. Raises `TimeoutError`
        when it has not ended within `timeout` seconds.
        """
        self.wait(timeout)
        if self._state is None:
            raise self._late(timeout)
        return self._state.result(raise_on_failure)

    def _late(self, timeout: float | None) -> TimeoutError:
        return TimeoutError(f"Task run {self.name!r} has not ended within {timeout:g} seconds.")

    def add_done_callback(self, function: Callable[[Future[R]], None]) -> None:
        """Call `function` with this future when the run has ended, on the thread that ended it; at once if it has."""
        self.attend().add_done_callback(lambda _: function(self))

    def end(self, state: State) -> None:
        """Say how the run ended. Whoever says it first is right."""
        with _telling:
            if self._state is not None:
                return
            self._state, waited_for = state, self._waited_for
        if waited_for is not None:
            waited_for.set_result(state)

    async def wait_async(self, timeout: float | None = None) -> None:
        """As `wait`, without blocking the running event loop."""
        import asyncio

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._come(), timeout)

    async def result_async(self, timeout: float | None = None, raise_on_failure: bool = True) -> R:
        """As `result`, without blocking the running event loop."""
        await self.wait_async(timeout)
        if not self.done():
            raise self._late(timeout)
        return self.result(raise_on_failure=raise_on_failure)

    def __await__(self) -> Generator[Any, None, R]:
        yield from self._come().__await__()
        return self.result()

    async def _come(self) -> None:
        """Wait for the end in the running event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

        # An event of the waiter's own: who stops waiting must not cancel the run for everybody else.
        self.attend().add_done_callback(tell)
        with lending_place():
            await ended.wait()

    def __repr__(self) -> str:
        return f"<Future {self.name!r} {self.state}>"


class FutureList(list[Future[R]]):
    """The futures of a `map`."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[R]:
        """The values of all, in order; `timeout` is for all together. Raises as `Future.result` does."""
        self.wait(timeout)
        return [future.result(0 if timeout is not None else None, raise_on_failure) for future in self]

    def wait(self, timeout: float | None = None) -> None:
        """Block until all have ended, at most `timeout` seconds."""
        wait(self, timeout)


class Waited(NamedTuple):
    """What `wait` answers: the futures that have ended and those that have not."""

    done: set[Future[Any]]
    not_done: set[Future[Any]]


def wait(futures: Iterable[Future[Any]], timeout: float | None = None) -> Waited:
    """Block until all futures have ended, at most `timeout` seconds; return (done, not_done)."""
    given = list(futures)
    with lending_place():
        concurrent.futures.wait([future.attend() for future in given], timeout)
    done = {future for future in given if future.done()}
    return Waited(done, set(given) - done)


def as_completed(futures: Iterable[Future[R]], timeout: float | None = None) -> Iterator[Future[R]]:
    """The futures in the order in which their runs end. Raises `TimeoutError` after `timeout` seconds in all."""
    given = {future.attend(): future for future in futures}
    arrivals = concurrent.futures.as_completed(given, timeout)
    while True:
        with lending_place():
            ended = next(arrivals, None)
        if ended is None:
            return
        yield given[ended]


def resolve_futures_to_results(value: Any) -> Any:
    """The value with every future in it replaced by its result, waiting where needed.

    Raises `UpstreamFailed` for one that did not complete.
    """
    return resolve(value)


def resolve_futures_to_states(value: Any) -> Any:
    """The value with every future in it, in lists, tuples, sets and dictionaries, replaced by its final state."""
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Future):
        value.wait()  # pyright: ignore[reportUnknownMemberType]
        return value.state
    if kind is dict:
        return {key: resolve_futures_to_states(item) for key, item in value.items()}
    if kind is FutureList:
        return [resolve_futures_to_states(item) for item in value]
    if kind in (list, tuple):
        return kind(resolve_futures_to_states(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if kind in (set, frozenset):
        return [resolve_futures_to_states(item) for item in value]  # a state is no member of a set
    return value


class Annotation(Generic[R]):
    """Marks an argument; `value` is what was marked."""

    __slots__ = ("value",)

    def __init__(self, value: R) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class unmapped(Annotation[R]):  # noqa: N801 - written like the function it is used as
    """Gives the same value to every call of a `map`, although it could be iterated."""


class allow_failure(Annotation[R]):  # noqa: N801
    """Lets a task run although this upstream task failed; the task then receives the exception."""


class quote(Annotation[R]):  # noqa: N801
    """Keeps a value from being searched for futures."""

    def unquote(self) -> R:
        """The value."""
        return self.value


Upstream = Future[Any] | State | Annotation[Any]
"""What `resolve` puts a value in the place of."""

_LEAVES = frozenset({type(None), bool, int, float, str, bytes, complex})


def find_futures(value: Any, found: list[Upstream] | None = None) -> list[Upstream]:
    """Every future, state and marked argument within a value: itself, or in lists, tuples, sets, dictionaries, at any depth."""
    found = [] if found is None else found
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in _LEAVES:
        return found
    if isinstance(value, (Future, State)):
        found.append(value)  # pyright: ignore[reportUnknownArgumentType]
    elif kind is dict:
        for item in value.values():
            find_futures(item, found)
    elif kind in (list, tuple, set, frozenset) or kind is FutureList:
        for item in value:
            find_futures(item, found)
    elif isinstance(value, Annotation):
        found.append(value)  # pyright: ignore[reportUnknownArgumentType]
        if kind is not quote:
            find_futures(value.value, found)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return found


class UpstreamFailed(errors.RunError):
    """A run this one needs did not complete."""


def resolve(value: Any, tolerant: bool = False) -> Any:
    """The value with every future and state in it replaced by its result, waiting where needed.

    Raises `UpstreamFailed` for one that did not complete, unless it is marked with `allow_failure`.
    """
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in _LEAVES:
        return value
    if isinstance(value, Future):
        value.wait()  # pyright: ignore[reportUnknownMemberType]
        return _open(value.state, value.name, tolerant)
    if isinstance(value, State):
        return _open(value, "an upstream run", tolerant)
    if kind is dict:
        return {key: resolve(item, tolerant) for key, item in value.items()}
    if kind is FutureList:
        return [resolve(item, tolerant) for item in value]
    if kind in (list, tuple, set, frozenset):
        return kind(resolve(item, tolerant) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Annotation):
        if kind is quote:
            return value.value  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return resolve(value.value, tolerant or kind is allow_failure)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return value


def _open(state: State, name: str, tolerant: bool) -> Any:
    if not state.is_completed() and not tolerant:
        raise UpstreamFailed(f"Upstream task run {name!r} did not reach a 'COMPLETED' state.")
    return state.result(raise_on_failure=False)
