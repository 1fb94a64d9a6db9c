"""How long each task of a flow takes whose end is waited for until it is in the database."""

from statistics import median, quantiles
from time import perf_counter

from report import TASKS, report

from headrace import flow, task


@task(durable=True)
def noop(number):
    return number


@flow
def sequence(count):
    waits = []
    for number in range(count):
        begin = perf_counter()
        noop(number)
        waits.append(perf_counter() - begin)
    return waits


if __name__ == "__main__":
    waits = sequence(TASKS)
    report(seconds=sum(waits), p50=median(waits), p99=quantiles(waits, n=100)[-1])
