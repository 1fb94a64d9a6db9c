"""No-op tasks called in a loop; with the argument `durable` each waits for its acknowledgement."""

import sys
from time import perf_counter

from headrace_readback import measure

from headrace import flow, task


@task(durable="durable" in sys.argv)
def noop(number):
    return number


@flow
def sequence(count):
    begin = perf_counter()
    for number in range(count):
        noop(number)
    return begin, perf_counter()


if __name__ == "__main__":
    measure(sequence)
