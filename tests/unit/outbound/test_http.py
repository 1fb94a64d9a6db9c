"""Requests go where they may, and nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.outbound import egress, http
from headrace.outbound.egress import Egress, Undelivered, is_private
from headrace.outbound.http import Answer, Outgoing, check_taken, send
from tests.unit.outbound.receivers import WebReceiver, receive_web


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with receive_web() as receiver:
        yield receiver


def ask(url: str, method: str = "POST", **more: Any) -> Answer:
    told: dict[str, Any] = {"allow_private": True, **more}
    return send(Outgoing(method=method, url=url, **told))


def test_a_request_arrives_as_it_was_written(web: WebReceiver) -> None:
    web.body, web.status = b'{"a": "\xc3\xbc"}', 201
    answer = ask(f"{web.url}/way?x=1", headers={"X-Key": "k"}, json={"total": 6}, cookies={"c": "1"}, auth=("me", "pw"))
    assert (answer.status_code, answer.is_success, answer.text, answer.json()) == (201, True, '{"a": "ü"}', {"a": "ü"})
    (received,) = web.received
    assert (received.method, received.path, received.json) == ("POST", "/way?x=1", {"total": 6})
    told = received.headers
    assert (told["x-key"], told["cookie"], told["authorization"]) == ("k", "c=1", "Basic bWU6cHc=")
    ask(web.url, "PUT", form={"a": "b c"}, params={"q": "1"})
    ask(web.url, "DELETE", content=b"raw")
    assert (web.received[1].form, web.received[1].query, web.received[2].body) == ({"a": "b c"}, {"q": "1"}, b"raw")


def test_a_redirect_is_an_answer(web: WebReceiver) -> None:
    web.status, web.headers = 302, {"Location": f"{web.url}/elsewhere"}
    answer = ask(web.url)
    assert (answer.status_code, answer.is_success, len(web.received)) == (302, False, 1)


def test_an_answer_is_read_to_a_bound(web: WebReceiver) -> None:
    web.body = b"x" * (http.LARGEST_ANSWER + 5)
    assert len(ask(web.url).content) == http.LARGEST_ANSWER


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(301, True), (400, True), (404, True), (410, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_some_refusals_last(status: int, lasting: bool) -> None:
    with pytest.raises(Undelivered) as told:
        check_taken(Answer(status), "host")
    assert told.value.lasting is lasting


@pytest.mark.parametrize(
    ("asked", "rest"),
    [("7", 7.0), ("999999", http.LONGEST_REST), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
def test_the_other_side_may_ask_to_be_left_alone(asked: str, rest: float | None) -> None:
    with pytest.raises(Undelivered) as told:
        check_taken(Answer(429, {"retry-after": asked}), "host")
    assert told.value.retry_after == rest


def test_what_was_not_taken_is_said() -> None:
    assert check_taken(Answer(204), "host").status_code == 204
    with pytest.raises(Undelivered, match=r"^host answers 403: no one\.$"):
        check_taken(Answer(403, content=b"no\n one"), "host")
    with pytest.raises(Undelivered, match=r"^host answers 500\.$"):
        check_taken(Answer(500), "host")


@pytest.mark.parametrize(
    "url", ["", "ftp://host/x", "http://", "no address", "http://[::1", "file:///etc/passwd", "http://h:x/"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    for allowed in (True, False):
        with pytest.raises(Undelivered, match="This is no address of a web server"):
            ask(url, allow_private=allowed)


def test_nobody_there_is_said_without_the_address(web: WebReceiver) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Undelivered, match=r"^127\.0\.0\.1 cannot be reached: ") as told:
        ask(f"http://127.0.0.1:{port}/secret-token")
    assert "secret-token" not in str(told.value)


# where requests may go


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0", "[::ffff:10.0.0.1]"]
)
def test_private_addresses_are_refused_unless_allowed(web: WebReceiver, host: str) -> None:
    with pytest.raises(Undelivered, match="is at a private address"):
        ask(f"http://{host}:{web.url.rpartition(':')[2]}/", allow_private=False)
    assert web.received == []


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("8.8.8.8", False), ("2606:4700::1111", False), ("127.0.0.1", True), ("192.168.1.1", True), ("172.16.0.1", True),
        ("100.64.0.1", True), ("224.0.0.1", True), ("fe80::1%eth0", True), ("fc00::1", True), ("::", True),
        ("::ffff:127.0.0.1", True), ("2002:7f00:1::", True), ("255.255.255.255", True),
        ("64:ff9b::808:808", False), ("64:ff9b::7f00:1", True), ("64:ff9b:1::808:808", True), ("::10.0.0.1", True),
        ("fec0::1", True),
    ],
)  # fmt: skip
def test_an_address_is_private_or_not(address: str, private: bool) -> None:
    assert is_private(address) is private


def test_one_private_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "resolve", lambda _host, _port: ["8.8.8.8", "10.0.0.1"])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(Undelivered, match=r"two\.test is at a private address, 10\.0\.0\.1"):
        ask("https://two.test/", allow_private=False)


def test_a_name_is_resolved_once(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    def is_public(_address: str) -> bool:
        return False

    monkeypatch.setattr(egress, "resolve", resolve)
    monkeypatch.setattr(egress, "is_private", is_public)
    port = int(web.url.rpartition(":")[2])
    assert ask(f"http://service.test:{port}/way", allow_private=False).text == "ok"
    assert asked == [("service.test", port)]
    assert web.received[0].headers["host"] == f"service.test:{port}"


def test_an_unknown_host_is_said() -> None:
    with pytest.raises(Undelivered, match=r"There is no host no-such-host\.invalid"):
        ask("https://no-such-host.invalid/", allow_private=False)


def test_some_networks_may_be_allowed(web: WebReceiver) -> None:
    within = Egress(networks=("10.0.0.0/8", "127.0.0.0/8", "::1/128"))
    request = Outgoing(method="GET", url=web.url, allow_private=True)
    assert send(request, egress=within).is_success
    with pytest.raises(Undelivered, match="is at a private address") as told:
        send(request, egress=Egress(networks=("10.0.0.0/8", "::/0")))
    assert told.value.lasting
    with pytest.raises(Undelivered, match="is at a private address"):
        send(Outgoing(method="GET", url=web.url), egress=within)
    assert len(web.received) == 1


def test_a_name_that_is_bound_anew_leads_nowhere_else(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer of the name server is judged, and where it points is where the request goes."""
    answers = iter([["203.0.113.7"], ["127.0.0.1"]])
    connected: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> socket.socket:
        connected.append(address)
        raise OSError("unreachable")

    monkeypatch.setattr(egress, "resolve", lambda _host, _port: next(answers))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(egress, "is_private", lambda address: address == "127.0.0.1")  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Undelivered, match=r"rebinds\.test cannot be reached"):
        ask(f"http://rebinds.test:{web.url.rpartition(':')[2]}/", allow_private=False)
    assert [host for host, _ in connected] == ["203.0.113.7"]
    assert web.received == []


