"""Digests and signatures. The libraries are imported when the first one is made: many scripts never make any."""

from __future__ import annotations

import os
from zlib import crc32


def digest(*parts: bytes, size: int = 16) -> str:
    """A digest of `size` bytes, in hexadecimal, that nobody finds a second text for (BLAKE2b)."""
    from hashlib import blake2b

    made = blake2b(digest_size=size)
    for part in parts:
        made.update(part)
    return made.hexdigest()


def checksum(text: str) -> str:
    """Eight digits that tell texts apart which nobody chose to be alike (CRC-32)."""
    return f"{crc32(text.encode(errors='surrogatepass')):08x}"


def sign(key: bytes, *parts: bytes) -> str:
    """The parts' signature under the key, in hexadecimal (HMAC with SHA-256)."""
    import hmac

    signature = hmac.new(key, digestmod="sha256")
    for part in parts:
        signature.update(part)
    return signature.hexdigest()


def is_same(one: str, other: str) -> bool:
    """Whether two signatures are the same, in a time that does not tell where they part."""
    from hmac import compare_digest

    return compare_digest(one.encode(), other.encode())


def random_name() -> str:
    """A short name for a temporary file that nobody else draws."""
    return os.urandom(4).hex()
