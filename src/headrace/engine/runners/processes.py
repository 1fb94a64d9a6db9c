"""The pool of processes: each executes one task run at a time, and is told its next by a thread of this process.

The processes are started, not forked: a fork of a process with threads may hang for ever. They do not load the script again
that started them, so it needs no guard; what it defines is sent by value.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future as Expected
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

from headrace.base import errors
from headrace.engine.forks import after_fork
from headrace.engine.runners.remote import RemoteTaskRunner, WorkerDied

GRACE = 5.0
"""Seconds that a process has to end what it executes when nobody wants it any more."""

POSSIBLE = os.name == "posix"
"""Whether a process can be given an end of a pipe here."""


class Errand(NamedTuple):
    """A parcel for any process, and where its answer is expected."""

    parcel: bytes
    answer: Expected[bytes]


class ProcessPoolTaskRunner(RemoteTaskRunner):
    """Runs tasks in processes of this machine, at most `max_workers` at a time; by default one for each of its processors.

    Arguments, values and errors are copied between them. A run whose process dies is executed again by another one.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}.")
        super().__init__()
        self.max_workers = max_workers
        self._limit = max_workers or os.cpu_count() or 1
        self._errands: deque[Errand] = deque()
        self._more = threading.Condition()
        self._idle = 0
        self._seats: list[_Seat] = []
        self._stopped = False

    def duplicate(self) -> Self:
        """A pool of its own for one flow run; processes start with the work."""
        return type(self)(self.max_workers)

    def setup(self) -> None:
        """Raise `UsageError` where processes cannot be given what they need."""
        if not POSSIBLE:
            raise errors.UsageError("ProcessPoolTaskRunner needs a POSIX system: use threads, Dask or Ray on this one.")

    def send(self, parcel: bytes, name: str) -> Expected[bytes]:
        """Have it executed by the next process that has nothing to do."""
        errand = Errand(parcel, Expected())
        with self._more:
            if self._stopped:
                errand.answer.cancel()
                return errand.answer
            self._errands.append(errand)
            if len(self._errands) > self._idle and len(self._seats) < self._limit:
                self._seats.append(_Seat(self._take, len(self._seats) + 1))
            self._more.notify()
        return errand.answer

    def stop(self, *, wait: bool) -> None:
        """End the processes; without `wait` they are interrupted, and killed if they go on all the same."""
        with self._more:
            self._stopped = True
            seats, self._seats = self._seats, []
            dropped = [] if wait else [*self._errands]
            if not wait:
                self._errands.clear()
            self._more.notify_all()
        for errand in dropped:
            errand.answer.cancel()
        if not wait:
            for seat in seats:
                seat.interrupt()
        for seat in seats:
            seat.close()

    def _take(self) -> Errand | None:
        """The next errand, as soon as there is one; None when there will be none."""
        with self._more:
            self._idle += 1
            self._more.wait_for(lambda: self._errands or self._stopped)
            self._idle -= 1
            return self._errands.popleft() if self._errands else None


class _Seat:
    """A process, started with its first errand and again when it has died, and the thread that waits for it."""

    def __init__(self, take: Callable[[], Errand | None], number: int) -> None:
        self._take = take
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Connection[Any, Any] | None = None
        self._interrupted = False
        _seats.add(self)
        self._thread = threading.Thread(target=self._work, name=f"headrace-process-{number}", daemon=True)
        self._thread.start()

    def interrupt(self) -> None:
        """Ask the process to end what it executes. It starts no other."""
        with self._lock:
            self._interrupted = True
            if self._process is not None:
                self._process.terminate()

    def close(self) -> None:
        """Wait until the process has ended."""
        if self._interrupted:
            self._thread.join(GRACE)
            with self._lock:
                if self._process is not None:
                    self._process.kill()
        self._thread.join()

    def forget(self) -> None:
        """In a forked child: the pipes tell by their end that the parent is gone."""
        process, channel = self._process, self._channel
        if process is not None and channel is not None and process.stdin is not None:
            process.returncode = 0  # not ours to wait for
            process.stdin.close()
            channel.close()

    def _work(self) -> None:
        while (errand := self._take()) is not None:
            try:
                content = self._ask(errand.parcel)
            except BaseException as error:  # noqa: BLE001 - whoever sent it decides
                errand.answer.set_exception(error)
            else:
                errand.answer.set_result(content)
        self._end()

    def _ask(self, parcel: bytes) -> bytes:
        channel = self._channel or self._start()
        try:
            channel.send_bytes(parcel)
            return channel.recv_bytes()
        except (EOFError, OSError):
            raise WorkerDied(self._end()) from None

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = Pipe()
        warnings = [f"-W{option}" for option in sys.warnoptions]
        command = [sys.executable, *warnings, "-P", "-m", "headrace.engine.runners.child", str(theirs.fileno())]
        try:
            with self._lock:
                self._check_wanted()
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._channel = ours
        ours.send((sys.path, sys.argv))
        return ours

    def _check_wanted(self) -> None:
        if self._interrupted:
            raise WorkerDied("The flow run has ended.", final=True)

    def _end(self) -> str:
        """Wait for the process, which has ended or is about to, and say how it did."""
        process, channel = self._process, self._channel
        if process is None or channel is None:
            return ""
        channel.close()
        try:
            code = process.wait(GRACE)
        except subprocess.TimeoutExpired:  # what it executed has left a thread behind that does not end
            process.kill()
            code = process.wait()
        assert process.stdin is not None
        process.stdin.close()
        with self._lock:
            self._process = self._channel = None
        if code >= 0:
            return f"it exited with code {code}."
        return f"it was killed by signal {-code} ({signal.strsignal(-code) or 'unknown'})."


_seats: weakref.WeakSet[_Seat] = weakref.WeakSet()


def _forget_seats() -> None:
    for seat in [*_seats]:
        seat.forget()


after_fork(_forget_seats)
