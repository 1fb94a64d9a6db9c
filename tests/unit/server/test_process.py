import asyncio
import errno
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from websockets.sync.client import connect

from headrace.base.errors import ConfigurationError
from headrace.server.app import Application
from headrace.server.feed import Feed
from headrace.server.instances import FOLDER, Instance, find_instance, find_instances, register
from headrace.server.process import Server, listen, write_url


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Port {port} of localhost is taken"):
            listen("localhost", port)


@pytest.mark.parametrize("port", [-1, 65_536, 131_072])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"^{port} is no port: choose one from 0 to 65535 with --port.$"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "10.255.255.1"])
def test_an_address_that_is_not_ours_is_said_in_one_sentence(host: str) -> None:
    with pytest.raises(ConfigurationError, match=host) as refused:
        listen(host, 0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EACCES, "may not listen on port 0"), (errno.EMFILE, "Nobody can listen on 127.0.0.1")]
)
def test_why_nobody_can_listen_is_said(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ConfigurationError, match=said):
        listen("127.0.0.1", 0)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])
def test_the_address_is_one_people_can_open(host: str, shown: str) -> None:
    with listen(host, 0) as listener:
        assert write_url(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_servers_of_a_home_are_known_while_they_live(tmp_path: Path) -> None:
    assert find_instances(tmp_path) == {}
    registration = register(tmp_path, 4200, "http://127.0.0.1:4200", "1.0", "sqlite:///x")
    found = find_instance(tmp_path, 4200)
    assert isinstance(found, Instance)
    assert (found.pid, found.url, found.database) == (os.getpid(), "http://127.0.0.1:4200", "sqlite:///x")
    assert [*find_instances(tmp_path)] == [4200]
    assert find_instance(tmp_path, 4201) is None
    if sys.platform != "win32":
        assert (tmp_path / FOLDER).stat().st_mode & 0o077 == 0
        assert (tmp_path / FOLDER / "4200.json").stat().st_mode & 0o077 == 0
    registration.close()
    assert find_instances(tmp_path) == {}


def test_one_that_is_just_beginning_is_not_known_yet(tmp_path: Path) -> None:
    registration = register(tmp_path, 4200, "http://127.0.0.1:4200", "1.0", "sqlite:///x")
    (tmp_path / FOLDER / "4200.json").write_text("{")
    assert find_instance(tmp_path, 4200) is None
    registration.close()


class Slow:
    """An app that deals with a frame only when it is told to."""

    def __init__(self) -> None:
        self.taken = threading.Event()
        self.done = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] == "websocket.receive":
                self.taken.set()
                await asyncio.to_thread(self.done.wait)


def test_a_ping_is_answered_when_what_came_before_it_is_dealt_with() -> None:
    slow = Slow()
    application = Application(cast("Any", slow), cast("Any", None), Feed(cast("Any", None)))
    ready = threading.Event()
    server = Server(application, ready.set)
    with listen("127.0.0.1", 0) as listener:
        url = write_url(listener)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        assert ready.wait(20)
        with connect(url.replace("http", "ws", 1), proxy=None) as opened:
            assert opened.ping().wait(20)
            opened.send("fact")
            pong = opened.ping()
            assert slow.taken.wait(20)
            for _ in range(20):
                httpx2.get(url, trust_env=False)
            assert not pong.is_set()
            slow.done.set()
            assert pong.wait(20)
        server.stop()
        thread.join(20)
