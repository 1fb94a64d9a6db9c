"""What becomes of answers, and of none."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from headrace.base import errors
from headrace.client.transport import Transport, is_a_server

URL = "http://me:s3cret@server.invalid/api"


def transport(answer: Callable[[httpx2.Request], httpx2.Response], key: str | None = None) -> Transport:
    return Transport(URL, key, wire=httpx2.MockTransport(answer))


def answering(status: int, content: Any = None, **headers: str) -> Transport:
    return transport(lambda request: httpx2.Response(status, headers=headers, json=content))


@pytest.mark.parametrize(
    ("status", "content", "kind", "text"),
    [
        (404, {"detail": "There is no run."}, errors.ObjectNotFound, "There is no run."),
        (409, {"exception_message": "It exists."}, errors.ObjectAlreadyExists, "It exists."),
        (409, {"detail": "It is fenced.", "error": "StaleEpoch"}, errors.StaleEpoch, "It is fenced."),
        (422, {"detail": "body: A page\nis large."}, errors.InvalidRequest, "A page is large."),
        (422, {"detail": "body.name: It is\ntoo long."}, errors.InvalidRequest, "name: It is too long."),
        (422, {"detail": "body: Facts are gone.", "error": "LostFacts"}, errors.LostFacts, "Facts are gone."),
        (413, None, errors.InvalidRequest, "answers 413"),
        (401, {"exception_message": "Unauthorized"}, errors.NotAuthorized, "HEADRACE_API_KEY"),
        (403, {"detail": "You may not."}, errors.NotAuthorized, "You may not."),
        (500, {"exception_message": "Unforeseen."}, errors.GatewayError, "Unforeseen."),
        (502, None, errors.Unavailable, "answers 502"),
        (418, ["no", "object"], errors.GatewayError, "answers 418"),
    ],
)
def test_a_status_stands_for_an_error_in_one_line(
    status: int, content: Any, kind: type[errors.HeadraceError], text: str
) -> None:
    with pytest.raises(kind, match=text) as raised:
        answering(status, content).send("GET", "/flows/1")
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_waiting_may_cure_is_unavailable(status: int) -> None:
    with pytest.raises(errors.Unavailable) as raised:
        answering(status).send("GET", "/flows/1")
    assert raised.value.retry_after is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2.5", 2.5),
        ("-3", 0.0),
        ("1e9", 60.0),
        ("nan", None),
        ("soon", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 60.0),
    ],
)
def test_a_server_says_when_to_come_again(text: str, seconds: float | None) -> None:
    with pytest.raises(errors.Unavailable) as raised:
        answering(503, {"detail": "Busy."}, **{"Retry-After": text}).send("GET", "/flows/1")
    assert raised.value.retry_after == seconds


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with pytest.raises(errors.ConfigurationError, match="set HEADRACE_API_URL"):
        answering(307, location="https://server.invalid/api/flows/1").send("GET", "/flows/1")


def test_a_key_that_breaks_its_header_is_not_repeated() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.LocalProtocolError(f"Illegal header value {request.headers['authorization']!r}")

    with pytest.raises(errors.Unavailable, match="was not sent: HTTP does not allow it") as raised:
        Transport("http://server.invalid/api", "sesame\n", wire=httpx2.MockTransport(refuse)).send("GET", "/flows/1")
    assert "sesame" not in str(raised.value)


def test_a_connection_that_broke_is_made_anew_for_what_may_be_repeated() -> None:
    asked: list[str] = []

    def break_once(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.method)
        if len(asked) % 2:
            raise httpx2.RemoteProtocolError("Server disconnected")
        return httpx2.Response(200, content=b"1")

    assert transport(break_once).send("GET", "/flows/1", repeatable=True) == b"1"
    with pytest.raises(errors.Unavailable, match="broke: Server disconnected"):
        transport(break_once).send("POST", "/artifacts/", b"{}")
    assert asked == ["GET", "GET", "POST"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), r"Nothing answers at .* \(Connection refused\)"),
        (httpx2.ConnectTimeout("timed out"), "Nothing answers"),
        (httpx2.ReadTimeout("timed out"), "not answered in time"),
    ],
)
def test_no_answer_is_unavailable(error: Exception, text: str) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(errors.Unavailable, match=text):
        transport(fail).send("GET", "/flows/1")


def test_the_key_is_shown_with_every_request() -> None:
    seen: list[str] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["authorization"])
        return httpx2.Response(200)

    Transport("http://server.invalid/api", "sesame", wire=httpx2.MockTransport(note)).send("GET", "/server")
    transport(note, key="sesame").send("GET", "/server")
    assert seen == ["Bearer sesame", "Basic bWU6czNjcmV0"], "what the address itself says comes first"


def test_nothing_is_sent_once_it_is_closed() -> None:
    closed = answering(200)
    closed.close()
    closed.close()
    with pytest.raises(errors.Unavailable, match="closed"):
        closed.send("GET", "/server")


@pytest.mark.parametrize(
    ("status", "content", "ours"),
    [
        (200, {"product": "headrace"}, True),
        (200, {"product": "something else"}, False),
        (200, ["no", "object"], False),
        (404, {"detail": "Not Found"}, False),
    ],
)
def test_a_server_of_ours_is_known(status: int, content: Any, ours: bool) -> None:
    assert is_a_server(answering(status, content)) is ours
