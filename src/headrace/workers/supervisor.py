"""The supervisor of one run: shows that it is alive, ends it when it is to end, and says how it ended.

It executes no user code, so whatever the run does, somebody beats for it. It outlives its worker: the run goes on.
When the run's process has ended nothing of its tree is left, what detached itself included.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import signal
import socket
import struct
import threading
from collections.abc import Callable
from functools import partial

import msgspec

from headrace.base import clock, errors
from headrace.base.settings import Settings, load_settings
from headrace.connect import find_spool, open_execution
from headrace.engine.spool import Spool
from headrace.engine.watchdog import set_watchdog
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import Beat
from headrace.schema.state import StateType
from headrace.workers.charge import END, Charge, Ending, receive_charge
from headrace.workers.trees import adopt_orphans, descendants, die_with, kill_descendants

log = logging.getLogger("headrace.supervisor")

FAREWELL = 2.0
"""Seconds that what a run left behind has to end by itself once its process has."""

LATE = 3.0
"""Seconds after a time limit in which the run's process may still end what has exceeded it by itself."""

LATELY = "The run exceeded a time limit in code that could not be interrupted, so its processes were killed."

PAUSE = 5.0
"""The most seconds before an orchestrator that cannot be reached is told again how a run ended."""


def supervise(control: socket.socket) -> Charge | None:
    """Hear what is to be executed, and fork the process for it, where the charge is returned at once.

    In the supervisor's own process None is returned when all is over.
    """
    try:
        charge = receive_charge(control)
    except EOFError:  # the worker has ended before it said what
        return None
    os.setsid()
    adopt_orphans()
    signals = _listen()
    limits, telling = socket.socketpair()
    own = os.getpid()
    child = os.fork()
    if not child:
        die_with(own)
        _forget(signals, control, limits)
        set_watchdog(partial(_tell_limit, telling))
        return charge
    telling.close()
    Supervisor(charge, child, control, signals, limits).run()
    return None


def _listen() -> socket.socket:
    """A socket that can be read whenever a child has ended, or something else has happened."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.signal(signal.SIGCHLD, _note)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever ends all processes of a machine ends the run's as well
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return reader


def _note(_number: int, _frame: object) -> None:
    """The descriptor for wake-ups tells that a signal came."""


def _tell_limit(telling: socket.socket, until: float) -> None:
    """In the run's own process: tell the supervisor until when it may go on, if it must end then."""
    with contextlib.suppress(OSError):
        telling.sendall(struct.pack("d", until))


