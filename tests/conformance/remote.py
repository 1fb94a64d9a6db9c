"""The implementation over HTTP: each gateway asks a server of its own in this process, over the same database."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import httpx2

from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.server.app import build_app
from headrace.server.auth import Access

T = TypeVar("T")


class Swap:
    """Stands for a gateway that is put in its place later."""

    def __init__(self) -> None:
        self.target: Any = None

    def __getattr__(self, verb: str) -> Any:
        return getattr(self.target, verb)


class Served(httpx2.BaseTransport):
    """Answers requests by calling an app in a loop of its own, without a socket; from any thread.

    Making an app takes longer than most tests, so one serves many, one after the other: each puts in its own gateways.
    """

    def __init__(self, access: Access | None = None) -> None:
        self._execution, self._administration = Swap(), Swap()
        application = build_app(cast("Any", self._execution), cast("Any", self._administration), access)
        self._app: Any = application.gate
        self._feed = application.feed
        self._loop = asyncio.new_event_loop()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served", daemon=True)
        self._thread.start()
        self._lifespan = self._start()

    def open(self, execution: Execution, administration: Administration) -> None:
        """Serve these from now on, as a server that has just started."""
        self._execution.target, self._administration.target = execution, administration
        self._feed.__init__(cast("Any", self._execution))

    def end(self) -> None:
        """Serve them no more; who still follows is told that this is the end."""
        self._run(self._feed.close())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._run(self._answer(request))

    def stop(self) -> None:
        """Shut the app down as a server does."""
        self._loop.call_soon_threadsafe(self._inbox.put_nowait, {"type": "lifespan.shutdown"})
        self._lifespan.result()
        self._run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, task: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result()

    def _start(self) -> Any:
        began = threading.Event()
        self._inbox.put_nowait({"type": "lifespan.startup"})

        async def send(message: dict[str, Any]) -> None:
            assert not message["type"].endswith("failed"), message
            began.set()

        async def live() -> None:
            await self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, self._inbox.get, send)

        running = asyncio.run_coroutine_threadsafe(live(), self._loop)
        running.add_done_callback(lambda _: began.set())
        assert began.wait(60)
        if running.done():
            running.result()
        return running

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        status, body = 0, bytearray()
        headers: list[tuple[bytes, bytes]] = []
        incoming = [{"type": "http.request", "body": request.read(), "more_body": False}]
        ended = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop()
            await ended.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    ended.set()  # as a server does: whoever streams waits for it

        path, _, query = request.url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        await self._app(scope, receive, send)
        ended.set()
        return httpx2.Response(status, headers=headers, content=bytes(body), request=request)


class Stands:
    """The apps of one test process."""

    def __init__(self) -> None:
        self._free: list[Served] = []

    def take(self) -> Served:
        """An app that nobody uses."""
        return self._free.pop() if self._free else Served()

    def give_back(self, served: Served) -> None:
        served.end()
        self._free.append(served)

    def close(self) -> None:
        for served in self._free:
            served.stop()
