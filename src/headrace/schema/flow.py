"""Flows: the named functions whose runs are recorded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, field

from headrace.schema.wire import Labels, Request, Stored

Name = Annotated[str, Meta(pattern="^[^/%&><]+$")]
"""A name that can stand in a URL and in `flow/deployment`."""


class FlowCreate(Request, kw_only=True):
    """Registers a flow; the same name again is the same flow."""

    name: Name
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None


class FlowUpdate(Request, kw_only=True):
    """Replaces a flow's tags."""

    tags: list[str] = field(default_factory=list[str])


class Flow(Stored, kw_only=True):
    """A registered flow."""

    name: str
    tags: list[str] = field(default_factory=list[str])
    labels: Labels | None = None


class FlowSort(StrEnum):
    """Orders of a list of flows."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
