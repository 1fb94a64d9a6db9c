"""Fields of blocks."""

from __future__ import annotations

from typing import Any

from pydantic import Secret

__all__ = ["SecretDict"]


class SecretDict(Secret[dict[str, Any]]):
    """Values by name, all of them secret: shown masked, kept sealed."""
