"""What a user of the contract's own client writes: nothing here knows of us."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

import sys

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact

tries = []


@task
def extract(day):
    get_run_logger().info("reading %s", day)
    return [1, 2, 3]


@task(retries=1, retry_delay_seconds=0.1)
def flaky(rows):
    tries.append(1)
    if len(tries) == 1:
        raise ValueError("not yet")
    return sum(rows)


@task
def load(total):
    return total


@flow
def publish(total):
    return load(total)


@flow(log_prints=True)
def etl(day: str = "monday"):
    total = flaky(extract(day))
    print("total is", total)
    publish(total)
    create_markdown_artifact(key="report", markdown=f"# {total}", description="the sum")
    return total


if __name__ == "__main__":
    sys.exit(0 if etl() == 6 else 1)
