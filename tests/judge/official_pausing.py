"""A flow of the contract's own client that waits in its middle."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

import sys

from prefect import flow, task


@task
def step(number):
    return number


@flow
def steps():
    for number in range(3):
        step(number)
    print("half", flush=True)
    sys.stdin.readline()
    for number in range(3, 6):
        step(number)


if __name__ == "__main__":
    steps()
