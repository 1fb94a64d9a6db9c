"""A way to PostgreSQL that a test can cut, and mend again."""

import selectors
import socket
import threading
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Listens on a port of this machine and passes on what comes to a PostgreSQL server's socket, unless it is cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        folder = parse_qs(parts.query)["host"][0]
        self._target = f"{folder}/.s.PGSQL.{parts.port or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = (
            f"postgresql://{parts.username}@127.0.0.1:{self._listener.getsockname()[1]}{parts.path}?sslmode=disable"
        )
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        self._is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and let no other come about."""
        with self._changing:
            self._is_cut = True
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections come about again."""
        self._is_cut = False

    def close(self) -> None:
        """Cut it for good."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()

    def _pass_on(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        try:
            with self._changing:
                if self._is_cut:
                    return
                far.connect(self._target)
                self._open |= {near, far}
            with selectors.DefaultSelector() as selector, suppress(OSError):
                selector.register(near, selectors.EVENT_READ, far)
                selector.register(far, selectors.EVENT_READ, near)
                while True:
                    for key, _ in selector.select():
                        source: socket.socket = key.fileobj  # pyright: ignore[reportAssignmentType]
                        data = source.recv(65_536)
                        if not data:
                            return
                        key.data.sendall(data)
        finally:
            with self._changing:
                self._open -= {near, far}
            near.close()
            far.close()
