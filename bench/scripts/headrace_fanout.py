"""No-op tasks submitted at once; with the argument `durable` each waits for its acknowledgement."""

import sys
from time import perf_counter

from headrace_readback import measure

from headrace import flow, task


@task(durable="durable" in sys.argv)
def noop(number):
    return number


@flow
def fanout(count):
    begin = perf_counter()
    futures = [noop.submit(number) for number in range(count)]
    for future in futures:
        future.result()
    return begin, perf_counter()


if __name__ == "__main__":
    measure(fanout)
