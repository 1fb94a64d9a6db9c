"""A flow that people deploy and serve: nothing here knows of us."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

import sys
import threading

from prefect import flow, get_run_logger, suspend_flow_run, task


@task(persist_result=True)
def double(x):
    return 2 * x


@flow(log_prints=True, persist_result=True)
def doubling(x: int = 1):
    get_run_logger().info("given %s", x)
    print("doubled", double(x))


@flow(persist_result=True)
def lasting():
    while True:
        threading.Event().wait(0.1)


@flow(persist_result=True)
def halting(x: int = 3):
    once = double(x)
    suspend_flow_run(timeout=600, key="halt")
    return once


if __name__ == "__main__":
    flows = {"doubling": doubling, "lasting": lasting, "halting": halting}
    flows[sys.argv[1]].serve(name="served", print_starting_message=False)
