"""What the description of the API says in words: taken from the docstrings, where things are explained already.

An operation is described by its route's docstring, or else by that of the gateway's verb which it calls; a schema by its
type's. `examples.json` holds a body for every request that has one, by the schema's name, or by method and path.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from msgspec import Struct

import headrace.schema
import headrace.server.routes
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.server import responses

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))

STATUSES = {
    "ObjectNotFound": "404",
    "ObjectAlreadyExists": "409",
    "StaleEpoch": "409",
    "InvalidRequest": "422",
    "Unavailable": "503",
}
"""What an error of the gateway is answered with."""


def describe_operation(handler: FunctionType) -> str:
    """What a route does."""
    text = handler.__doc__ or next((verb.__doc__ for verb in _list_verbs(handler) if verb.__doc__), None)
    if text is None:
        raise ValueError(f"Nothing says what {handler.__qualname__} does: it has no docstring and calls no verb.")
    told = inspect.cleandoc(text)
    for name, status in STATUSES.items():
        told = re.sub(rf"\b(Raises|raises) `{name}`", lambda found, status=status: _answers(found[1], status), told)
        told = told.replace(f"`{name}`", status)
    return told


def find_statuses(handler: FunctionType) -> set[str]:
    """The statuses of errors that the docstrings of a route and its verbs name."""
    told = " ".join(each.__doc__ or "" for each in (handler, *_list_verbs(handler)))
    return {status for name, status in STATUSES.items() if f"`{name}`" in told}


def list_types() -> dict[str, type[Any]]:
    """The wire types by their names."""
    modules = [responses, *_walk(headrace.schema), *_walk(headrace.server.routes)]
    found: dict[str, type[Any]] = {}
    for module in modules:
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, (Struct, Enum)) and kind.__module__ == module.__name__:
                found.setdefault(name, kind)
    return found


def describe_schemas(schemas: dict[str, Any]) -> None:
    """Say of schemas what they are, and give those of requests an example."""
    types = list_types()
    for name, schema in schemas.items():
        kind = types.get(name) or types.get(name.partition("_")[0])
        if kind is None and name.startswith("Paginated"):
            kind = types["Paginated"]
        if kind is not None and kind.__doc__ and "description" not in schema:
            schema["description"] = inspect.cleandoc(kind.__doc__)
        if kind is not None and issubclass(kind, Struct) and kind.__struct_config__.array_like:
            _make_array(schema)
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]


def _make_array(schema: dict[str, Any]) -> None:
    """The schema of a type whose fields are written as a list."""
    entries = [*schema.pop("properties").values()]
    schema.pop("required", None)
    kinds = [{"type": kind} for kind in dict.fromkeys(entry["type"] for entry in entries)]
    items = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    schema.update(type="array", items=items, minItems=len(entries), maxItems=len(entries))


def _answers(word: str, status: str) -> str:
    return f"{'Answers' if word[0].isupper() else 'answers'} {status}"


def _list_verbs(handler: FunctionType) -> list[Callable[..., Any]]:
    """The gateway's verbs that a route calls, in order."""
    names = handler.__code__.co_names
    return [
        getattr(protocol, name) for name in names for protocol in (Administration, Execution) if hasattr(protocol, name)
    ]


def _walk(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        yield import_module(f"{package.__name__}.{found.name}")
