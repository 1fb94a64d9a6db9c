"""A local Ray cluster on two CPUs, warmed up before anything is measured."""

from time import perf_counter

import ray
from report import TASKS, report

WARM_UP = 50


@ray.remote
def noop(number):
    return number


def run_sequence(count: int) -> float:
    begin = perf_counter()
    for number in range(count):
        ray.get(noop.remote(number))
    return perf_counter() - begin


def run_fanout(count: int) -> float:
    begin = perf_counter()
    ray.get([noop.remote(number) for number in range(count)])
    return perf_counter() - begin


def measure(run) -> None:
    """Start the cluster, warm it up, run, and stop it again."""
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    try:
        run(WARM_UP)
        report(seconds=run(TASKS))
    finally:
        ray.shutdown()
