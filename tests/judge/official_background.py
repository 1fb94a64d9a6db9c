"""Background tasks of the contract's own client: one that serves them, and one that asks for runs of them."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

import sys
from contextlib import suppress

from prefect import flow, task
from prefect.task_worker import serve


@task
def add(left, right=1):
    return left + right


@task(retries=1)
def refuse(word):
    raise ValueError(word)


@flow
def ask():
    return add.delay(40, right=2).task_run_id


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve(add, refuse, limit=2)
    futures = [add.delay(number) for number in range(5)]
    assert [future.result(timeout=60) for future in futures] == [1, 2, 3, 4, 5]
    refused = refuse.delay("no")
    refused.wait(timeout=60)
    with suppress(ValueError):
        sys.exit(f"It was to be refused: {refused.result(timeout=60)}")
    ask()
