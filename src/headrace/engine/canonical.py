"""Pickles that are the same for equal values: what `hash_values` makes a digest of when JSON does not do.

Pickle itself writes what it meets for the second time as a reference, sets in the order of their hashes (which differ
from process to process) and dictionaries in the order in which they were filled.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

_PROTOCOL = 4
"""Fixed: the default changes with Python."""


def pickle_canonically(value: Any) -> bytes:
    """The value as bytes that say nothing of order, identity or process. Raises whatever pickling raises."""
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, _PROTOCOL)
        self.fast = True  # no references

    def persistent_id(self, obj: Any) -> Any:
        kind: Any = type(obj)  # pyright: ignore[reportUnknownVariableType]
        if kind is set or kind is frozenset:
            return kind.__name__, sorted(map(pickle_canonically, obj))
        if kind is dict:
            return "dict", sorted((pickle_canonically(key), pickle_canonically(item)) for key, item in obj.items())
        return None
