"""What a supervised process is told of the run it is to execute, and what its supervisor tells back."""

from __future__ import annotations

import socket
from typing import Any

import msgspec
from msgspec import Struct

from headrace.schema.orchestration import Claim

_LENGTH = 8


class Charge(Struct, kw_only=True):
    """A claimed run, and where and how it is to be executed.

    `environ` is the whole environment of the process, `folder` a directory of the run's own that is removed afterwards.
    `grace` is how many seconds a run that is to end has for it.
    """

    claim: Claim
    deployment_name: str
    entrypoint: str
    pull_steps: list[dict[str, Any]]
    environ: dict[str, str]
    folder: str
    working_dir: str | None
    grace: float


class Ending(Struct, kw_only=True):
    """How a supervised process ended: its exit code, negative for a signal, and whether its run crashed with it."""

    code: int
    crashed: bool


END = b"!"
"""What a supervisor is told when its run is to end."""


def send_charge(channel: socket.socket, charge: Charge) -> None:
    """Tell it over a stream."""
    body = msgspec.msgpack.encode(charge)
    channel.sendall(len(body).to_bytes(_LENGTH, "big") + body)


def receive_charge(channel: socket.socket) -> Charge:
    """Hear it. Raises `EOFError` when whoever was to tell it has ended."""
    length = int.from_bytes(_receive(channel, _LENGTH), "big")
    return msgspec.msgpack.decode(_receive(channel, length), type=Charge)


def _receive(channel: socket.socket, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = channel.recv(min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
