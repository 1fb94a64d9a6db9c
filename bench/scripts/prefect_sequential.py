"""No-op tasks called in a loop."""

from time import perf_counter

from prefect import flow, task
from prefect.runtime import flow_run
from prefect_readback import measure


@task
def noop(number):
    return number


@flow
def sequence(count):
    begin = perf_counter()
    for number in range(count):
        noop(number)
    return begin, perf_counter(), flow_run.id


if __name__ == "__main__":
    measure(sequence)
