"""A crowd: several processes that serve on one socket, and the one that started them and looks after them.

The kernel gives each connection to one of them. They share the background loops as servers on several machines do. One
that dies is followed by another; when the first one is told to stop, all are, in good order.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from headrace.base.errors import ConfigurationError
from headrace.server.signals import Signals

logger = logging.getLogger("headrace.server")

REST = 1.0
"""Seconds before a process that has died is followed by another."""

GRACE = 30.0
"""Seconds that the processes have to end, before they are killed."""


class Crowd:
    """So many processes `python -m headrace.server` with the same arguments, on a listening socket of this one."""

    def __init__(
        self, listener: socket.socket, count: int, arguments: Sequence[str], environ: Mapping[str, str]
    ) -> None:
        self._listener = listener
        self._count = count
        self._arguments = arguments
        self._environ = environ
        self._life, self._lives = os.pipe()
        self._members: list[subprocess.Popen[bytes]] = []

    def run(self, announce: Callable[[], None]) -> None:
        """Serve until a signal comes. Raises `ConfigurationError` when the first of them cannot serve."""
        with Signals(signal.SIGINT, signal.SIGTERM, signal.SIGCHLD) as signals:
            try:
                for _ in range(self._count):
                    self._members.append(self._start())
                announce()
                while self._attend(signals):
                    pass
            finally:
                self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process, and wait until it answers."""
        ready, told = os.pipe()
        descriptor = self._listener.fileno()
        command = [sys.executable, "-m", "headrace.server", *self._arguments]
        command += ["--listener-fd", str(descriptor), "--ready-fd", str(told), "--parent-fd", str(self._life)]
        # In a session of its own: Ctrl-C goes to this process, which lets them end in good order.
        member = subprocess.Popen(
            command,
            env=dict(self._environ),
            pass_fds=[descriptor, told, self._life],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(told)
        with os.fdopen(ready) as answer:
            if not answer.read():
                member.wait()
                raise ConfigurationError("One of the server's processes ended before it answered; it has said why.")
        return member

    def _attend(self, signals: Signals) -> bool:
        """Wait for a signal, and have who has died followed by another; False when it says to stop."""
        dead = [place for place, member in enumerate(self._members) if member.poll() is not None]
        told = signals.wait(REST if dead else None)
        if told not in {None, signal.SIGCHLD}:
            return False
        for place in dead if told is None else ():
            member = self._members[place]
            logger.warning("Process %d of the server has ended with code %d.", member.pid, member.returncode)
            try:
                self._members[place] = self._start()
            except ConfigurationError as error:
                logger.warning("%s", error)
        return True

    def _end(self) -> None:
        for member in self._members:
            if member.poll() is None:
                member.terminate()
        for member in self._members:
            try:
                member.wait(GRACE)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait()
        os.close(self._lives)
        os.close(self._life)
