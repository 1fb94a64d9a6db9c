"""How runners on clusters are made, without any cluster: what does not fit is refused in one line."""

from __future__ import annotations

import importlib
import importlib.util
from concurrent.futures import CancelledError
from concurrent.futures import Future as Expected
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.base.errors import ConfigurationError, UsageError
from headrace.integrations.dask import DaskTaskRunner
from headrace.integrations.ray import RayTaskRunner
from headrace.task_runners import RemoteTaskRunner, WorkerDied

LIMIT = 60


def nothing_found(_name: str) -> None:
    """No library is installed."""


@pytest.mark.parametrize(
    "options", [{"cluster_class": "a.B"}, {"cluster_kwargs": {"n_workers": 1}}, {"adapt_kwargs": {"maximum": 2}}]
)
def test_a_dask_runner_is_given_a_cluster_or_how_to_make_one(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="either the address of a cluster or how to make one"):
        DaskTaskRunner(address="tcp://127.0.0.1:1", **options)


@pytest.mark.parametrize(
    ("kind", "module", "extra"), [(DaskTaskRunner, "distributed", "dask"), (RayTaskRunner, "ray", "ray")]
)
def test_without_the_library_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: type[RemoteTaskRunner], module: str, extra: str
) -> None:
    monkeypatch.setattr(f"{kind.__module__}.find_spec", nothing_found)
    with pytest.raises(UsageError, match=rf"pip install 'headrace\[{extra}\]'"):
        kind()


def test_a_duplicate_is_given_what_its_pattern_was_given() -> None:
    dask = DaskTaskRunner(
        cluster_class="a.B", cluster_kwargs={"x": 1}, adapt_kwargs={"maximum": 2}, client_kwargs={"name": "c"}
    ).duplicate()
    assert (dask.address, dask.cluster_class, dask.cluster_kwargs) == (None, "a.B", {"x": 1})
    assert (dask.adapt_kwargs, dask.client_kwargs) == ({"maximum": 2}, {"name": "c"})
    if importlib.util.find_spec("ray") is not None:
        ray = RayTaskRunner(address="ray://here", init_kwargs={"namespace": "n"}).duplicate()
        assert (ray.address, ray.init_kwargs) == ("ray://here", {"namespace": "n"})


@pytest.mark.parametrize("path", ["nowhere.at.all", "headrace.NoCluster", "Cluster", ""])
def test_a_cluster_class_that_does_not_exist_is_named(path: str) -> None:
    runner = DaskTaskRunner(cluster_class=path or "")
    runner.cluster_class = path
    with pytest.raises(ConfigurationError, match=f"There is no cluster class '{path}'"):
        runner.setup()


class Cluster:
    """What a runner asks of a cluster that it makes."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.asked: list[Any] = []
        clusters.append(self)

    def adapt(self, **options: Any) -> None:
        self.asked.append(options)

    def close(self) -> None:
        self.asked.append("close")


clusters: list[Cluster] = []


def test_a_cluster_that_cannot_be_connected_to_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError("nobody there")

    monkeypatch.setattr("distributed.Client", refuse)
    clusters.clear()
    runner = DaskTaskRunner(cluster_class=Cluster, cluster_kwargs={"size": 3}, adapt_kwargs={"maximum": 2})
    with pytest.raises(ConfigurationError, match="cannot be reached: nobody there"):
        runner.setup()
    (cluster,) = clusters
    assert cluster.options == {"size": 3}
    assert cluster.asked == [{"maximum": 2}, "close"]
    runner.stop(wait=True)


class Task:
    """A future of Dask's, which has ended."""

    def __init__(self, ending: Any) -> None:
        self.ending = ending

    def result(self) -> Any:
        if isinstance(self.ending, BaseException):
            raise self.ending
        return self.ending

    def add_done_callback(self, function: Any) -> None:
        function(self)


class Client:
    """A client of Dask's whose tasks end like this at once."""

    def __init__(self, ending: Any) -> None:
        self.ending = ending

    def submit(self, function: Any, parcel: bytes, key: str, pure: bool) -> Task:
        assert key.startswith("name-")
        return Task(self.ending)


def dask_ending(ending: Any) -> Expected[bytes]:
    runner = DaskTaskRunner()
    runner._client = Client(ending)  # pyright: ignore[reportPrivateUsage]
    return runner.send(b"parcel", "name")


def test_what_dask_answers() -> None:
    scheduler: Any = importlib.import_module("distributed.scheduler")
    worker: Any = SimpleNamespace(address="tcp://127.0.0.1:1")
    assert dask_ending(b"answer").result(LIMIT) == b"answer"
    with pytest.raises(WorkerDied, match="Dask has given up on it: ") as killed:
        dask_ending(scheduler.KilledWorker("key", worker, 3)).result(LIMIT)
    assert killed.value.final
    with pytest.raises(CancelledError):
        dask_ending(CancelledError()).result(LIMIT)
    with pytest.raises(LookupError):
        dask_ending(LookupError("odd")).result(LIMIT)
