"""Concurrency limits in code: at most so many at once, in all processes together.

`headrace.concurrency.sync` is for functions, `headrace.concurrency.asyncio` for coroutines; both have the same names. A
limit is made in the API (`/api/v2/concurrency_limits/`); a name without one keeps nobody waiting, unless `strict` says
that it should exist. A limit called `tag:<tag>` is on all task runs of a tag: each waits for its slot before it runs.

Slots are leases. While a block holds them a thread renews them; a call that holds the interpreter for longer than the
lease lasts (five minutes, unless `lease_duration` says otherwise) keeps that thread from its work, and the slots are
lost: the log says so, and with `raise_on_lease_renewal_failure` the block does. When a process dies, its slots are free
again when their lease has run out.
"""

from headrace.connect import open_session
from headrace.engine.opening import set_opener
from headrace.engine.slot_requests import ConcurrencyLeaseHolder

set_opener(open_session)

__all__ = ["ConcurrencyLeaseHolder"]
