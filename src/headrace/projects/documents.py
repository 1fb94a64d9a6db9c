"""YAML files in which every value knows its line, so that what is wrong can be pointed at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from headrace.base.errors import ConfigurationError

MOST_VALUES = 100_000
"""Aliases can make much of little: a file that comes to more values than this is refused."""

Route = tuple[str | int, ...]
"""The way to a value in a file: keys and places in lists."""


class Document(Struct):
    """A file's content as plain values, and the line of each. `shown` is how the file is called in messages."""

    path: Path
    shown: str
    value: dict[str, Any]
    lines: dict[Route, int]

    def place(self, route: Route) -> str:
        """Where a value stands: `headrace.yaml, line 12`. One that is not in the file stands where what holds it does."""
        while route and route not in self.lines:
            route = route[:-1]
        return f"{self.shown}, line {self.lines.get(route, 1)}"

    def error(self, route: Route, text: str) -> ConfigurationError:
        """The error that a value of the file is wrong; of a file that is not there, only what is wrong."""
        return ConfigurationError(f"{self.place(route)}: {text}" if self.lines else f"{text[:1].upper()}{text[1:]}")

    def check_keys(self, route: Route, value: Mapping[str, Any], known: Iterable[str]) -> None:
        """Raise `ConfigurationError` for the first key that is none of the known, with the nearest one."""
        names = [*known]
        for key in value:
            if key not in names:
                nearest = get_close_matches(str(key), names, n=1)
                advice = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(names)}."
                raise self.error((*route, key), f"there is no key {key!r} here; {advice}")


def read_document(path: Path, shown: str | None = None) -> Document:
    """The content of a YAML file. Raises `ConfigurationError` in one line with the line that cannot be read."""
    shown = path.name if shown is None else shown
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"There is no file {shown}.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise ConfigurationError(f"{shown} cannot be read: {reason}.") from None
    return parse_document(text, path, shown)


def parse_document(text: str, path: Path, shown: str) -> Document:
    """The content of YAML text that is, or is to be, in a file."""
    import yaml

    document = Document(path, shown, {}, {})
    try:
        loader: Any = yaml.SafeLoader(text)
        node: Any = loader.get_single_node()
        if node is None:
            return document
        _refuse_twins(node, document, set())
        value: Any = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        said = " ".join(str(error.problem or error.context or error).split())
        raise ConfigurationError(f"{shown}{line}: this is no YAML: {said}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise ConfigurationError(f"{shown}: this is no YAML: {said}.") from None
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{shown}, line {node.start_mark.line + 1}: a project file is made of keys with values."
        )
    document.lines[()] = 1
    document.value = _Reader(document).read((), node, value)
    return document


class _Reader:
    """Goes through what the library made of a file and what it made it of, side by side."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._values = 0

    def read(self, route: Route, node: Any, value: Any) -> Any:
        self.document.lines.setdefault(route, node.start_mark.line + 1)
        self._values += 1
        if self._values > MOST_VALUES:
            raise self.document.error(route, f"the file comes to more than {MOST_VALUES:,} values.")
        match value:
            case None | bool() | int() | str():
                return value
            case float():
                if not math.isfinite(value):
                    raise self.document.error(route, "a number has to be finite.")
                return value
            case date():
                return value.isoformat()
            case list():
                items = cast("list[Any]", value)
                return [self.read((*route, n), each, items[n]) for n, each in enumerate(node.value)]
            case dict():
                return self._read_mapping(route, node, cast("dict[Any, Any]", value))
            case _:
                raise self.document.error(route, f"a {type(value).__name__} means nothing in such a file.")

    def _read_mapping(self, route: Route, node: Any, value: dict[Any, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        # What `<<` brings stands first, so that a key of the mapping's own comes last and stays.
        nodes = dict(zip(map(_text_of, (key for key, _ in node.value)), node.value, strict=True))
        for (key, item), (key_node, item_node) in zip(value.items(), nodes.values(), strict=True):
            name = key if isinstance(key, str) else key_node.value
            self.document.lines[*route, name] = key_node.start_mark.line + 1
            made[name] = self.read((*route, name), item_node, item)
        return made


def _text_of(node: Any) -> tuple[str, str]:
    return (node.tag, str(node.value))


def _refuse_twins(node: Any, document: Document, seen: set[int], above: tuple[int, ...] = ()) -> None:
    """Raise `ConfigurationError` for a key that stands twice in one mapping, and for what contains itself."""
    if id(node) in above:
        raise ConfigurationError(f"{document.shown}, line {node.start_mark.line + 1}: this contains itself.")
    if id(node) in seen or isinstance(node.value, str):
        return
    seen.add(id(node))
    keys: set[tuple[str, str]] = set()
    for child in node.value:
        parts = cast("tuple[Any, ...]", child if isinstance(child, tuple) else (child,))
        if len(parts) == 2:
            key = parts[0]
            if _text_of(key) in keys:
                place = f"{document.shown}, line {key.start_mark.line + 1}"
                raise ConfigurationError(f"{place}: the key {key.value!r} is there twice.")
            keys.add(_text_of(key))
        for part in parts:
            _refuse_twins(part, document, seen, (*above, id(node)))
