"""Beats for the attempts of this process, from a process of its own: user code that holds the interpreter stops every
thread of this one, and is alive all the same.

The other process (`client.pulse`) is tied to this one by a pipe, whose end it sees whatever ends this process. It is
started with the first attempt but sleeps in a shell for half an interval, five seconds at most: short scripts pay for no
second interpreter, and long ones need not let anybody start it. Where there is no shell, or it died, a thread beats.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from headrace.base import errors
from headrace.client.transport import Transport
from headrace.schema.orchestration import Beat
from headrace.schema.pulse import Attempt, Charge

DELAY = 5.0
"""The most seconds before the other process begins."""

SHELL = "/bin/sh"


class Heart:
    """Beats for attempts from their beginning to their end."""

    def __init__(self, transport: Transport, beat: Callable[[Sequence[Beat]], list[UUID]], interval: float) -> None:
        self._charge = Charge(transport.url, transport.api_key, interval)
        self._beat = beat
        self._interval = interval
        self._lock = threading.Lock()
        self._attempts: dict[UUID, int] = {}
        self._unsaid: list[Attempt] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        _hearts.add(self)

    def begin(self, flow_run_id: UUID, epoch: int) -> None:
        """Beat for an attempt from now on, instead of the run's attempt before."""
        with self._lock:
            self._attempts[flow_run_id] = epoch
            self._start()
            self._say(Attempt(flow_run_id, epoch))

    def end(self, flow_run_id: UUID) -> None:
        """Beat for the run no more."""
        with self._lock:
            if self._attempts.pop(flow_run_id, None) is not None:
                self._say(Attempt(flow_run_id, None))

    def beats_for(self, flow_run_id: UUID) -> bool:
        """Whether the run is one of those that are beaten for."""
        return flow_run_id in self._attempts

    def stop(self) -> None:
        """Beat for nobody any more, and end the process."""
        self._stopping.set()
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self._thread is not None:
            self._thread.join(1.0)

    def abandon(self) -> None:
        """In a forked child: let go of the parent's pipe, which tells by its end that the parent is gone."""
        process, self._process = self._process, None
        self._stopping.set()
        if process is not None and process.stdin is not None:
            process.returncode = 0  # not ours to wait for
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _start(self) -> None:
        if self._thread is None and not self._stopping.is_set():
            self._launch()
            self._thread = threading.Thread(target=self._run, name="headrace-heart", daemon=True)
            self._thread.start()

    def _launch(self) -> None:
        """Start the process and tell it everything."""
        if not sys.executable or not os.access(SHELL, os.X_OK):
            return
        delay = min(DELAY, self._interval / 2)
        pulse = ("-P", "-m", "headrace.client.pulse")
        script = 'sleep "$1" </dev/null; shift; exec "$@"'
        with contextlib.suppress(OSError):
            # A session of its own: what a terminal sends to the script must not end what speaks for it.
            self._process = subprocess.Popen(
                [SHELL, "-c", script, SHELL, f"{delay:g}", sys.executable, *pulse],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
            self._unsaid = [Attempt(run, epoch) for run, epoch in self._attempts.items()]
            self._write(msgspec.json.encode(self._charge) + b"\n")

    def _say(self, attempt: Attempt) -> None:
        self._unsaid.append(attempt)
        self._flush()

    def _flush(self) -> None:
        """Tell the process what it does not know yet, as far as the pipe takes it."""
        while self._unsaid and self._write(msgspec.json.encode(self._unsaid[0]) + b"\n"):
            del self._unsaid[0]

    def _write(self, line: bytes) -> bool:
        """Write a line, whole or not at all: it is shorter than what a pipe takes at once."""
        process = self._process
        if process is None or process.stdin is None:
            return False
        try:
            return os.write(process.stdin.fileno(), line) == len(line)
        except OSError:  # the pipe is full, or the process is gone: the thread sees to it
            return False

    def _run(self) -> None:
        """See that somebody beats."""
        while not self._stopping.wait(self._interval):
            with self._lock:
                if self._process is not None and self._process.poll() is not None:
                    _end(self._process)
                    self._process = None
                if self._process is None and not self._stopping.is_set():
                    self._launch()
                self._flush()
                alone = self._process is None
                beats = [Beat(flow_run_id=run, epoch=epoch) for run, epoch in self._attempts.items()]
            if alone and beats:
                with contextlib.suppress(errors.GatewayError):
                    for fenced in self._beat(beats):
                        self.end(fenced)


_hearts: weakref.WeakSet[Heart] = weakref.WeakSet()


def _abandon_all() -> None:
    for heart in [*_hearts]:
        heart.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, with the shell's sleep if it still sleeps."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
