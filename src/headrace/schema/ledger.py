"""The form of a ledger: a file in which a process notes facts that must survive it, before they are delivered.

Each entry is a batch, packed, after four bytes that tell its length. An entry that a death has cut short was never
acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from headrace.schema.fact import Batch

_LENGTH: Final = 4
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Batch).decode


def pack_entry(batch: Batch) -> bytes:
    """The entry of a batch."""
    body = _encode(batch)
    return len(body).to_bytes(_LENGTH, "big") + body


def read_entries(content: bytes) -> Iterator[Batch]:
    """The batches of a ledger, in the order in which they were noted, up to the first that is not whole."""
    place = 0
    while len(content) >= place + _LENGTH:
        end = place + _LENGTH + int.from_bytes(content[place : place + _LENGTH], "big")
        if end > len(content):
            return
        try:
            yield _decode(content[place + _LENGTH : end])
        except msgspec.DecodeError:
            return
        place = end
