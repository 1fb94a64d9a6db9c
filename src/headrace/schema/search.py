"""Searches that people keep: a name, and the conditions that a page of the contract's UI puts behind it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from headrace.schema.wire import Request, Stored, Wire

SearchName = Annotated[str, Meta(min_length=1, max_length=255)]
MOST_CONDITIONS = 200


class SearchCondition(Wire, kw_only=True):
    """One condition: which property of what is compared with what. Whoever keeps it knows what it means."""

    object: str
    property: str
    type: str
    operation: str
    value: Any


Conditions = Annotated[list[SearchCondition], Meta(max_length=MOST_CONDITIONS)]


class SavedSearchCreate(Request, kw_only=True):
    """Asks to keep a search under its name, in the place of the one that has it."""

    name: SearchName
    filters: Conditions = field(default_factory=list[SearchCondition])


class SavedSearch(Stored, kw_only=True):
    """A search that is kept."""

    name: str
    filters: list[SearchCondition] = field(default_factory=list[SearchCondition])
