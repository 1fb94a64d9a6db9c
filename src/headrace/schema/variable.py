"""Variables: named values that flows, project files and people share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from headrace.schema.filters import Filter, IdFilter, TagsFilter, TextFilter
from headrace.schema.wire import Request, Stored

VariableName = Annotated[str, Meta(min_length=1, max_length=255)]


class VariableCreate(Request, kw_only=True):
    """Asks for a variable. Its value is anything that JSON can hold."""

    name: VariableName
    value: Any
    tags: list[str] = field(default_factory=list[str])


class VariableUpdate(Request, kw_only=True):
    """Changes a variable; fields that are not sent stay as they are, and a name or tags that are null."""

    name: VariableName | UnsetType | None = UNSET
    value: Any = UNSET
    tags: list[str] | UnsetType | None = UNSET


class Variable(Stored, kw_only=True):
    """A variable as stored."""

    name: str
    value: Any
    tags: list[str] = field(default_factory=list[str])


class VariableFilter(Filter, kw_only=True):
    """Which variables."""

    id: IdFilter | None = None
    name: TextFilter | None = None
    tags: TagsFilter | None = None


class VariableSort(StrEnum):
    """Orders of a list of variables."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_DESC = "NAME_DESC"
    NAME_ASC = "NAME_ASC"
