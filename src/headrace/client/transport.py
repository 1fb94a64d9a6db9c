"""The way over the wire: one HTTP client per process, whose failures become our errors.

Whatever may be cured by waiting is `Unavailable`: no connection, no answer in time, an answer that says "later". It carries
the seconds the server asked to wait. Everything else is a sentence about what was refused.
"""

from __future__ import annotations

import contextlib
import email.utils
import ipaddress
import math
import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from headrace.base import clock, errors
from headrace.base.settings import hide_password

TIMEOUT = 30.0
"""Seconds one answer may take, unless the request says otherwise."""

CONNECT_TIMEOUT = 5.0

KEEPALIVE = 3.0
"""Seconds an idle connection is kept: less than servers keep theirs, so none is used just as it is being closed."""

LATER = frozenset({408, 429, 502, 503, 504})
"""Answers that ask to come again."""

LONGEST_WAIT = 60.0
"""The most seconds that a server can ask us to wait."""

JSON = "application/json"


class Transport:
    """Requests to one API. Any thread may send; connections are reused.

    A forked child makes connections of its own: those of its parent carry the parent's answers.
    """

    def __init__(self, api_url: str, api_key: str | None = None, wire: httpx2.BaseTransport | None = None) -> None:
        self.url = api_url.rstrip("/")
        self.shown = hide_password(self.url)
        self.api_key = api_key
        self._wire = wire
        self._headers = {"User-Agent": "headrace", "Accept-Encoding": "gzip, deflate"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._owner = os.getpid()
        self._closed = False

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        media: str = JSON,
        query: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        repeatable: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a request below the API's address and return the answer's body.

        `headers` are further ones. A `repeatable` request is sent again at once when the connection broke under it, which
        befalls idle ones.
        Raises `Unavailable` and the errors that statuses stand for: `ObjectNotFound`, `ObjectAlreadyExists` (409),
        `InvalidRequest`, `NotAuthorized`; `GatewayError` for what nobody foresaw.
        """
        response = self.fetch(
            method, path, content, media=media, query=query, headers=headers, timeout=timeout, repeatable=repeatable
        )
        if response.status_code < 300:
            return response.content
        raise self._refusal(response)

    def fetch(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        media: str = JSON,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        repeatable: bool = False,
    ) -> httpx2.Response:
        """Send a request as `send` does, and return the answer whatever it is. Raises `Unavailable` when there is none."""
        sent = {**({"Content-Type": media} if content is not None else {}), **(headers or {})}
        try:
            return self._exchange(method, path, content, sent, query, timeout, repeatable)
        except httpx2.ConnectTimeout:
            raise errors.Unavailable(f"Nothing answers at {self.shown}: no connection in time.") from None
        except httpx2.TimeoutException:
            raise errors.Unavailable(f"The server at {self.shown} has not answered in time.") from None
        except httpx2.ConnectError as error:
            raise errors.Unavailable(
                f"Nothing answers at {self.shown} ({_say(error)}): start the server there, or set HEADRACE_API_URL anew."
            ) from None
        except httpx2.LocalProtocolError:
            # What it says may repeat a header, and with it the key.
            raise errors.Unavailable(
                f"A request to {self.shown} was not sent: HTTP does not allow it. Look for line breaks in its headers, "
                "of which the key is one."
            ) from None
        except (httpx2.HTTPError, OSError) as error:
            raise errors.Unavailable(f"The connection to {self.shown} broke: {_say(error)}.") from None
        except httpx2.InvalidURL as error:
            raise errors.ConfigurationError(f"HEADRACE_API_URL={self.shown!r} is no address: {error}.") from None

    def close(self) -> None:
        """Close the connections; nothing may be sent afterwards. Closing twice does no harm."""
        with self._lock:
            client, self._client, self._closed = self._client, None, True
        if client is not None and self._owner == os.getpid():
            client.close()

    def _exchange(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        timeout: float,
        repeatable: bool,
    ) -> httpx2.Response:
        def exchange() -> httpx2.Response:
            return self._open().request(
                method,
                self.url + path,
                content=content,
                params=query,
                headers=headers,
                timeout=httpx2.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            )

        try:
            return exchange()
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            if not repeatable:
                raise
            return exchange()

    def _open(self) -> httpx2.Client:
        client = self._client
        if client is not None and self._owner == os.getpid():
            return client
        with self._lock:
            if self._closed:
                raise errors.Unavailable(f"The connection to {self.shown} was closed in this process.")
            if self._client is None or self._owner != os.getpid():
                self._owner = os.getpid()
                self._client = self._make()
            return self._client

    def _make(self) -> httpx2.Client:
        host = urlsplit(self.url).hostname or ""
        return httpx2.Client(
            headers=self._headers,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=KEEPALIVE),
            follow_redirects=False,
            # Reading the certificates takes longer than a request, and without TLS nothing is checked by them.
            verify=self.url.startswith("https:"),
            trust_env=not _is_loopback(host),
            transport=self._wire,
        )

    def _refusal(self, response: httpx2.Response) -> errors.HeadraceError:
        """The error that an answer stands for."""
        status = response.status_code
        said, name = _read_reason(response)
        if status in LATER:
            wait = _read_wait(response.headers.get("retry-after"))
            return errors.Unavailable(said or f"The server at {self.shown} answers {status}.", wait)
        if 300 <= status < 400:
            target = response.headers.get("location", "elsewhere")
            return errors.ConfigurationError(
                f"{self.shown} points to {hide_password(target)}: set HEADRACE_API_URL to the API's own address."
            )
        if status in {401, 403}:
            return errors.NotAuthorized(
                f"The server at {self.shown} refuses: {said or status}. Set HEADRACE_API_KEY to a key it knows."
                if status == 401
                else said or f"The server at {self.shown} does not allow this."
            )
        kind = _NAMED.get(name) or _KINDS.get(status, errors.GatewayError)
        return kind(said or f"The server at {self.shown} answers {status}.")


_NAMED: dict[Any, type[errors.GatewayError]] = {
    kind.__name__: kind
    for kind in (errors.ObjectNotFound, errors.ObjectAlreadyExists, errors.StaleEpoch, errors.LostFacts)
}
"""The errors that our own server calls by name."""

_KINDS: dict[int, Callable[[str], errors.GatewayError]] = {
    400: errors.InvalidRequest,
    404: errors.ObjectNotFound,
    405: errors.InvalidRequest,
    409: errors.ObjectAlreadyExists,
    413: errors.InvalidRequest,
    422: errors.InvalidRequest,
}


def is_a_server(transport: Transport) -> bool:
    """Whether what answers at the address is a Headrace server. Raises `Unavailable` when nothing does."""
    try:
        told = msgspec.json.decode(transport.send("GET", "/server", timeout=CONNECT_TIMEOUT, repeatable=True))
    except (errors.ObjectNotFound, errors.InvalidRequest, msgspec.DecodeError):
        return False
    return isinstance(told, dict) and cast("dict[str, Any]", told).get("product") == "headrace"


def _read_reason(response: httpx2.Response) -> tuple[str | None, Any]:
    """What the answer says in a sentence, in one line, and what our own server calls it."""
    try:
        told = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return None, None
    if not isinstance(told, dict):
        return None, None
    reasons = cast("dict[str, Any]", told)
    text = reasons.get("detail") or reasons.get("exception_message")
    name = reasons.get("error")
    said = " ".join(text.split()).removeprefix("body: ").removeprefix("body.") if isinstance(text, str) else None
    return said, name if isinstance(name, str) else None


def _read_wait(text: str | None) -> float | None:
    """The seconds that `Retry-After` asks to wait: a number, or the date until which."""
    if text is None:
        return None
    seconds: float | None = None
    with contextlib.suppress(ValueError):
        seconds = float(text)
    if seconds is None:
        with contextlib.suppress(TypeError, ValueError):
            seconds = (email.utils.parsedate_to_datetime(text) - clock.now()).total_seconds()
    return None if seconds is None or math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_WAIT)


def _say(error: Exception) -> str:
    """What went wrong with a connection, in a few words."""
    said = re.sub(r"\[[^]]*\]", "", str(error))  # numbers of errors, which tell people nothing
    return " ".join(said.split()).rstrip(".") or type(error).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
