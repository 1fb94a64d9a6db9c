"""The six commands a lifecycle yields, and what it is sent for each.

A lifecycle is a plain generator: it decides, a driver does. It yields

* `Ask`    something outside that needs an answer; sent the answer, or thrown the error the request raised
* `Call`   user code; sent an `Outcome`, never thrown anything
* `Next`   one step of a user's generator; sent an `Outcome`, whose error is `StopIteration` or `StopAsyncIteration` at the end
* `Give`   an item for whoever iterates over the run; sent an `Outcome`: what they sent, threw, or that they closed it
* `Sleep`  wait, or be woken; sent an `Outcome` whose value says whether it was woken
* `Emit`   a fact for the journal; sent nothing

Each has a helper here that gives the answer its type: `decision = yield from ask(Propose(...))`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID

from msgspec import Struct

from headrace.engine.steps import Steps
from headrace.rules.transitions import ENDING
from headrace.schema.fact import Fact
from headrace.schema.state import StateType

if TYPE_CHECKING:
    from headrace.engine.session import Session

T = TypeVar("T")
Answer_co = TypeVar("Answer_co", covariant=True)


class Outcome(Struct, frozen=True):
    """How a piece of user code ended: with a value, or with any exception at all."""

    value: Any = None
    error: BaseException | None = None

    @property
    def interrupt(self) -> BaseException | None:
        """What ended it from outside (interrupt, exit, cancellation); None when it ended by itself."""
        return None if isinstance(self.error, Exception) else self.error


class Request(Protocol[Answer_co]):
    """Something to ask of the session: a gateway verb, or the result store."""

    def perform(self, session: Session) -> Answer_co:
        """Do it, blocking, and return the answer."""
        ...


class Ask(Struct, frozen=True):
    """Needs an answer before the lifecycle can go on."""

    request: Request[Any]


class Call(Struct, frozen=True):
    """Runs user code in the run's context.

    `timeout` is in seconds. A coroutine it returns is awaited by the asynchronous driver. `blocking` says that the code
    may wait for other threads: in a loop it is then run beside the loop.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None
    timeout: float | None = None
    blocking: bool = False


class Next(Struct, frozen=True):
    """Takes one step of a user's generator in the run's context: sends it the value, or throws the error into it.

    A `GeneratorExit` closes it. `timeout` is in seconds.
    """

    steps: Steps
    value: Any = None
    error: BaseException | None = None
    timeout: float | None = None


class Give(Struct, frozen=True):
    """Hands an item to whoever iterates over the run. The outcome's error is a `GeneratorExit` when they want no more."""

    item: Any


class Sleep(Struct, frozen=True):
    """Waits `delay` seconds, less when the flow run `wake` comes to be in one of the states `until` (is cancelled, by default),
    or when the request for slots `turn` is called.

    Only the state counts as being woken.
    """

    delay: float
    wake: UUID | None = None
    turn: UUID | None = None
    until: frozenset[StateType] = ENDING


class Emit(Struct, frozen=True):
    """Journals a fact. `durable` waits until the fact, and all before it, are stored."""

    fact: Fact
    durable: bool = False


Command = Ask | Call | Next | Give | Sleep | Emit
Lifecycle = Generator[Command, Any, T]


def ask(request: Request[T]) -> Lifecycle[T]:
    """Ask, and return the answer. What the request raises is raised here."""
    return cast("T", (yield Ask(request)))


def call(
    function: Callable[..., Any],
    *args: Any,
    timeout: float | None = None,
    blocking: bool = False,
    kwargs: Mapping[str, Any] | None = None,
) -> Lifecycle[Outcome]:
    """Run user code and return how it ended."""
    return cast("Outcome", (yield Call(function, args, kwargs, timeout, blocking)))


def step(
    steps: Steps, value: Any = None, error: BaseException | None = None, timeout: float | None = None
) -> Lifecycle[Outcome]:
    """Take one step of a user's generator and return how that went."""
    return cast("Outcome", (yield Next(steps, value, error, timeout)))


def give(item: Any) -> Lifecycle[Outcome]:
    """Hand an item to whoever iterates and return what they did."""
    return cast("Outcome", (yield Give(item)))


def sleep(
    delay: float, wake: UUID | None = None, turn: UUID | None = None, until: frozenset[StateType] = ENDING
) -> Lifecycle[Outcome]:
    """Wait; the outcome's value is true when `wake` came to be in a state of `until`, its error is set when interrupted."""
    return cast("Outcome", (yield Sleep(delay, wake, turn, until)))


def emit(fact: Fact, durable: bool = False) -> Lifecycle[None]:
    """Journal a fact."""
    yield Emit(fact, durable)
