"""The lower bound of a task: a plain function call."""

from time import perf_counter

from report import TASKS, report


def noop(number):
    return number


def sequence(count):
    begin = perf_counter()
    for number in range(count):
        noop(number)
    return perf_counter() - begin


if __name__ == "__main__":
    report(seconds=sequence(TASKS))
