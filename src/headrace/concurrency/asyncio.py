"""Concurrency limits for coroutines. See `headrace.concurrency`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

from headrace.base.errors import ConcurrencySlotLost
from headrace.concurrency import ConcurrencyLeaseHolder
from headrace.engine.here import session_here
from headrace.engine.loop import drive_async
from headrace.engine.slot_lifecycle import Hold, give_slots_back, take_slots
from headrace.engine.slot_requests import make_wish

__all__ = ["concurrency", "rate_limit"]


@asynccontextmanager
async def concurrency(
    names: str | Sequence[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300.0,
    strict: bool = False,
    holder: ConcurrencyLeaseHolder | None = None,
    raise_on_lease_renewal_failure: bool | None = None,
) -> AsyncGenerator[None]:
    """Hold `occupy` slots of each limit named for the length of the block, waiting until all of them are free.

    Whoever came first is served first. `timeout_seconds` bounds the wait, `max_retries` how often is asked again; then
    `AcquireConcurrencySlotTimeoutError` or `ConcurrencySlotAcquisitionError` is raised. With `strict` a name without an
    active limit is an error.
    `lease_duration`: after so many seconds the slots of a process that died are free. `holder` says who holds them, if it
    is not the run this is called in. With `raise_on_lease_renewal_failure` (by default: what `strict` says) the block
    ends with `ConcurrencySlotLost` when the lease could not be renewed in time, at its
    next `await`.
    """
    wish = make_wish(
        names, occupy, timeout_seconds, strict, duration=lease_duration, max_retries=max_retries, holder=holder
    )
    hold = Hold(session_here())
    must_hold = strict if raise_on_lease_renewal_failure is None else raise_on_lease_renewal_failure
    try:
        await drive_async(take_slots(hold, wish), hold)
        lease = hold.lease
        limit = asyncio.timeout(None)
        if must_hold and lease is not None:
            loop = asyncio.get_running_loop()

            def interrupt() -> None:
                with suppress(RuntimeError):  # the loop is closed, or the block has ended
                    loop.call_soon_threadsafe(_expire, limit)

            lease.on_loss = interrupt
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
    except GeneratorExit:  # nobody will ever go on with this coroutine
        hold.drop()
        raise
    finally:
        await drive_async(give_slots_back(hold), hold)
    if must_hold and lease is not None and lease.lost:
        raise ConcurrencySlotLost(f"The lease on {wish} ran out while the block was executing.")


def _expire(limit: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # the block has ended
        limit.reschedule(asyncio.get_running_loop().time())


async def rate_limit(
    names: str | Sequence[str], occupy: int = 1, timeout_seconds: float | None = None, strict: bool = False
) -> None:
    """Take `occupy` slots of each limit named, whose slots come back by themselves at `slot_decay_per_second`, waiting
    until there are so many. Raises `InvalidRequest` for a limit whose slots do not; otherwise as `concurrency`.
    """
    hold = Hold(session_here())
    await drive_async(take_slots(hold, make_wish(names, occupy, timeout_seconds, strict, mode="rate_limit")), hold)
