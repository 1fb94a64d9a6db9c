"""Keys as people write them. What is wrong with one is said without repeating it."""

from __future__ import annotations

import re

SECRETS_KEY_BYTES = 32


def read_key(text: str) -> str:
    """A key as a header carries it, without the space around it that files and shells leave. Raises ValueError."""
    key = text.strip()
    if not key:
        raise ValueError("is no key: there is only space in it")
    if not re.fullmatch(r"[\x20-\x7e]+", key):
        raise ValueError("is no key that a header carries: write letters, digits and signs of ASCII, in one line")
    return key


def read_secrets_keys(text: str) -> str:
    """Keys that seal secrets, separated by commas or space, as they are written. Raises ValueError."""
    decode_secrets_keys(text)
    return text


def decode_secrets_keys(text: str) -> list[bytes]:
    """The bytes of keys that are separated by commas or space, at least one. Raises ValueError."""
    import base64

    try:
        keys = [base64.b64decode(word, validate=True) for word in text.replace(",", " ").split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != SECRETS_KEY_BYTES for key in keys):
        raise ValueError(
            f"holds no keys: each is {SECRETS_KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` writes"
        )
    return keys
