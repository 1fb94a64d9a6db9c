"""The process that beats: it begins by itself, hears what begins and ends, and is gone with the one it beats for."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import msgspec
import pytest

from headrace.base.ids import uuid7
from headrace.client.execution import RemoteExecution
from headrace.client.heart import Heart
from headrace.client.transport import Transport
from headrace.schema import calls


class Beats(ThreadingHTTPServer):
    """Takes beats, and answers that those in `fenced` are over."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.heard: queue.Queue[dict[UUID, int]] = queue.Queue()
        self.keys: set[str | None] = set()
        self.fenced: list[UUID] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/api"

    def hear(self, wanted: dict[UUID, int]) -> None:
        """Return when exactly these attempts have been beaten for."""
        while self.heard.get(timeout=60) != wanted:
            pass


class Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Beats)
        body = self.rfile.read(int(self.headers["content-length"]))
        beats = msgspec.msgpack.decode(body, type=calls.BeatAll).beats
        self.server.keys.add(self.headers["authorization"])
        self.server.heard.put({beat.flow_run_id: beat.epoch for beat in beats})
        answer = msgspec.msgpack.encode(self.server.fenced)
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture
def beats() -> Iterator[Beats]:
    with Beats() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def heart(beats: Beats) -> Iterator[Heart]:
    transport = Transport(beats.url, "sesame")
    made = Heart(transport, RemoteExecution(transport).beat, 0.2)
    yield made
    made.stop()
    transport.close()


def test_attempts_are_beaten_for_from_their_beginning_to_their_end(beats: Beats, heart: Heart) -> None:
    first, second = uuid7(), uuid7()
    heart.begin(first, 1)
    beats.hear({first: 1})
    heart.begin(second, 4)
    heart.begin(first, 2)
    beats.hear({first: 2, second: 4})
    heart.end(first)
    heart.end(first)
    beats.hear({second: 4})
    assert beats.keys == {"Bearer sesame"}


def test_a_fenced_attempt_is_beaten_for_no_more(beats: Beats, heart: Heart) -> None:
    first, second = uuid7(), uuid7()
    beats.fenced = [first]
    heart.begin(first, 1)
    heart.begin(second, 1)
    beats.hear({first: 1, second: 1})
    beats.hear({second: 1})


def test_without_a_shell_a_thread_beats(beats: Beats, heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.client.heart.SHELL", "/nowhere/sh")
    first, second = uuid7(), uuid7()
    beats.fenced = [second]
    heart.begin(first, 1)
    heart.begin(second, 1)
    beats.hear({first: 1, second: 1})
    beats.hear({first: 1})


def test_a_process_that_died_is_started_again(beats: Beats, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(beats.url)
    run = uuid7()
    launched: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def launch(*args: object, **options: object) -> subprocess.Popen[bytes]:
        launched.append(popen(*args, **options))  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownArgumentType]
        return launched[-1]

    monkeypatch.setattr(subprocess, "Popen", launch)
    heart = Heart(transport, lambda _: [], 0.2)
    heart.begin(run, 1)
    beats.hear({run: 1})
    launched[0].kill()
    launched[0].wait()
    while not beats.heard.empty():
        beats.heard.get()
    beats.hear({run: 1})
    assert len(launched) == 2
    heart.stop()
    transport.close()


def test_the_process_ends_with_its_input(beats: Beats) -> None:
    run = uuid7()
    charge = msgspec.json.encode([beats.url, None, 60.0])
    pulse = subprocess.Popen([sys.executable, "-P", "-m", "headrace.client.pulse"], stdin=subprocess.PIPE)
    assert pulse.stdin is not None
    pulse.stdin.write(charge + b"\n" + msgspec.json.encode([run, 3]) + b"\n")
    pulse.stdin.flush()
    beats.hear({run: 3})
    pulse.stdin.close()
    assert pulse.wait(60) == 0


def test_the_process_that_is_told_nothing_ends_too() -> None:
    ended = subprocess.run([sys.executable, "-P", "-m", "headrace.client.pulse"], stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_forked_child_does_not_hold_the_pipe(beats: Beats, heart: Heart) -> None:
    run = uuid7()
    heart.begin(run, 1)
    beats.hear({run: 1})
    process = heart._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    waiting, go_on = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_on)
        os.read(waiting, 1)
        os._exit(0)
    assert process.stdin is not None
    process.stdin.close()  # as if this process had died
    assert process.wait(60) == 0
    os.close(go_on)
    os.close(waiting)
    os.waitpid(child, 0)
