"""The task runners that execute in other processes, small and on this machine, and cases that are played on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headrace.task_runners import ProcessPoolTaskRunner, TaskRunner
from tests.semantics.sdk import Sdk

Make = Callable[[], TaskRunner]
"""Makes a runner that uses what has been started; it may be sent to other processes."""

LIBRARIES = {"dask": "distributed", "ray": "ray"}


class SdkOn(Sdk):
    """Headrace, where every flow has this runner, whichever the case gives it."""

    def __init__(self, folder: Path, make_runner: Make) -> None:
        super().__init__("headrace", folder)
        self._make_runner = make_runner

    def flow(self, *args: Any, **options: Any) -> Any:
        """The decorator of this name."""
        return self.__getattr__("flow")(*args, **{**options, "task_runner": self._make_runner()})


@contextmanager
def _processes() -> Generator[Make]:
    yield partial(ProcessPoolTaskRunner, max_workers=2)


@contextmanager
def _dask() -> Generator[Make]:
    distributed: Any = import_module("distributed")
    dask: Any = import_module("headrace.integrations.dask")
    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster:
        yield partial(dask.DaskTaskRunner, address=cluster.scheduler_address)


@contextmanager
def _ray() -> Generator[Make]:
    ray: Any = import_module("ray")
    runner: Any = import_module("headrace.integrations.ray").RayTaskRunner
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": False, "log_to_driver": False}
    ray.init(address="local", _node_ip_address="127.0.0.1", **small)
    try:
        yield runner
    finally:
        ray.shutdown()


STARTS: Mapping[str, Callable[[], Any]] = {"processes": _processes, "dask": _dask, "ray": _ray}


def is_missing(runner: str) -> str | None:
    """The library that a runner needs and that is not installed."""
    library = LIBRARIES.get(runner)
    return library if library is not None and find_spec(library) is None else None
