"""A few flow runs of the kinds that a history has; the argument is how many. They are the patterns of a longer one."""

import sys

from prefect import flow, task


@task
def noop(number):
    return number


@flow
def nightly(count):
    for number in range(count):
        noop(number)


@flow
def broken(count):
    nightly.fn(count)
    raise ValueError("no rows in the source table")


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        if number % 10 == 9:
            broken(5, return_state=True)
        else:
            nightly(5)
