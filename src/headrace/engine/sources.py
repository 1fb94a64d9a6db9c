"""What a function is called and where it stands, as identities that survive a restart."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from os.path import basename
from typing import TYPE_CHECKING, Any

from headrace.engine.digests import checksum, digest

if TYPE_CHECKING:
    from pathlib import Path


def describe(function: Callable[..., Any]) -> str:
    """The function's own name, or its type's for an object that is callable."""
    if isinstance(function, partial):
        return describe(function.func)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return getattr(function, "__name__", type(function).__name__)


def doc_of(function: Callable[..., Any]) -> str | None:
    """The function's own docstring, its margin taken off.

    `inspect.getdoc` would look for one in the class of a method, where it finds the flow or task that asks.
    """
    doc = getattr(function, "__doc__", None)
    return inspect.cleandoc(doc) if isinstance(doc, str) else None


def key_of(function: Callable[..., Any]) -> str:
    """An identity of a function in its file: the same in every process, whatever the module was imported as."""
    name = getattr(function, "__qualname__", describe(function))
    code = getattr(inspect.unwrap(function), "__code__", None)
    file = basename(code.co_filename) if code is not None else ""  # noqa: PTH119 - a definition needs no pathlib
    return f"{name}-{checksum(f'{file}:{name}')}"


def name_module(path: Path) -> tuple[str, Path]:
    """The name of the module in a file, which is that of its packages where it is in some; and from where it is imported."""
    names = [path.stem.replace(".", "_")]
    root = path.parent
    while (root / "__init__.py").is_file() and root.name.isidentifier() and root.parent != root:
        names.insert(0, root.name)
        root = root.parent
    return ".".join(names), root


def locate(function: Callable[..., Any]) -> dict[str, str]:
    """Where a function can be loaded from again: its `entrypoint`, and the `directory` it was called in.

    Empty for one that is in no file, or within another function.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    name: str = getattr(function, "__qualname__", "<")
    if code is None or "<" in name or not code.co_filename.endswith(".py"):
        return {}
    from pathlib import Path

    try:
        directory = Path.cwd()
    except OSError:  # it was removed
        return {}
    return {"entrypoint": f"{directory / code.co_filename}:{name}", "directory": str(directory)}


@lru_cache(maxsize=256)
def _digest(file: str) -> str | None:
    from pathlib import Path

    try:
        return digest(Path(file).read_bytes())
    except OSError:
        return None


def version_of(function: Callable[..., Any]) -> str | None:
    """A digest of the file the function stands in: it changes when the code does. None where there is no file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else _digest(code.co_filename)
