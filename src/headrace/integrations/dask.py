"""Task runs on a Dask cluster: one of this machine's own, one that is made for the flow run, or one that is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, InvalidStateError
from concurrent.futures import Future as Expected
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self
from uuid import uuid4

from headrace.base.errors import ConfigurationError, UsageError
from headrace.task_runners import RemoteTaskRunner, WorkerDied, execute

__all__ = ["DaskTaskRunner"]


class DaskTaskRunner(RemoteTaskRunner):
    """Runs tasks on a Dask cluster.

    * `address` – of a scheduler that is there, like `tcp://10.0.0.5:8786`; what is executed there cannot be interrupted
    * `cluster_class`, `cluster_kwargs` – makes a cluster for each flow run; a class, a function, or the way to one
      (`"dask_kubernetes.operator.KubeCluster"`); by default a `distributed.LocalCluster`, which needs
      the script to call its flow below `if __name__ == "__main__":`
    * `adapt_kwargs` – what the cluster's `adapt` is called with, to have it grow and shrink
    * `client_kwargs` – further arguments of `distributed.Client`

    Workers need Headrace installed, and a way to the orchestrator: on other machines a server or PostgreSQL.
    """

    repeats = True  # its scheduler sends what a dead worker executed to another one

    def __init__(
        self,
        address: str | None = None,
        cluster_class: Callable[..., Any] | str | None = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if address is not None and (cluster_class or cluster_kwargs or adapt_kwargs):
            raise UsageError("DaskTaskRunner is given either the address of a cluster or how to make one, not both.")
        if find_spec("distributed") is None:
            raise UsageError("DaskTaskRunner needs Dask: pip install 'headrace[dask]'.")
        self.address = address
        self.cluster_class = cluster_class
        self.cluster_kwargs = dict(cluster_kwargs or {})
        self.adapt_kwargs = dict(adapt_kwargs or {})
        self.client_kwargs = dict(client_kwargs or {})
        self._cluster: Any = None
        self._client: Any = None
        self._lock = threading.Lock()
        self._expected: dict[Any, Expected[bytes]] = {}

    def duplicate(self) -> Self:
        """A runner like this one, whose cluster has not been made."""
        return type(self)(self.address, self.cluster_class, self.cluster_kwargs, self.adapt_kwargs, self.client_kwargs)

    def setup(self) -> None:
        """Make the cluster, or connect to it. Raises `ConfigurationError` when it does not answer."""
        distributed: Any = import_module("distributed")
        if self.address is None:
            self._cluster = self._make_cluster()
            if self.adapt_kwargs:
                self._cluster.adapt(**self.adapt_kwargs)
        try:
            options = {"set_as_default": False, **self.client_kwargs}
            self._client = distributed.Client(self.address or self._cluster, **options)
        except (OSError, ValueError) as error:
            self._close_cluster()
            raise ConfigurationError(f"The Dask scheduler at {self.address} cannot be reached: {error}") from error

    def send(self, parcel: bytes, name: str) -> Expected[bytes]:
        answer: Expected[bytes] = Expected()
        task = self._client.submit(execute, parcel, key=f"{name}-{uuid4().hex}", pure=False)
        with self._lock:
            self._expected[task] = answer
        task.add_done_callback(self._arrive)
        return answer

    def stop(self, *, wait: bool) -> None:
        with self._lock:
            expected, self._expected = self._expected, {}
        if expected and not wait:
            self._client.cancel([*expected], force=True)
        for answer in expected.values():
            answer.cancel()
        if self._client is not None:
            self._client.close()
        self._close_cluster()

    def _arrive(self, task: Any) -> None:
        scheduler: Any = import_module("distributed.scheduler")
        with self._lock:
            answer = self._expected.pop(task, None)
        if answer is None:
            return
        try:
            answer.set_result(task.result())
        except scheduler.KilledWorker as error:
            answer.set_exception(WorkerDied(f"Dask has given up on it: {error}", final=True))
        except (CancelledError, InvalidStateError):
            answer.cancel()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
            answer.set_exception(error)

    def _make_cluster(self) -> Any:
        made = self.cluster_class
        if made is None:
            distributed: Any = import_module("distributed")
            try:
                return distributed.LocalCluster(**{"dashboard_address": "127.0.0.1:0", **self.cluster_kwargs})
            except RuntimeError as error:
                raise ConfigurationError(
                    f"The Dask cluster cannot be started: {error} Its processes load the script again, which must call its "
                    f"flow below `if __name__ == '__main__':`."
                ) from error
        if isinstance(made, str):
            made = _find_class(made)
        return made(**self.cluster_kwargs)

    def _close_cluster(self) -> None:
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()


def _find_class(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    try:
        found: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"There is no cluster class {path!r}: {error}.") from error
    return found
