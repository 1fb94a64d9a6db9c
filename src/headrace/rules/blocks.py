"""What follows from a block's schema: its checksum, and which parts of its data are secret.

A secret part is a way through the data, its steps separated by dots; `*` is everything below. The steps pass through lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from headrace.schema.block import DOCUMENT_ID, REFERENCE

MASK = "********"
"""Stands where a secret is that is not shown."""

ALL = "*"


def checksum_of(fields: Mapping[str, Any]) -> str:
    """The checksum by which a schema is known: of its fields in the contract's form.

    Which parts are secret does not enter into it, nor do other blocks, which have checksums of their own.
    """
    plain = {name: _without_secrets(value) for name, value in fields.items() if name != "secret_fields"}
    defined: Any = plain.pop("definitions", None)
    definitions = {
        name: each
        for name, each in cast("dict[str, Any]", defined if isinstance(defined, dict) else {}).items()
        if each and "block_type_slug" not in each
    }
    if definitions:
        plain["definitions"] = definitions
    return f"sha256:{sha256(json.dumps([[plain], {}], sort_keys=True).encode()).hexdigest()}"


def _without_secrets(value: Any) -> Any:
    match value:
        case dict():
            items = cast("dict[str, Any]", value).items()
            return {name: _without_secrets(each) for name, each in items if name != "secret_fields"}
        case list():
            return [_without_secrets(each) for each in cast("list[Any]", value)]
        case _:
            return value


def secret_fields_of(fields: Mapping[str, Any]) -> list[str]:
    """The secret parts that a schema names."""
    named = fields.get("secret_fields")
    return [way for way in cast("list[Any]", named) if isinstance(way, str)] if isinstance(named, list) else []


def mask(data: dict[str, Any], secret_fields: Sequence[str]) -> dict[str, Any]:
    """The data with its secrets masked."""
    for way in secret_fields:
        data = _change(data, data, way.split("."), lambda _value, _former: MASK)
    return data


def unmask(data: dict[str, Any], former: dict[str, Any], secret_fields: Sequence[str]) -> dict[str, Any]:
    """The data with the secrets that are masked in it as they were in `former`."""
    for way in secret_fields:
        data = _change(data, former, way.split("."), lambda value, was: was if value == MASK else value)
    return data


def _change(value: Any, former: Any, steps: Sequence[str], change: Callable[[Any, Any], Any]) -> Any:
    """The value with what is at the end of the way changed, knowing what was there formerly.

    What is not there, or is another block, stays as it is.
    """
    if value is None or find_reference(value) is not None:
        return value
    match value:
        case dict() if steps:
            within = cast("dict[str, Any]", value)
            everything = steps[0] == ALL
            names = list(within) if everything else [name for name in steps[:1] if name in within]
            rest = steps if everything else steps[1:]
            return within | {name: _change(within[name], _part(former, name), rest, change) for name in names}
        case list() if steps:
            items = enumerate(cast("list[Any]", value))
            return [_change(each, _part(former, place), steps, change) for place, each in items]
        case _ if not steps or steps[0] == ALL:
            return change(value, former)
        case _:
            return value


def _part(value: Any, key: str | int) -> Any:
    """What is at a key or place of a value, if there is anything."""
    try:
        return value[key]
    except (LookupError, TypeError):
        return None


def find_reference(value: Any) -> UUID | None:
    """The document that a value refers to, if that is all it does."""
    if not isinstance(value, dict) or set(cast("dict[str, Any]", value)) != {REFERENCE}:
        return None
    told = cast("dict[str, Any]", value)[REFERENCE]
    named = cast("dict[str, Any]", told).get(DOCUMENT_ID) if isinstance(told, dict) else told
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None


def list_references(data: Mapping[str, Any]) -> Iterator[tuple[str, UUID]]:
    """The fields of a block's data that are other blocks, and which."""
    for name, value in data.items():
        document_id = find_reference(value)
        if document_id is not None:
            yield name, document_id
