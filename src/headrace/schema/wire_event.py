"""Events in the contract's form, and the filters by which clients choose among them.

The log keeps each fact once and compactly (`schema.event`); what is here is derived from it for whoever listens.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, field

from headrace.schema.wire import Request, Wire

Resource = dict[str, str]
"""Labels of something: `prefect.resource.id` names it; of a related one, `prefect.resource.role` says how."""

ID = "prefect.resource.id"
ROLE = "prefect.resource.role"
NAME = "prefect.resource.name"

FLOW_RUN, TASK_RUN = "prefect.flow-run.", "prefect.task-run."
"""With what the names and resources of events begin that runs' states make. Only the server tells of states."""

LARGEST_EVENT = 1_500_000
"""The most bytes of one event that are kept."""

Labels = dict[str, str | list[str]]
"""Labels that are asked for: a value ends in `*` for any that begins so, begins with `!` for any other."""


class WireEvent(Wire, kw_only=True):
    """Something that happened to `resource`."""

    occurred: datetime
    event: str
    resource: Resource
    id: UUID
    related: list[Resource] = field(default_factory=list[Resource])
    payload: dict[str, Any] = field(default_factory=dict[str, Any])
    follows: UUID | None = None
    received: datetime | None = None


class OccurredFilter(Request, kw_only=True):
    """When it happened, both ends included."""

    since: datetime | None = None
    until: datetime | None = None


class EventNameFilter(Request, kw_only=True):
    """What it is called."""

    prefix: list[str] | None = None
    exclude_prefix: list[str] | None = None
    name: list[str] | None = None
    exclude_name: list[str] | None = None


class ResourceFilter(Request, kw_only=True):
    """What it happened to. `distinct` asks for the newest event of each resource only."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: Labels | None = None
    distinct: bool = False


class RelatedFilter(Request, kw_only=True):
    """What it has to do with: one related resource has all of this."""

    id: list[str] | None = None
    role: list[str] | None = None
    resources_in_roles: list[tuple[str, str]] | None = None
    labels: Labels | None = None


class AnyResourceFilter(Request, kw_only=True):
    """What it happened to or has to do with."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: Labels | None = None


class EventIdFilter(Request, kw_only=True):
    """Which events."""

    id: list[UUID] | None = None


class EventTextFilter(Request, kw_only=True):
    """Words in an event, as in `schema.filters.SearchFilter`."""

    query: Annotated[str, Meta(max_length=200)]


class EventOrder(StrEnum):
    """Orders of a list of events."""

    ASC = "ASC"
    DESC = "DESC"


class EventFilter(Request, kw_only=True):
    """Which events. All conditions given hold together."""

    occurred: OccurredFilter = field(default_factory=OccurredFilter)
    event: EventNameFilter | None = None
    resource: ResourceFilter | None = None
    related: RelatedFilter | list[RelatedFilter] | None = None
    any_resource: AnyResourceFilter | list[AnyResourceFilter] | None = None
    id: EventIdFilter = field(default_factory=EventIdFilter)
    text: EventTextFilter | None = None
    order: EventOrder = EventOrder.DESC
