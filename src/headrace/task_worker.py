"""Background tasks: `serve` executes runs of tasks that were asked for with `delay`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from headrace.base.errors import UsageError
from headrace.connect import open_session, show_errors_in_one_line
from headrace.engine.awaiting import in_async_code
from headrace.engine.opening import set_opener
from headrace.engine.session import current_session
from headrace.engine.task_definition import Task
from headrace.workers.task_worker import TaskWorker

__all__ = ["TaskWorker", "aserve", "serve"]

set_opener(open_session)


def serve(
    *tasks: Task[..., Any],
    limit: int | None = 10,
    status_server_port: int | None = None,
    timeout: float | None = None,
) -> None:
    """Execute runs of the tasks that were asked for with `delay`, in threads of this process, until Ctrl-C or SIGTERM.

    `limit` is how many are executed at once, None as many as are due. On `status_server_port` of this machine `GET /status`
    tells what is going on. With `timeout` it serves for so many seconds. When it stops, runs under way are finished; a second
    Ctrl-C gives them back to other workers. Raises `UsageError` in one line for what cannot be served.
    """
    if in_async_code():
        raise UsageError("serve would block the event loop that runs here: write `await aserve(…)`.")
    from headrace.workers.signals import stopping_at_signals

    worker = _make_worker(tasks, limit)
    with stopping_at_signals(worker.stop):
        _run(worker, status_server_port, timeout)


async def aserve(
    *tasks: Task[..., Any],
    limit: int | None = 10,
    status_server_port: int | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - part of the field's known public interface
) -> None:
    """As `serve`, beside the running event loop, until the task that awaits it is cancelled, as Ctrl-C does."""
    import asyncio

    from headrace.engine.loop import beside

    worker = _make_worker(tasks, limit)
    serving = asyncio.ensure_future(beside(lambda: _run(worker, status_server_port, timeout)))
    cancelled: asyncio.CancelledError | None = None
    while not serving.done():
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError as error:
            cancelled = error
            worker.stop()
    if cancelled is not None:
        raise cancelled


def _make_worker(tasks: tuple[Task[..., Any], ...], limit: int | None) -> TaskWorker:
    show_errors_in_one_line()
    worker = TaskWorker(*tasks, limit=limit)
    current_session()  # what cannot be reached is said before anything is
    return worker


def _run(worker: TaskWorker, port: int | None, timeout: float | None) -> None:
    from headrace.workers.status import showing_status

    with showing_status(worker, port), _stopping_after(timeout, worker.stop):
        names = ", ".join(task.name for task in worker.tasks)
        sys.stdout.write(f"Serving {names}. Ctrl-C stops it.\n")
        sys.stdout.flush()
        worker.start()


@contextmanager
def _stopping_after(seconds: float | None, stop: Callable[[], None]) -> Generator[None]:
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
