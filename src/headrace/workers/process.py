"""Pools of the type `process`: each run is a process on the worker's own machine, under a supervisor of its own."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from headrace.base.errors import ConfigurationError
from headrace.workers.charge import END, Charge, Ending, send_charge
from headrace.workers.zygote import LAUNCH, READY, THREADED

log = logging.getLogger("headrace.worker")

LONGEST_MESSAGE = 65_536

ZYGOTE = "import sys; from headrace.workers.zygote import main; sys.exit(main(sys.argv[1:]))"
"""Not by its file: the main module of runs is an empty one, in which nothing of ours is taken for theirs."""


class ProcessInfrastructure:
    """Has runs forked from a warm process, which is started with the first run, or by `warm_up`."""

    def __init__(self, preload: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        self._preload = preload
        self._environ = None if environ is None else dict(environ)
        self._zygote: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._ends = Ends()

    def warm_up(self) -> None:
        """Start the process that runs are forked from. Raises `ConfigurationError` when a module cannot be preloaded."""
        said = self._start(self._preload)
        if said == THREADED and self._preload:
            log.warning(
                "One of %s has started threads that go on at a fork, which makes forking unsafe: "
                "each run loads it for itself.",
                ", ".join(self._preload),
            )
            self._preload = ()
            said = self._start(self._preload)
        if said != READY:
            raise ConfigurationError(
                said.decode(errors="replace") or "The process that runs are forked from has ended."
            )

    def launch(self, charge: Charge, ended: Callable[[Ending | None], None]) -> LaunchedProcess:
        """Fork a supervisor for the run. Raises `OSError`."""
        if self._zygote is None or self._zygote.poll() is not None:
            self.warm_up()
        assert self._channel is not None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._channel, [LAUNCH], [theirs.fileno()])
            send_charge(ours, charge)
        except OSError:
            ours.close()
            raise
        self._ends.watch(ours, ended)
        return LaunchedProcess(ours)

    def close(self) -> None:
        """Let the process that runs are forked from end. Its supervisors go on."""
        self._let_go()
        self._ends.close()

    def _let_go(self) -> None:
        """Let the process that there is end."""
        if self._channel is not None:
            self._channel.close()
        if self._zygote is not None:
            self._zygote.wait()

    def _start(self, preload: Sequence[str]) -> bytes:
        """Start the process, and return what it says once it has loaded everything; nothing when it died of it."""
        self._let_go()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-P", "-c", ZYGOTE, str(theirs.fileno()), *preload],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # what a terminal sends to the worker is the worker's
            )
        self._channel = ours
        return ours.recv(LONGEST_MESSAGE)


class LaunchedProcess:
    """A run in a process here."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    def end(self) -> None:
        """Tell its supervisor to end it."""
        with contextlib.suppress(OSError):  # it has ended
            self._control.sendall(END)


class Ends:
    """A thread that hears how supervised processes end."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._awaited = 0
        self._begun = threading.Condition(self._lock)
        self._closed = False
        self._thread: threading.Thread | None = None

    def watch(self, control: socket.socket, ended: Callable[[Ending | None], None]) -> None:
        """Call `ended` once the supervisor at the other side has said how its process ended, or has ended itself."""
        with self._begun:
            self._selector.register(control, selectors.EVENT_READ, ended)
            self._awaited += 1
            self._begun.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="headrace-ends", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        with self._begun:
            self._closed = True
            self._begun.notify()

    def _run(self) -> None:
        while True:
            with self._begun:
                self._begun.wait_for(lambda: self._awaited or self._closed)
                if self._closed:
                    return
            for key, _ in self._selector.select():
                control = key.fileobj
                assert isinstance(control, socket.socket)
                ending = _read_ending(control)
                with self._begun:
                    self._selector.unregister(control)
                    self._awaited -= 1
                control.close()
                key.data(ending)


def _read_ending(control: socket.socket) -> Ending | None:
    try:
        return msgspec.json.decode(control.recv(LONGEST_MESSAGE), type=Ending)
    except (OSError, msgspec.MsgspecError):
        return None
