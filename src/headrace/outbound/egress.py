"""Where what leaves may go, and for how long.

A host's name is resolved once, all its addresses are judged, and the connection goes to one that was: no second answer of a
name server can lead elsewhere.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct

from headrace.base.errors import HeadraceError

Resolve = Callable[[str, int], list[str]]


CARRYING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
"""Networks whose addresses end in one of IPv4: translated by the network (RFC 6052), and compatible, of old (RFC 4291)."""
LOCAL_TRANSLATION = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Addresses that a network translates as it likes (RFC 8215)."""


class Undelivered(HeadraceError):
    """Something did not get there, was not let out, or was answered with an error.

    `lasting` says that it would be so another time as well; `retry_after` is the seconds that the other side asked to be left
    alone for, if it did.
    """

    def __init__(self, message: str = "", *, lasting: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.retry_after = retry_after


class Egress(Struct, frozen=True, kw_only=True):
    """Which addresses may be reached that are not of the public internet: all of them (`private`), or those of some networks;
    and how long a request, or handing over a mail, may take.
    """

    private: bool = False
    networks: tuple[str, ...] = ()
    seconds: float = 60.0

    def allows(self, address: str) -> bool:
        """Whether an address may be reached."""
        if self.private or not is_private(address):
            return True
        known = ipaddress.ip_address(address.partition("%")[0])
        return any(known in ipaddress.ip_network(network, strict=False) for network in self.networks)

    def choose(self, host: str, port: int) -> str:
        """An address of the host, all of which may be reached. Raises `Undelivered`."""
        try:
            addresses = resolve(host, port)
        except (OSError, UnicodeError):
            raise Undelivered(f"There is no host {host}.") from None
        for address in addresses:
            if not self.allows(address):
                raise Undelivered(
                    f"{host} is at a private address, {address}, where requests are not let go.", lasting=True
                )
        return addresses[0]


ANYWHERE = Egress(private=True)
"""What a user's own process may reach: all that the user may."""
PUBLIC = Egress()
"""The internet alone."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_private(address: str) -> bool:
    """Whether an address is not one of the public internet: of this machine, of its network, of a cloud's own services.

    An address of IPv6 that stands for one of IPv4 is as private as that one.
    """
    known = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, ipaddress.IPv4Address):
        return not known.is_global or known.is_multicast
    local = known.is_multicast or known.is_site_local or known in LOCAL_TRANSLATION
    return local or not known.is_global or any(not each.is_global for each in _carried(known))


def _carried(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The addresses of IPv4 that what is sent to an address may reach: by its mapping, its tunnel, or its translation."""
    last = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    translated = last if any(address in network for network in CARRYING) else None
    single = (address.ipv4_mapped, address.sixtofour, translated)
    return [*(each for each in single if each is not None), *(address.teredo or ())]


class Deadline:
    """Cuts a connection when its time has passed, however little the other side says at a time.

    A time limit on each wait alone would let somebody who sends a byte now and then hold on to us for hours.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection when the time has passed, also if another socket has taken it over by then, to encrypt it."""
        with self._lock:
            self._let_go()
            self._connection = socket.fromfd(connection.fileno(), connection.family, connection.type)
            if self.passed:
                self._cut()

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            self._cut()

    def _cut(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._connection.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._let_go()