def test_a_redirect_inward_is_not_followed(web: WebReceiver) -> None:
    with receive_web() as inner:
        web.status, web.headers = 307, {"Location": inner.url}
        assert ask(web.url).status_code == 307
        assert inner.received == []


@pytest.mark.parametrize(
    ("scheme", "head"),
    [
        ("http", b""),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("https", b"\x16\x03\x03\x40\x00"),  # a handshake of 16 KiB begins
    ],
)
def test_an_answer_that_never_ends_is_cut(scheme: str, head: bytes) -> None:
    """A byte now and then keeps every single wait short; the whole has a limit as well."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(head)
            while not ended.wait(0.02):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(Undelivered, match=r"^127\.0\.0\.1 has not answered within 0\.3 s\.$"):
            ask(url, timeout=0.3)
        ended.set()
        thread.join()


def test_somebody_who_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        request = Outgoing(method="GET", url=f"http://127.0.0.1:{silent.getsockname()[1]}/", allow_private=True)
        with pytest.raises(Undelivered, match=r"^127\.0\.0\.1 has not answered within 0\.2 s\.$") as told:
            send(request, egress=Egress(private=True, seconds=0.2))
    assert not told.value.lasting


def test_what_is_packed_is_not_unpacked(web: WebReceiver) -> None:
    web.body, web.headers = b"\x1f\x8b" + b"\0" * 20, {"Content-Encoding": "gzip"}
    assert ask(web.url).content == web.body
    assert web.received[0].headers["accept-encoding"] == "identity"
