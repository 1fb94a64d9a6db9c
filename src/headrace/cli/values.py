"""Values as people type them: names, durations, instants, `key=value` and JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from headrace.base.errors import InvalidRequest
from headrace.schema.wire import DEEPEST, NestedTooDeeply, decode_json, measure_depth

LONGEST_WAIT = 100 * 366 * 86_400.0
"""The most seconds that a duration may say: a hundred years."""

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNITS = {
    word: _SECONDS[unit]
    for unit, words in {
        "s": "s sec secs second seconds",
        "m": "m min mins minute minutes",
        "h": "h hr hrs hour hours",
        "d": "d day days",
        "w": "w week weeks",
    }.items()
    for word in words.split()
}
_PART = r"(\d+(?:\.\d+)?)\s*([a-z]+)"
_DURATION = re.compile(rf"(?:in\s+)?{_PART}(?:(?:\s*,\s*|\s+and\s+|\s*){_PART})*")


def read_duration(text: str, option: str) -> float:
    """The seconds that `10 minutes`, `1h 30m` or a bare number of seconds stands for. Raises `InvalidRequest`."""
    said = text.strip().lower()
    seconds = 0.0
    if re.fullmatch(r"\d+(\.\d+)?", said):
        seconds = float(said)
    elif _DURATION.fullmatch(said):
        for amount, unit in re.findall(_PART, said):
            if unit not in _UNITS:
                raise InvalidRequest(
                    f"{option} {text!r}: {unit!r} is no unit; use seconds, minutes, hours, days, weeks."
                )
            seconds += float(amount) * _UNITS[unit]
    else:
        raise InvalidRequest(f"{option} {text!r} is no duration: write '10 minutes', '1h 30m' or seconds.")
    if not 0 < seconds <= LONGEST_WAIT:
        raise InvalidRequest(f"{option} {text!r} is not between nothing and a hundred years.")
    return seconds


def read_wall(text: str, option: str) -> datetime:
    """The date and time that an ISO 8601 text says, with its zone if it names one. Raises `InvalidRequest`."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidRequest(
            f"{option} {text!r} is no time: write it as 2026-03-01T14:05 or ...T14:05+01:00."
        ) from None


def read_instant(text: str, option: str) -> datetime:
    """The instant that an ISO 8601 text says; without a zone it is the terminal's own time. Raises `InvalidRequest`."""
    try:
        return read_wall(text, option).astimezone()
    except (OverflowError, ValueError, OSError):
        raise InvalidRequest(f"{option} {text!r} is further away than calendars reach.") from None


def read_pairs(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """What `key=value` texts say; a value is JSON, or else the text it is. Raises `InvalidRequest`."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        key = key.strip()
        if not sign or not key:
            raise InvalidRequest(f"{option} {pair!r} is not written as name=value.")
        try:
            found[key] = decode_shallow(text, f"{option}: {key}")
        except msgspec.DecodeError:
            found[key] = text
    return found


def read_object(text: str, option: str) -> dict[str, Any]:
    """The JSON object of a text, or with `-` that of the standard input. Raises `InvalidRequest`."""
    return _decode_object(sys.stdin.read() if text == "-" else text, option)


def read_object_file(path: Path, option: str) -> dict[str, Any]:
    """The JSON object in a file. Raises `InvalidRequest`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{option}: {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{option}: {path} is no text in UTF-8.") from None
    return _decode_object(text, f"{option}: {path}")


def decode_shallow(text: str, what: str) -> Any:
    """What a JSON text says. Raises `DecodeError`, and `InvalidRequest` for what is nested too deeply."""
    try:
        value = decode_json(text)
        deep = measure_depth(value) > DEEPEST
    except NestedTooDeeply:
        deep, value = True, None
    if deep:
        raise InvalidRequest(f"{what} is nested too deeply.")
    return value


def check_name(name: str, noun: str) -> str:
    """The name, if it can be one. Raises `InvalidRequest`."""
    if not re.fullmatch(r"[^/%&><]+", name):
        raise InvalidRequest(f"{name!r} is no name for a {noun}: it may not be empty, nor have any of / % & > < in it.")
    return name


def _decode_object(text: str, what: str) -> dict[str, Any]:
    try:
        value = decode_shallow(text, what)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{what} is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidRequest(f'{what} is no JSON object, such as {{"name": "value"}}.')
    return cast("dict[str, Any]", value)
