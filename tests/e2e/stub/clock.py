"""Instants and ids of the stub's world: seeded, so that a failing test fails again."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]


def text_of(instant: datetime | None) -> str | None:
    """An instant as the wire has it."""
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_of(text: str) -> datetime:
    """The instant of a wire text, which may have a space for the T."""
    return datetime.fromisoformat(text)


def make_id(chance: random.Random) -> str:
    """A random id from a seeded source."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def seconds(value: float) -> timedelta:
    """A length of time."""
    return timedelta(seconds=value)


def part(thing: Json, name: str) -> Json:
    """The object under that name; an empty one where there is none."""
    return thing.get(name) or {}
