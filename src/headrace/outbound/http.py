"""Requests to other machines, under one policy of where they may go.

A host's name is resolved once, all its addresses are judged, and the connection goes to one that was: no second answer of a
name server can lead elsewhere. Redirects are answers like any other. A proxy of the environment is used only where private
addresses are allowed, since it would resolve names by itself.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct, field

from headrace.base.errors import HeadraceError

TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0

LARGEST_ANSWER = 1024 * 1024
"""The most bytes of an answer that are read; what comes after them is cut off."""

Resolve = Callable[[str, int], list[str]]


class Undelivered(HeadraceError):
    """A request did not get there, was not let out, or was answered with an error."""


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


def send(request: Outgoing, wire: httpx2.BaseTransport | None = None) -> Answer:
    """Send a request and return the answer, whatever it says. Raises `Undelivered` in one line without the address, which
    may be a secret: for what cannot be an address, is private and not allowed, or does not answer.
    """
    url, headers, extensions = request.url, dict(request.headers), dict[str, Any]()
    host, port, secure = _read_address(url)
    if not request.allow_private:
        address = _choose(host, port)
        url = _go_to(url, address)
        headers.setdefault("Host", urlsplit(request.url).netloc.rpartition("@")[2])
        extensions["sni_hostname"] = host
    try:
        with (
            httpx2.Client(
                # Reading the certificates takes longer than a request, and without TLS nothing is checked by them.
                verify=secure and request.verify,
                follow_redirects=False,
                trust_env=request.allow_private and not _is_loopback(host),
                timeout=httpx2.Timeout(request.timeout, connect=min(request.timeout, CONNECT_TIMEOUT)),
                transport=wire,
                cookies=None if request.cookies is None else dict(request.cookies),
            ) as client,
            client.stream(
                request.method,
                url,
                headers={"User-Agent": "headrace", **headers},
                params=request.params,
                json=request.json,
                data=request.form,
                content=request.content,
                auth=request.auth,
                extensions=extensions,
            ) as response,
        ):
            return Answer(response.status_code, dict(response.headers), _read(response))
    except httpx2.TimeoutException:
        raise Undelivered(f"{host} has not answered within {request.timeout:g} s.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        said = " ".join(str(error).split()).replace(request.url, host) or type(error).__name__
        raise Undelivered(f"{host} cannot be reached: {said}.") from None


def check_taken(answer: Answer, host: str) -> Answer:
    """The answer, if the request was taken. Raises `Undelivered` with what was said instead."""
    if answer.is_success:
        return answer
    said = " ".join(answer.text.split())[:200]
    raise Undelivered(f"{host} answers {answer.status_code}{f': {said}' if said else ''}.")


def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
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
        raise Undelivered("This is no address of a web server: it begins with http:// or https://, and a host follows.")
    return host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https"


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _choose(host: str, port: int) -> str:
    """An address of the host, all of which are public ones."""
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        raise Undelivered(f"There is no host {host}.") from None
    for address in addresses:
        if is_private(address):
            raise Undelivered(f"{host} is at a private address, {address}, where requests are not let go.")
    return addresses[0]


def is_private(address: str) -> bool:
    """Whether an address is not one of the public internet: of this machine, of its network, of a cloud's own services."""
    known = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(known, "ipv4_mapped", None) or getattr(known, "sixtofour", None)
    teredo = getattr(known, "teredo", None)
    inner = [mapped] if mapped else list(teredo or ())
    return not known.is_global or known.is_multicast or any(not each.is_global for each in inner)


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
