"""What a task worker is doing, for whoever asks on this machine: `GET /status` on a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import msgspec

from headrace.base import errors

if TYPE_CHECKING:
    from headrace.workers.task_worker import TaskWorker

HOST = "127.0.0.1"
NAMES = frozenset({"127.0.0.1", "localhost"})
"""The names under which it answers: a foreign page that has its own name lead here gets nothing."""


@contextmanager
def showing_status(worker: TaskWorker, port: int | None) -> Generator[int | None]:
    """Answer on the port within the block; 0 takes any that is free. Raises `ConfigurationError` for one that is taken."""
    if port is None:
        yield None
        return

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ours = self.headers.get("host", "").rpartition(":")[0] in NAMES and self.path == "/status"
            content = msgspec.json.encode(describe(worker)) if ours else b'{"detail":"Not Found"}'
            self.send_response(200 if ours else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing: a monitor asks every few seconds."""

    try:
        server = ThreadingHTTPServer((HOST, port), Answers)
    except (OSError, OverflowError) as error:
        raise errors.ConfigurationError(f"The status cannot be shown on port {port}: {error}.") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="headrace-status", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def describe(worker: TaskWorker) -> dict[str, object]:
    """What a worker is doing."""
    return {
        "client_id": worker.name,
        "started_at": worker.started_at,
        "limit": worker.limit,
        "current_tasks": worker.current_tasks,
        "tasks": [task.name for task in worker.tasks],
    }
