"""How slots are waited for, taken and given back. No I/O: see `commands`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from headrace.base import clock
from headrace.base.errors import (
    AcquireConcurrencySlotTimeoutError,
    CancelledRun,
    ConcurrencySlotAcquisitionError,
    Unavailable,
)
from headrace.engine.commands import Ask, Lifecycle, ask, sleep
from headrace.engine.context import RunContext, current_run
from headrace.engine.requests import GiveSlotsBack, LeaveLine, TakeSlots
from headrace.engine.slots import Lease
from headrace.schema.orchestration import SlotGrant, SlotRequest

if TYPE_CHECKING:
    from headrace.engine.session import Session

PATIENCE = 10.0
"""Seconds after which is asked again where nobody said when to."""

BRIEF = 0.1
"""Seconds that one waits for others of this process, who may be about to get their slots, without telling of it."""

OUTAGE = 1.0
"""Seconds after which an orchestrator that did not answer is asked again."""


class SlotWish(Struct, frozen=True):
    """Which slots are wanted, and for how long they are waited for. `wake` is the flow run that waits.

    `timeout` is in seconds; `retries` is how often is asked again. None for as long, or as often, as it takes.
    """

    request: SlotRequest
    timeout: float | None = None
    retries: int | None = None
    strict: bool = False
    wake: UUID | None = None

    def __str__(self) -> str:
        names = ", ".join(map(repr, self.request.names))
        return f"{self.request.occupy} slots of {names}" if self.request.occupy > 1 else f"a slot of {names}"


class Hold:
    """Slots from before they are asked for until they are given back: `lease` while they are had.

    It is also what a driver must know of a lifecycle that belongs to no run: its session.
    """

    __slots__ = ("lease", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lease: Lease | None = None

    @property
    def context(self) -> RunContext:
        """The run that takes the slots. Raises `MissingContextError` where there is none: no user code is called here."""
        return current_run()

    def drop(self) -> None:
        """Let the slots run out by themselves."""
        lease, self.lease = self.lease, None
        if lease is not None:
            self.session.slots.drop(lease)


def take_slots(
    hold: Hold, wish: SlotWish, when_waiting: Callable[[], Lifecycle[None]] | None = None
) -> Lifecycle[None]:
    """Take the slots, waiting for them in line; `when_waiting` is told once if they are not free at once.

    Raises `ConcurrencySlotAcquisitionError` when they could not be had, `AcquireConcurrencySlotTimeoutError` when not in
    time, and `CancelledRun` when the flow run that waits was cancelled. Then the place in line is given up.
    """
    session, request = hold.session, wish.request
    waiting = _Waiting(wish, when_waiting)
    try:
        if request.queue and wish.retries is None:
            yield from _come_to_the_front(session, waiting)
        yield from _ask(hold, waiting)
    except GeneratorExit:
        raise
    except BaseException:
        hold.drop()
        yield Ask(LeaveLine(request.request_id))
        raise
    finally:
        session.lines.leave(request.names, request.request_id)
        session.live.forget(request.request_id)


def give_slots_back(hold: Hold) -> Lifecycle[None]:
    """Give back the slots that are held, if any are."""
    if hold.lease is not None:
        yield Ask(GiveSlotsBack(hold.lease))
        hold.lease = None


class _Waiting:
    """A wait that is bounded and told once."""

    def __init__(self, wish: SlotWish, tell: Callable[[], Lifecycle[None]] | None) -> None:
        self.wish = wish
        self.deadline = None if wish.timeout is None else clock.monotonic() + wish.timeout
        self._tell = tell

    def pause(self, seconds: float, told: bool = True) -> Lifecycle[None]:
        """Wait until it may be this one's turn, `seconds` at most."""
        wish = self.wish
        if self.deadline is not None:
            left = self.deadline - clock.monotonic()
            if left <= 0:
                raise AcquireConcurrencySlotTimeoutError(f"There was no room for {wish} within {wish.timeout:g} s.")
            seconds = min(seconds, left)
        if told and self._tell is not None:
            yield from self._tell()
            self._tell = None
        outcome = yield from sleep(seconds, wish.wake, wish.request.request_id)
        if outcome.error is not None:
            raise outcome.error
        if outcome.value:
            raise CancelledRun(f"The flow run was cancelled while it waited for {wish}.")


def _come_to_the_front(session: Session, waiting: _Waiting) -> Lifecycle[None]:
    """Wait until nobody else of this process stands in line for the same slots."""
    request = waiting.wish.request
    session.live.prepare(request.request_id)
    brief = True
    while not session.lines.stand(request.names, request.request_id):
        yield from waiting.pause(BRIEF if brief else PATIENCE, told=not brief)
        brief = False


def _ask(hold: Hold, waiting: _Waiting) -> Lifecycle[None]:
    wish = waiting.wish
    patient = waiting.deadline is None
    retries = 0
    while True:
        pause = OUTAGE
        try:
            grant = yield from ask(TakeSlots(wish.request, hold, patient))
        except Unavailable:
            if patient:
                raise
        else:
            if wish.strict:
                yield from _refuse_missing(hold, wish.request, grant)
            if grant.lease_id is not None:
                return
            if wish.retries is not None and retries >= wish.retries:
                asked = f"{retries + 1} times" if retries else "once"
                raise ConcurrencySlotAcquisitionError(f"There was no room for {wish}, asked {asked}.")
            pause = PATIENCE if grant.retry_after is None else grant.retry_after
        yield from waiting.pause(pause)
        retries += 1


def _refuse_missing(hold: Hold, request: SlotRequest, grant: SlotGrant) -> Lifecycle[Any]:
    missing = sorted({*request.names} - {*grant.names})
    if missing:
        yield from give_slots_back(hold)
        names = ", ".join(map(repr, missing))
        raise ConcurrencySlotAcquisitionError(f"There is no active concurrency limit called {names}.")
