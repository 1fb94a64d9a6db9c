"""Serves the built pages and the stub's answers, with the headers of the real server: `python -m tests.e2e.stub.server`."""

import json
import queue
import sys
import threading
import traceback
import urllib.parse
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.stub import deployment_answers, run_answers
from tests.e2e.stub.answers import Refusal, answer
from tests.e2e.stub.clock import Json
from tests.e2e.stub.world import World

STATIC = Path(__file__).resolve().parents[3] / "src" / "headrace" / "server" / "static"

NOUNS = [run_answers, deployment_answers]
"""Whose routes are there by being imported."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
}


class StubServer(ThreadingHTTPServer):
    """The stub on a free port. `tell` pushes a change to every open page."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, world: World, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.world = world
        self.listeners: list[queue.SimpleQueue[str | None]] = []
        self.lock = threading.Lock()
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.told = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def tell(self, kind: str = "commit", data: object = None) -> None:
        """Push a message to every open page: that something was stored, or which runs entered `states`."""
        self.told += 1
        text = json.dumps({} if data is None else data)
        for listener in [*self.listeners]:
            listener.put(f"id: 0-{self.told}\nevent: {kind}\ndata: {text}\n\n")

    def tell_states(self, run: Json) -> None:
        """Tell every open page that a flow run entered a state."""
        self.tell("states", [{"kind": "flow-run", "id": run["id"], "flow_run_id": None, "states": ()}])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is left before it has everything is no fault; anything else is one."""
        if not isinstance(sys.exception(), OSError):
            self.faults.append(traceback.format_exc())

    def stop(self) -> None:
        """End every stream and stop serving."""
        for listener in [*self.listeners]:
            listener.put(None)
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: StubServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/api/live":
            self._stream()
        elif path.startswith("/api/") or path == "/ui-settings":
            self._answer("GET", path, query)
        else:
            self._file(path)

    def do_POST(self) -> None:
        self._answer("POST", *self.path.partition("?")[::2])

    def do_PATCH(self) -> None:
        self._answer("PATCH", *self.path.partition("?")[::2])

    def do_DELETE(self) -> None:
        self._answer("DELETE", *self.path.partition("?")[::2])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self, method: str, path: str, query: str) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = urllib.parse.unquote(path.removeprefix("/api"))
        status, said = HTTPStatus.OK, None
        with self.server.lock:
            self.server.asked.append(f"{method} {path}")
            try:
                said = answer(self.server.world, method, path, dict(urllib.parse.parse_qsl(query)), body)
            except Refusal as refusal:
                status, said = HTTPStatus(refusal.status), {"detail": refusal.detail}
        self._send(status, json.dumps(said).encode(), "application/json")
        if method in {"PATCH", "DELETE"} or (
            method == "POST" and not path.endswith(("/filter", "/count", "/history", "/preview", "/validate"))
        ):
            self.server.tell()

    def _file(self, path: str) -> None:
        wanted = (STATIC / path.lstrip("/")).resolve()
        if not wanted.is_relative_to(STATIC) or not wanted.is_file():
            wanted = STATIC / "index.html"
        self._send(HTTPStatus.OK, wanted.read_bytes(), TYPES.get(wanted.suffix, "application/octet-stream"))

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self) -> None:
        listener: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.server.listeners.append(listener)
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(b"id: 0-0\nevent: hello\ndata: {}\n\n")
            while (message := listener.get()) is not None:
                self.wfile.write(message.encode())
                self.wfile.flush()
        except OSError:
            pass
        finally:
            self.server.listeners.remove(listener)


def main() -> None:
    """Serve until Ctrl-C, for working on the pages by hand."""
    server = StubServer(World(), int(sys.argv[1]) if len(sys.argv) > 1 else 4321)
    print(server.url)
    for name, run in server.world.named.items():
        print(f"{name:8} {server.url}/runs/{run['id']}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
