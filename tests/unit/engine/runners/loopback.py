"""A runner whose other processes are threads of this one, which can be made to die."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future as Expected
from typing import Any, Generic, TypeVar

from headrace.engine.delegates import execute
from headrace.engine.runners.remote import RemoteTaskRunner, WorkerDied

T = TypeVar("T")
_shared: dict[int, Any] = {}


class Shared(Generic[T]):
    """Something of a test that code finds again wherever it travels within this process."""

    def __init__(self, it: T) -> None:
        self.it = it

    def __reduce__(self) -> tuple[Any, ...]:
        _shared[id(self)] = self
        return find_shared, (id(self),)


def find_shared(key: int) -> Any:
    return _shared[key]


class Loopback(RemoteTaskRunner):
    """Executes parcels in threads. The first `deaths` of them die: before they begin, or having executed it.

    `sent` is called with what is sent and may raise; `answered` changes answers; `stops` notes how it was stopped.
    """

    repeats = False

    def __init__(self, deaths: int = 0, *, late: bool = False, final: bool = False, repeats: bool = False) -> None:
        super().__init__()
        self.deaths, self.late, self.final, self.repeats = deaths, late, final, repeats
        self.parcels: list[bytes] = []
        self.stops: list[bool] = []
        self.held: list[Expected[bytes]] = []
        self.sent: Callable[[bytes], None] = lambda parcel: None
        self.answered: Callable[[bytes], bytes] = lambda answer: answer
        self.holds = False

    def duplicate(self) -> Loopback:
        return self

    def send(self, parcel: bytes, name: str) -> Expected[bytes]:
        self.sent(parcel)
        self.parcels.append(parcel)
        answer: Expected[bytes] = Expected()
        if self.holds:
            self.held.append(answer)
            return answer
        dies = len(self.parcels) <= self.deaths
        threading.Thread(target=self._work, args=(parcel, answer, dies), daemon=True).start()
        return answer

    def stop(self, *, wait: bool) -> None:
        self.stops.append(wait)
        for answer in self.held:
            answer.cancel()

    def _work(self, parcel: bytes, answer: Expected[bytes], dies: bool) -> None:
        if dies:
            if self.late:
                execute(parcel)
            answer.set_exception(WorkerDied("it was killed by signal 9 (Killed).", final=self.final))
            return
        answer.set_result(self.answered(execute(parcel)))
