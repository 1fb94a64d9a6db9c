"""In which file a kept value is: engines write it there, and whoever deletes old runs finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKS: Final = "packs"
"""The folder, below the one that values are kept in, of files that hold many."""

AT: Final = "@"
"""Stands between a pack's name and the place in it."""


def file_of_key(storage_key: str, folder: Path) -> Path:
    """The file of a key. Keys are anybody's text: what could leave the folder is replaced by its digest."""
    plain = storage_key.replace("-", "").replace("_", "").replace(".", "").isalnum() and storage_key.isascii()
    if not plain or storage_key.startswith(".") or len(storage_key) > 128:
        from hashlib import blake2b

        storage_key = blake2b(storage_key.encode(), digest_size=20).hexdigest()
    return folder / storage_key[:2] / storage_key


def split_location(location: Path) -> tuple[Path, int] | None:
    """The pack that a location names, and the place in it; None for the location of a folder."""
    name, mark, place = location.name.rpartition(AT)
    if not mark or location.parent.name != PACKS or not place.isdecimal():
        return None
    return location.with_name(name), int(place)
