"""No-op tasks submitted at once to the thread runner."""

from time import perf_counter

from prefect import flow, task
from prefect.runtime import flow_run
from prefect_readback import measure


@task
def noop(number):
    return number


@flow
def fanout(count):
    begin = perf_counter()
    futures = [noop.submit(number) for number in range(count)]
    for future in futures:
        future.result()
    return begin, perf_counter(), flow_run.id


if __name__ == "__main__":
    measure(fanout)
