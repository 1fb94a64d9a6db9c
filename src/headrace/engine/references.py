"""How flows and tasks travel to other processes: by name where those can import them, else by what they are made of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from os.path import realpath
from typing import Any


def reduce_definition(definition: Any, given: Any, options: dict[str, Any]) -> str | tuple[Any, ...]:
    """What pickle needs to have a flow or task again (see `object.__reduce__`).

    One made by `with_options` is made again from the one that has the name.
    """
    named = find_named(definition)
    if named is definition:
        return definition.__qualname__
    if type(named) is type(definition) and named._given is given:
        return _derive, (named, options)
    return _make, (type(definition), given, options)


def _derive(named: Any, options: dict[str, Any]) -> Any:
    return named.__class__(named._given, **options)


def _make(kind: Callable[..., Any], given: Any, options: dict[str, Any]) -> Any:
    return kind(given, **options)


def find_named(definition: Any) -> Any:
    """What has the name of a definition in its module, for every process that can import it; None without."""
    name, module = getattr(definition, "__qualname__", None), getattr(definition, "__module__", None)
    if not isinstance(name, str) or not isinstance(module, str) or not is_importable(module):
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def is_importable(module: str) -> bool:
    """Whether another process with the same path finds the module: not a script, nor a file loaded under a name of its own."""
    return module != "__main__" and module in sys.modules and _is_found(module)


def travel_by_value(module: str | None) -> None:
    """Have what the module defines travel by value if no other process could import it."""
    if module is not None and module != "__main__" and module in sys.modules and not _is_found(module):
        import cloudpickle  # pyright: ignore[reportMissingTypeStubs]

        cloudpickle.register_pickle_by_value(sys.modules[module])  # pyright: ignore[reportUnknownMemberType]


@lru_cache(maxsize=1024)
def _is_found(module: str) -> bool:
    package = module.rpartition(".")[0]
    path = getattr(sys.modules.get(package), "__path__", None)
    if package and path is None:
        return False
    finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
    spec = next((found for find in finders if find is not None and (found := find(module, path)) is not None), None)
    if spec is None:
        return False
    file = getattr(sys.modules[module], "__file__", None)
    return file is None or spec.origin is None or realpath(spec.origin) == realpath(file)
