"""A scheduler that looks again and again, until it is killed: `python tests/chaos/schedulers.py URL [BUG]`."""

import sys
from typing import Any

from headrace.base.ids import uuid7
from headrace.orchestration.loops import scheduler
from headrace.storage.databases import open_database


def forget_keys() -> None:
    """A slot is known by something that is different each time."""
    describe = scheduler.describe_run

    def describe_anew(*what: Any) -> Any:
        request, origin = describe(*what)
        request.idempotency_key = f"{uuid7()} {request.idempotency_key}"
        return request, origin

    scheduler.describe_run = describe_anew


if __name__ == "__main__":
    if sys.argv[2:] == ["forgets-keys"]:
        forget_keys()
    with open_database(sys.argv[1]) as database:
        loop = scheduler.Scheduler(database)
        while True:
            loop.look()
