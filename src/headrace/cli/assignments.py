"""Options that give names values: `k=v`, and whole objects as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from headrace.base.errors import ConfigurationError


def read_assignments(option: str, given: Sequence[str] | None) -> dict[str, Any]:
    """The values of repeated `k=v`: JSON where the value is JSON, else the text itself."""
    values: dict[str, Any] = {}
    for assignment in given or ():
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"{option} {assignment!r} gives nothing a value: write {option} name=value.")
        values[key.strip()] = _read_value(text)
    return values


def read_object(option: str, text: str | None) -> dict[str, Any]:
    """The object that an option gives as JSON."""
    if text is None:
        return {}
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ConfigurationError(f"{option} is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise ConfigurationError(f'{option} is an object in JSON, like \'{{"name": "value"}}\'.')
    return cast("dict[str, Any]", value)


def _read_value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text
