"""A local Dask cluster of two processes, warmed up before anything is measured."""

from time import perf_counter

from distributed import Client, LocalCluster
from report import TASKS, report

WARM_UP = 50


def noop(number):
    return number


def run_sequence(client, count: int) -> float:
    begin = perf_counter()
    for number in range(count):
        client.submit(noop, number, pure=False).result()
    return perf_counter() - begin


def run_fanout(client, count: int) -> float:
    begin = perf_counter()
    client.gather([client.submit(noop, number, pure=False) for number in range(count)])
    return perf_counter() - begin


def measure(run) -> None:
    """Start the cluster, warm it up, run, and stop it again."""
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None)
    with cluster, Client(cluster) as client:
        run(client, WARM_UP)
        report(seconds=run(client, TASKS))
