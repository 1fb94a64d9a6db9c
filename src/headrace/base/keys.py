"""Keys as people write them. What is wrong with one is said without repeating it."""

from __future__ import annotations

import re


def read_key(text: str) -> str:
    """A key as a header carries it, without the space around it that files and shells leave. Raises ValueError."""
    key = text.strip()
    if not key:
        raise ValueError("is no key: there is only space in it")
    if not re.fullmatch(r"[\x20-\x7e]+", key):
        raise ValueError("is no key that a header carries: write letters, digits and signs of ASCII, in one line")
    return key