def _forget(signals: socket.socket, *others: socket.socket) -> None:
    """In the run's own process: leave to the supervisor what is the supervisor's."""
    os.close(signal.set_wakeup_fd(-1))
    signals.close()
    for other in others:
        other.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Supervisor:
    """Watches over one process."""

    def __init__(
        self, charge: Charge, child: int, control: socket.socket, signals: socket.socket, limits: socket.socket
    ) -> None:
        self._limits: socket.socket | None = limits
        self._until = 0.0
        self._late = False
        self._charge = charge
        self._child = child
        self._control: socket.socket | None = control
        self._signals = signals
        self._settings = load_settings(charge.environ)
        self._pulse = Pulse(charge, self._settings, self._wake)
        self._status: int | None = None
        self._kill_at: float | None = None

    def run(self) -> None:
        """Stay until the process has ended and the orchestrator knows."""
        if self._settings.api_url is not None:  # without a server, the process itself holds a lock
            self._pulse.start()
        while self._status is None:
            self._wait()
            if self._pulse.is_to_end.is_set():
                self._end()
            if self._is_late():
                self._late = True
                kill_descendants(os.getpid())
            if self._kill_at is not None and clock.monotonic() >= self._kill_at:
                kill_descendants(os.getpid())
            self._reap()
        self._clear_away()
        ending = Ending(code=os.waitstatus_to_exitcode(self._status), crashed=self._conclude())
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.sendall(msgspec.json.encode(ending))
        self._pulse.stop()
        shutil.rmtree(self._charge.folder, ignore_errors=True)

    def _wait(self) -> None:
        """Wait until a child has ended, somebody has said something, or it is time to kill."""
        watched = [each for each in (self._signals, self._control, self._limits) if each is not None]
        ends = [end for end in (self._kill_at, self._until and self._until + LATE) if end]
        timeout = max(min(ends) - clock.monotonic(), 0.05) if ends else None
        ready, _, _ = select.select(watched, (), (), timeout)
        if self._limits in ready:
            self._hear_limit()
        if self._signals in ready:
            with contextlib.suppress(BlockingIOError):
                self._signals.recv(4096)
        if self._control in ready:
            self._hear()

    def _hear(self) -> None:
        """The worker wants the run to end, or has ended itself."""
        assert self._control is not None
        try:
            said = self._control.recv(64)
        except OSError:
            said = b""
        if END in said:
            self._end()
        elif not said:
            self._control.close()
            self._control = None
            self._pulse.is_alone.set()

    def _hear_limit(self) -> None:
        """The run's process has begun or ended something that has a time limit, or has ended itself."""
        assert self._limits is not None
        told = self._limits.recv(8 * 512)
        if told:
            (self._until,) = struct.unpack("d", told[-8:])
        else:
            self._limits.close()
            self._limits, self._until = None, 0.0

    def _is_late(self) -> bool:
        """Whether the run has gone on after its time limit, in code that nothing in its process can interrupt."""
        return bool(self._until) and clock.monotonic() >= self._until + LATE

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(os.getpid(), signal.SIGCHLD)

    def _end(self) -> None:
        """Ask the process to end; once its grace is over, its whole tree is killed."""
        if self._kill_at is None:
            self._kill_at = clock.monotonic() + self._charge.grace
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGTERM)

    def _reap(self) -> bool:
        """Take note of every child that has ended; False when none is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            if pid == self._child:
                self._status = status

    def _clear_away(self) -> None:
        """End what the process has left behind: politely, then not."""
        left = descendants(os.getpid())
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        end = clock.monotonic() + FAREWELL
        while self._reap() and (patience := end - clock.monotonic()) > 0:
            select.select([self._signals], (), (), min(patience, 0.1))
            with contextlib.suppress(BlockingIOError):
                self._signals.recv(4096)
        while kill_descendants(os.getpid()) or self._reap():
            select.select([self._signals], (), (), 0.05)

    def _conclude(self) -> bool:
        """Tell the orchestrator that the attempt is over; whether its run crashed by that."""
        assert self._status is not None
        claim = self._charge.claim
        message = (
            LATELY
            if self._late
            else describe_end(os.waitstatus_to_exitcode(self._status), killed=self._kill_at is not None)
        )
        began, pause = clock.monotonic(), 0.1
        while True:
            try:
                gateway = self._pulse.gateway()
                Spool(find_spool(self._settings)).deliver(gateway)  # what the process itself could not deliver any more
                return gateway.end_attempt(claim.flow_run.id, claim.epoch, message, self._late) and not self._late
            except errors.Unavailable:
                if clock.monotonic() - began > self._settings.outage_limit_seconds:
                    return False
            except errors.HeadraceError as error:
                log.warning("Nobody could be told how flow run %r ended: %s", claim.flow_run.name, error)
                return False
            threading.Event().wait(pause)
            pause = min(2 * pause, PAUSE)


class Pulse:
    """Beats for the run, and notices what only the orchestrator knows: that the attempt is over, or is to end."""

    def __init__(self, charge: Charge, settings: Settings, wake: Callable[[], None]) -> None:
        self._charge = charge
        self._settings = settings
        self._wake = wake
        self._gateway: Execution | None = None
        self._opening = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_to_end = threading.Event()
        self.is_alone = threading.Event()

    def gateway(self) -> Execution:
        """The way to the orchestrator, opened when it is first needed. Raises as `open_execution`."""
        with self._opening:
            if self._gateway is None:
                self._gateway = open_execution(self._settings, supervised=True)
            return self._gateway

    def start(self) -> None:
        """Beat from now on."""
        self._thread = threading.Thread(target=self._run, name="headrace-pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, and let go of the orchestrator."""
        self._stopping.set()
        if self._gateway is not None:
            self._gateway.close()

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.heartbeat_seconds):
            with contextlib.suppress(errors.HeadraceError):
                if self._is_over():
                    self.is_to_end.set()
                    self._wake()

    def _is_over(self) -> bool:
        claim = self._charge.claim
        if self.gateway().beat([Beat(flow_run_id=claim.flow_run.id, epoch=claim.epoch)]):
            return True
        # Else the worker hears of it, and sooner.
        return self.is_alone.is_set() and self._is_cancelled()

    def _is_cancelled(self) -> bool:
        run = self.gateway().read_flow_run(self._charge.claim.flow_run.id)
        return run.state_type is StateType.CANCELLING


def describe_end(code: int, *, killed: bool) -> str:
    """Why a run that had not ended crashed, from how its process did."""
    if killed:
        return "The run was told to end and did not in time, so its processes were killed."
    if code == -signal.SIGKILL:
        return "The process that executed this run was killed (SIGKILL). If nobody did that, the machine was out of memory."
    if code < 0:
        return f"The process that executed this run was ended by {_name_signal(-code)}."
    return f"The process that executed this run has ended with exit code {code}, before the run had."


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
