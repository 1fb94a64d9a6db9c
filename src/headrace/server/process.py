"""One server as a process: its socket, its app, its loops, and an end in good order."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from headrace.base.errors import ConfigurationError
from headrace.server.app import Application

logger = logging.getLogger("headrace.server")

VERBS_AT_ONCE = 16
"""How many verbs are performed at the same time: as many threads. On SQLite they share transactions."""

GRACE = 10
"""Seconds that requests have to end when the server stops."""

KEEP_ALIVE = 5.0
"""Seconds that a connection is kept on which nothing is asked, unless somebody says otherwise."""

LARGEST_FRAME = 4 * 1024 * 1024
"""The most bytes of one frame of a websocket."""


class Loop(Protocol):
    """Something that goes on in the background."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End, when what has begun is finished."""
        ...


class CommittingSocket(WebSocketsSansIOProtocol):
    """Answers a ping when what came before it has been dealt with: the contract's clients take the answer for a receipt."""

    idle = False
    """Whether the app waits for the next frame, so that it has dealt with those before."""

    def handle_ping(self) -> None:
        """Answer at once if nothing is under way, else when the app asks for the next frame."""
        if self.idle and self.queue.empty():
            super().handle_ping()

    async def receive(self) -> Any:
        """The next frame for the app."""
        if self.handshake_complete and self.queue.empty():
            super().handle_ping()
        self.idle = True
        try:
            return await super().receive()
        finally:
            self.idle = False


class Server(uvicorn.Server):
    """Serves an application until it is told to stop, by a signal or by `stop`."""

    def __init__(
        self,
        application: Application,
        ready: Callable[[], None],
        keep_alive: float = KEEP_ALIVE,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application.gate,
                loop="asyncio",
                http="httptools",
                ws=CommittingSocket,
                ws_max_size=LARGEST_FRAME,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                timeout_keep_alive=keep_alive,  # pyright: ignore[reportArgumentType] - fractions are fine as well
            )
        )
        self._application = application
        self._ready = ready
        self._ending = ending
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End the serving. May be called from any thread, and from a signal's handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def main_loop(self) -> None:
        """Wait for the end. Once a second is often enough to set the date that answers carry."""
        ticks = 0
        while not await self.on_tick(ticks * 10) and not self._stopping.is_set():
            ticks += 1
            try:
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, which would never end by themselves, then let requests finish."""
        self._ending()
        await self._application.feed.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on the first signal, and at once on the second. An end in good order is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        self.stop()


def serve(
    application: Application,
    listener: socket.socket,
    loops: Sequence[Loop] = (),
    ready: Callable[[], None] = lambda: None,
    keep_alive: float = KEEP_ALIVE,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Serve on a bound socket until a signal comes. `ready` is called when requests are answered, `ending` when no more are."""
    server = Server(application, ready, keep_alive, ending)

    async def run() -> None:
        with ThreadPoolExecutor(VERBS_AT_ONCE, thread_name_prefix="verb") as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            await server.serve([listener])

    started: list[Loop] = []
    try:
        for loop in loops:
            loop.start()
            started.append(loop)
        asyncio.run(run())
    finally:
        for loop in reversed(started):
            loop.stop()


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises `ConfigurationError` in one sentence when that cannot be."""
    if not 0 <= port <= 65535:
        # Of a larger number the system would take what is left of it.
        raise ConfigurationError(f"{port} is no port: choose one from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            "127.0.0.1" if host == "localhost" else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ConfigurationError(f"There is no address {host!r} to listen on: {error.strerror}.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":
            # Else the port would stay taken for a minute after a server that had clients.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_explain(error, host, port)) from None
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is taken by another program: stop that, or choose another with --port."
        case errno.EACCES:
            return f"This user may not listen on port {port}: choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: choose another with --host."
        case _:
            return f"Nobody can listen on {host}, port {port}: {error.strerror}."


def write_url(listener: socket.socket) -> str:
    """The address at which people reach a socket."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{shown}:{port}"
