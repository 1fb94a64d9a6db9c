"""Requests to a subject's API, on one connection that is kept, with as little of a client as possible."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from bench.children import ScriptFailed

LIMIT = 30.0
"""Seconds that an answer may take."""
BUSY = 503
"""The answer of a server that wants to be asked again, as clients do. What a run waits for is not counted until it accepts."""
BUSY_PAUSE = 0.5


class Api:
    """The API of a server on this machine. A request is one packet, which the standard library's client makes two of."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._prefix = place.path
        self._address = (place.hostname or "", place.port or 80)
        self._socket: socket.socket | None = None

    def get(self, path: str) -> Any:
        """Return the answer. Raises `ScriptFailed`."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> Any:
        """Return the answer. Raises `ScriptFailed`."""
        return self._ask("POST", path, body)

    def answers(self, path: str) -> bool:
        """Whether there is a good answer."""
        with contextlib.suppress(ScriptFailed):
            self.get(path)
            return True
        return False

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, method: str, path: str, body: object, patience: int = 10) -> Any:
        try:
            status, content = self._exchange(method, path, body)
        except (http.client.HTTPException, OSError):
            # A server ends connections that were idle; what is asked here may be asked twice.
            self.close()
            try:
                status, content = self._exchange(method, path, body)
            except (http.client.HTTPException, OSError) as error:
                self.close()
                raise ScriptFailed(f"{method} {path}: {error or type(error).__name__}") from None
        if status == BUSY and patience:
            time.sleep(BUSY_PAUSE)
            return self._ask(method, path, body, patience - 1)
        if status >= 300:
            raise ScriptFailed(f"{method} {path}: {status} {content[:200].decode(errors='replace')}")
        return json.loads(content) if content else None

    def _exchange(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {self._prefix}{path} HTTP/1.1", f"Host: {self._address[0]}:{self._address[1]}"]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        if self._socket is None:
            self._socket = socket.create_connection(self._address, LIMIT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall("\r\n".join((*head, "", "")).encode() + content)
        response = http.client.HTTPResponse(self._socket, method=method)
        response.begin()
        content = response.read()
        if response.will_close:
            self.close()
        return response.status, content


@contextlib.contextmanager
def reach(url: str) -> Generator[Api]:
    """Open an API for as long as the block takes."""
    api = Api(url)
    try:
        yield api
    finally:
        api.close()


def wait_for(what: str, limit: float, interval: float, look: Any) -> Any:
    """Return what `look` finds, once it is something. Raises `ScriptFailed` when that takes too long."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(interval)
    raise ScriptFailed(f"{what}: not within {limit:g} s")
