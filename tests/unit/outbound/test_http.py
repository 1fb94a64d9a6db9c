"""Requests go where they may, and nowhere else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.outbound import http
from headrace.outbound.http import Answer, Outgoing, Undelivered, check_taken, is_private, send
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
    ],
)  # fmt: skip
def test_an_address_is_private_or_not(address: str, private: bool) -> None:
    assert is_private(address) is private


def test_one_private_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "resolve", lambda _host, _port: ["8.8.8.8", "10.0.0.1"])  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(Undelivered, match=r"two\.test is at a private address, 10\.0\.0\.1"):
        ask("https://two.test/", allow_private=False)


def test_a_name_is_resolved_once(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    def is_public(_address: str) -> bool:
        return False

    monkeypatch.setattr(http, "resolve", resolve)
    monkeypatch.setattr(http, "is_private", is_public)
    port = int(web.url.rpartition(":")[2])
    assert ask(f"http://service.test:{port}/way", allow_private=False).text == "ok"
    assert asked == [("service.test", port)]
    assert web.received[0].headers["host"] == f"service.test:{port}"


def test_an_unknown_host_is_said() -> None:
    with pytest.raises(Undelivered, match=r"There is no host no-such-host\.invalid"):
        ask("https://no-such-host.invalid/", allow_private=False)
