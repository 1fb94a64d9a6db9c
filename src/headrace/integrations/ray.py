"""Task runs on a Ray cluster: one of this machine's own, or one that is there."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future as Expected
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Self

from headrace.base.errors import ConfigurationError, UsageError
from headrace.task_runners import RemoteTaskRunner, WorkerDied, execute

__all__ = ["RayTaskRunner"]


class RayTaskRunner(RemoteTaskRunner):
    """Runs tasks on Ray.

    * `address` – of a cluster that is there, like `ray://10.0.0.5:10001`, or `auto`; by default Ray is started on this
      machine for the flow run, unless the program has done so
    * `init_kwargs` – further arguments of `ray.init`

    Workers need Headrace installed, and a way to the orchestrator: on other machines a server or PostgreSQL.
    """

    def __init__(self, address: str | None = None, init_kwargs: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        if find_spec("ray") is None:
            raise UsageError("RayTaskRunner needs Ray: pip install 'headrace[ray]'.")
        self.address = address
        self.init_kwargs = dict(init_kwargs or {})
        self._remote: Any = None
        self._lock = threading.Lock()
        self._expected: dict[Any, Expected[bytes]] = {}

    def duplicate(self) -> Self:
        """A runner like this one, that has not connected."""
        return type(self)(self.address, self.init_kwargs)

    def setup(self) -> None:
        """Start Ray, or connect to it. Raises `ConfigurationError` when it does not answer."""
        ray: Any = import_module("ray")

        _connections.enter(self.address, self.init_kwargs)
        # A run whose worker died is sent again by us, who know what it has told by then.
        self._remote = ray.remote(max_retries=0)(execute)

    def send(self, parcel: bytes, name: str) -> Expected[bytes]:
        answer: Expected[bytes] = Expected()
        reference = self._remote.options(name=name).remote(parcel)
        with self._lock:
            self._expected[reference] = answer
        reference.future().add_done_callback(partial(self._arrive, reference))
        return answer

    def stop(self, *, wait: bool) -> None:
        ray: Any = import_module("ray")

        with self._lock:
            expected, self._expected = self._expected, {}
        for reference, answer in expected.items():
            ray.cancel(reference)
            answer.cancel()
        if self._remote is not None:
            self._remote = None
            _connections.leave()

    def _arrive(self, reference: Any, arrived: Expected[bytes]) -> None:
        died: Any = import_module("ray.exceptions")
        deaths = (died.NodeDiedError, died.ObjectLostError, died.OutOfMemoryError, died.WorkerCrashedError)
        with self._lock:
            answer = self._expected.pop(reference, None)
        if answer is None:
            return
        try:
            answer.set_result(arrived.result())
        except deaths as error:
            answer.set_exception(WorkerDied(_first_sentence(error)))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
            answer.set_exception(error)


class _Connections:
    """How many runners of this process use Ray, which it has once: who comes first connects, who leaves last disconnects."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._ours = False

    def enter(self, address: str | None, init_kwargs: Mapping[str, Any]) -> None:
        ray: Any = import_module("ray")

        with self._lock:
            if not ray.is_initialized():
                self._connect(address, init_kwargs)
                self._ours = True
            self._users += 1

    def leave(self) -> None:
        ray: Any = import_module("ray")

        with self._lock:
            self._users -= 1
            if self._ours and not self._users:
                self._ours = False
                ray.shutdown()

    def _connect(self, address: str | None, init_kwargs: Mapping[str, Any]) -> None:
        ray: Any = import_module("ray")

        options: dict[str, Any] = {"address": address, **init_kwargs}
        if options["address"] is None:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what we start reports to nobody
            options = {"address": "local", "include_dashboard": False, "_node_ip_address": "127.0.0.1", **init_kwargs}
        try:
            ray.init(**options)
        except (ConnectionError, OSError, ValueError) as error:
            raise ConfigurationError(f"Ray cannot be used: {_first_sentence(error)}") from error


_connections = _Connections()


def _first_sentence(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text.partition(". ")[0].rstrip(".") + "."
