"""The contract's websocket for workers of background tasks: runs that are due, one at a time, each to be acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import aclosing
from typing import Any, cast

from litestar import websocket
from litestar.concurrency import sync_to_thread
from litestar.exceptions import WebSocketDisconnect

from headrace.base.clock import now
from headrace.base.errors import HeadraceError
from headrace.base.ids import uuid7
from headrace.gateway.execution import Execution
from headrace.schema.task_worker import TaskClaim, TaskClaimRequest, TaskClaims
from headrace.server.auth import Permission
from headrace.server.feed import Feed
from headrace.server.gateways import Runs
from headrace.server.handshake import Socket, close, needs_in_band, receive, send, welcome
from headrace.server.routes.live import News
from headrace.server.routes.sockets import GOING_AWAY, Key, run_until_first

logger = logging.getLogger("headrace.server")

VIOLATION = 4001
TRY_AGAIN_LATER = 1013
LOOK = 10.0
"""The most seconds between two looks for work, whether or not anything is heard."""


@websocket("/api/task_runs/subscriptions/scheduled", **needs_in_band(Permission.RUN))
async def send_scheduled_task_runs(socket: Socket, execution: Runs, feed: News, access: Key) -> None:
    """Send runs of the tasks that the client serves. What it acknowledges is its own; the rest comes back when it is gone."""
    if not await welcome(socket, access):
        return
    keys, name = read_subscription(await receive(socket))
    if keys is None:
        await close(socket, VIOLATION, "Expected 'subscribe' message")
        return
    try:
        presence = await sync_to_thread(execution.presence)
        request = TaskClaimRequest(
            worker_id=uuid7(), name=name, task_keys=keys, limit=1, presence=presence, announce=False
        )
        queue = TaskQueue(socket, execution, feed, request)
        try:
            await queue.serve()
        finally:
            await sync_to_thread(execution.end_task_worker, request.worker_id)
    except WebSocketDisconnect:
        return
    except HeadraceError as error:
        logger.warning("Background runs cannot be given out just now: %s", error)
        await close(socket, TRY_AGAIN_LATER, "Background runs cannot be given out just now")


def read_subscription(frame: dict[str, Any] | None) -> tuple[list[str] | None, str]:
    """The keys of the tasks that a client serves, and what it is called; None for a frame that does not say."""
    keys: Any = frame.get("keys") if frame is not None and frame.get("type") == "subscribe" else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in cast("list[Any]", keys)):
        return None, ""
    assert frame is not None
    return cast("list[str]", keys), str(frame.get("client_id") or "")


class TaskQueue:
    """What one client is given. It is a worker like any other, for as long as it is connected."""

    def __init__(self, socket: Socket, execution: Execution, feed: Feed, request: TaskClaimRequest) -> None:
        self._socket = socket
        self._execution = execution
        self._feed = feed
        self._request = request
        self._frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._stirred = asyncio.Event()

    async def serve(self) -> None:
        """Give out runs until the client has gone, or this server goes."""
        async with aclosing(self._feed.follow()) as changes:
            await anext(changes)
            await run_until_first(self._give_out(), self._listen(), self._follow(changes))
        if self._feed.closed:
            await close(self._socket, GOING_AWAY, "The server is stopping")

    async def _give_out(self) -> None:
        while True:
            self._stirred.clear()
            answer: TaskClaims = await sync_to_thread(self._execution.claim_task_runs, self._request)
            for claim in answer.claims:
                if not await self._give(claim):
                    return
            if not answer.claims and not await self._pause(answer):
                return

    async def _give(self, claim: TaskClaim) -> bool:
        """Send a run; False when the client takes no more."""
        await send(self._socket, claim.task_run)
        frame = await self._frames.get()
        if frame is not None and frame.get("type") == "ack":
            await sync_to_thread(self._execution.hand_over_task_run, claim.task_run.id, claim.epoch)
            return True
        return await self._leave(frame)

    async def _pause(self, answer: TaskClaims) -> bool:
        """Wait until there may be more to give; False when the client takes no more."""
        wait = LOOK if answer.next_due is None else (answer.next_due - now()).total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(wait, 0.01), LOOK)):
                await self._stirred.wait()
        return self._frames.empty() or await self._leave(self._frames.get_nowait())

    async def _leave(self, frame: dict[str, Any] | None) -> bool:
        if frame is None or frame.get("type") != "quit":
            await close(self._socket, VIOLATION, "Expected 'ack' or 'quit' message")
        else:
            await close(self._socket, 1000, "")
        return False

    async def _listen(self) -> None:
        while True:
            self._frames.put_nowait(await receive(self._socket))
            self._stirred.set()

    async def _follow(self, changes: Any) -> None:
        keys = {*self._request.task_keys}
        async for change in changes:
            for event in change.events:
                told = event.body if event.kind == "background" else None
                if told is not None and told["due"] and told["task_key"] in keys:
                    self._stirred.set()


routes = [send_scheduled_task_runs]
