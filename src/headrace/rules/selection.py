"""Which events a filter chooses."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from headrace.base.clock import to_micros
from headrace.rules.resources import has_labels
from headrace.schema.wire_event import (
    ID,
    ROLE,
    AnyResourceFilter,
    EventFilter,
    EventNameFilter,
    OccurredFilter,
    RelatedFilter,
    Resource,
    ResourceFilter,
    WireEvent,
)

F = TypeVar("F", RelatedFilter, AnyResourceFilter)


def chooses(wanted: EventFilter, event: WireEvent) -> bool:
    """Whether the filter chooses the event."""
    return (
        is_then(wanted.occurred, event.occurred)
        and is_called(wanted.event, event.event)
        and (not wanted.id.id or event.id in wanted.id.id)  # clients that mean any event say it by an empty list
        and (wanted.resource is None or _is_resource(wanted.resource, event.resource))
        and all(any(_is_related(each, of) for of in event.related) for each in _each(wanted.related))
        and all(
            any(_is_resource(each, of) for of in (event.resource, *event.related))
            for each in _each(wanted.any_resource)
        )
        and (wanted.text is None or _has_words(wanted.text.query, event))
    )


def may_choose(wanted: EventFilter, kind: str) -> bool:
    """Whether the filter may choose an event whose name begins with `kind`, as far as names tell."""
    if wanted.event is None:
        return True
    named = wanted.event.name
    prefixes = wanted.event.prefix
    return (named is None or any(name.startswith(kind) for name in named)) and (
        prefixes is None or any(prefix.startswith(kind) or kind.startswith(prefix) for prefix in prefixes)
    )


def is_then(wanted: OccurredFilter, occurred: datetime) -> bool:
    """Whether the time is one that is asked for."""
    since, until = wanted.since, wanted.until
    if since is None and until is None:
        return True
    instant = to_micros(occurred)  # an instant without a zone compares with none that has one
    return (since is None or instant >= to_micros(since)) and (until is None or instant <= to_micros(until))


def is_called(wanted: EventNameFilter | None, name: str) -> bool:
    """Whether the name is one that is asked for."""
    if wanted is None:
        return True
    return (
        (wanted.prefix is None or name.startswith(tuple(wanted.prefix)))
        and (wanted.name is None or name in wanted.name)
        and not name.startswith(tuple(wanted.exclude_prefix or ()))
        and name not in (wanted.exclude_name or ())
    )


def _is_resource(wanted: ResourceFilter | AnyResourceFilter, resource: Resource) -> bool:
    name = resource.get(ID, "")
    return (
        (wanted.id is None or name in wanted.id)
        and (wanted.id_prefix is None or name.startswith(tuple(wanted.id_prefix)))
        and has_labels(resource, wanted.labels or {})
    )


def _is_related(wanted: RelatedFilter, resource: Resource) -> bool:
    name, role = resource.get(ID, ""), resource.get(ROLE, "")
    return (
        (wanted.id is None or name in wanted.id)
        and (wanted.role is None or role in wanted.role)
        and (wanted.resources_in_roles is None or (name, role) in wanted.resources_in_roles)
        and has_labels(resource, wanted.labels or {})
    )


def _has_words(query: str, event: WireEvent) -> bool:
    """Whether every word asked for is in the event, and no word that begins with `-` or `!`."""
    text = msgspec.json.encode([event.event, event.resource, event.related, event.payload]).decode().lower()
    for word in query.lower().split():
        absent = len(word) > 1 and word[0] in "-!"
        if ((word[1:] if absent else word) in text) is absent:
            return False
    return True


def _each(filters: F | list[F] | None) -> list[F]:
    """The filters: the contract takes one or several."""
    if filters is None:
        return []
    return filters if isinstance(filters, list) else [filters]
