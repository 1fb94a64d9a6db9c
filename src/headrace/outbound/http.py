"""Requests to other machines, under one policy of where they may go (`outbound.egress`).

Redirects are answers like any other. A proxy of the environment is used only where every address is allowed, since it would
resolve names by itself. A request has one time limit, for all of it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct, field

from headrace.outbound.egress import ANYWHERE, Deadline, Egress, Undelivered

TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
LONGEST_REST = 3600.0
"""The most seconds that the other side may ask to be left alone for."""

LARGEST_ANSWER = 1024 * 1024
"""The most bytes of an answer that are read; what comes after them is cut off."""

PASSING = frozenset({408, 409, 421, 423, 425, 429})
"""The refusals that another try may cure; the others of their kind (4xx) and redirects last."""


class Answer(Struct, frozen=True):
    """What was answered."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises `ValueError` when it is none."""
        return json.loads(self.content)


class Outgoing(Struct, frozen=True, kw_only=True):
    """A request. Of `json`, `form` and `content` at most one is given."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    params: Mapping[str, str] | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None
    cookies: Mapping[str, str] | None = None
    auth: tuple[str, str] | None = None
    timeout: float = TIMEOUT
    verify: bool = True
    allow_private: bool = False

    @property
    def host(self) -> str:
        """Whom it is for, as far as its address says."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""


def send(request: Outgoing, wire: httpx2.BaseTransport | None = None, egress: Egress = ANYWHERE) -> Answer:
    """Send a request and return the answer, whatever it says. Raises `Undelivered` in one line without the address, which
    may be a secret: for what cannot be an address, is private and not allowed, or does not answer.
    """
    url, headers, extensions = request.url, dict(request.headers), dict[str, Any]()
    host, port, secure = _read_address(url)
    within = egress if request.allow_private else Egress(seconds=egress.seconds)
    seconds = min(request.timeout, egress.seconds)
    if not within.private:
        url = _go_to(url, within.choose(host, port))
        headers.setdefault("Host", urlsplit(request.url).netloc.rpartition("@")[2])
        extensions["sni_hostname"] = host
    late = Undelivered(f"{host} has not answered within {seconds:g} s.")
    with Deadline(seconds) as deadline:
        try:
            with (
                httpx2.Client(
                    # Reading the certificates takes longer than a request, and without TLS nothing is checked by them.
                    verify=secure and request.verify,
                    follow_redirects=False,
                    trust_env=within.private and not _is_loopback(host),
                    timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT)),
                    transport=wire,
                    cookies=None if request.cookies is None else dict(request.cookies),
                ) as client,
                client.stream(
                    request.method,
                    url,
                    # What is packed may unpack to any size.
                    headers={"User-Agent": "headrace", "Accept-Encoding": "identity", **headers},
                    params=request.params,
                    json=request.json,
                    data=request.form,
                    content=request.content,
                    auth=request.auth,
                    extensions={**extensions, "trace": _watch_by(deadline)},
                ) as response,
            ):
                answer = Answer(response.status_code, dict(response.headers), _read(response))
        except httpx2.TimeoutException:
            raise late from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            if deadline.passed:
                raise late from None
            said = " ".join(str(error).split()).replace(request.url, host) or type(error).__name__
            raise Undelivered(f"{host} cannot be reached: {said}.") from None
    if deadline.passed:
        raise late
    return answer


def check_taken(answer: Answer, host: str) -> Answer:
    """The answer, if the request was taken. Raises `Undelivered` with what was said instead."""
    if answer.is_success:
        return answer
    said = " ".join(answer.text.split())[:200]
    lasting = 300 <= answer.status_code < 500 and answer.status_code not in PASSING
    rest = answer.headers.get("retry-after", "")
    raise Undelivered(
        f"{host} answers {answer.status_code}{f': {said}' if said else ''}.",
        lasting=lasting,
        retry_after=min(float(rest), LONGEST_REST) if rest.isdecimal() else None,
    )


def _watch_by(deadline: Deadline) -> Any:
    """What tells a deadline of the connection that it may have to cut."""

    def tell(name: str, info: Mapping[str, Any]) -> None:
        if name.endswith("connect_tcp.complete"):
            deadline.watch(info["return_value"].get_extra_info("socket"))

    return tell


def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) >= LARGEST_ANSWER:
            break
    return bytes(body[:LARGEST_ANSWER])


def _read_address(url: str) -> tuple[str, int, bool]:
    """The host and port of an address, and whether it is reached by TLS."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise Undelivered(
            "This is no address of a web server: it begins with http:// or https://, and a host follows.", lasting=True
        )
    return host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https"


def _go_to(url: str, address: str) -> str:
    """The same address, with the host as it was resolved."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    place = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{credentials}{at}{place}{port}").geturl()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
