"""Pickles that are the same for equal values: what `hash_values` makes a digest of when JSON does not do.

Pickle itself writes what it meets for the second time as a reference, sets in the order of their hashes (which differ
from process to process) and dictionaries in the order in which they were filled. What a script defines has another module's
name when the script is run than when it is imported.
"""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

from headrace.engine.sources import name_module

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
        return _name_global(obj) if isinstance(obj, (type, FunctionType)) else None


def _name_global(obj: type | FunctionType) -> tuple[str, str, str] | None:
    """A class or function by where it is defined; None when it is not found there."""
    module, name = obj.__module__, obj.__qualname__
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not obj:
        return None
    file = getattr(sys.modules[module], "__file__", None) if module == "__main__" else None
    return "global", module if file is None else name_module(Path(file).resolve())[0], name
