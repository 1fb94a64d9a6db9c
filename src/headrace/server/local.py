"""The routes without a server: requests that the application answers in the process that asks."""

from __future__ import annotations

import asyncio

import httpx2
from litestar.types import ASGIApp


class LocalWire(httpx2.BaseTransport):
    """Hands requests to an application and returns its answers, each in an event loop of its own.

    What a server does in the background is not done, and a stream is read to its end before it is answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._wire = httpx2.ASGITransport(app=app)  # pyright: ignore[reportArgumentType] - two spellings of one interface

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The application's answer."""
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._wire.handle_async_request(request)
        content = await response.aread()
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
        return httpx2.Response(response.status_code, headers=headers, content=content)
