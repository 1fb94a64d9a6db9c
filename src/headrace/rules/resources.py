"""Which resources and events are meant by names and labels that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.schema.wire_event import ROLE, Labels, Resource

OF_RELATED = "related:"
"""With what a label begins that is one of a related resource: `related:ROLE:LABEL`."""


def fits(pattern: str, text: str) -> bool:
    """Whether a text is the pattern, or begins as one that ends in `*` does."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def is_among(name: str, wanted: Sequence[str]) -> bool:
    """Whether a name is one of those wanted. None means any."""
    return not wanted or any(fits(each, name) for each in wanted)


def has_labels(resource: Mapping[str, str], wanted: Labels) -> bool:
    """Whether a resource has all of the labels, each with one of the values asked for."""
    return all(_has_label(values, resource.get(label)) for label, values in wanted.items())


def has_related(related: Sequence[Mapping[str, str]], wanted: Labels | Sequence[Labels]) -> bool:
    """Whether for each set of labels that is asked for, if it asks for any, one of the related resources has them all."""
    sets = [wanted] if isinstance(wanted, dict) else wanted
    return all(any(has_labels(resource, each) for resource in related) for each in sets if each)


def read_values(labels: Sequence[str], resource: Resource, related: Sequence[Resource]) -> dict[str, str | None]:
    """The values of labels of a resource, or of the first related one in a role (`related:ROLE:LABEL`)."""
    return {label: _read_value(label, resource, related) for label in labels}


def _read_value(label: str, resource: Resource, related: Sequence[Resource]) -> str | None:
    if not label.startswith(OF_RELATED):
        return resource.get(label)
    role, _, name = label.removeprefix(OF_RELATED).partition(":")
    return next((each[name] for each in related if each.get(ROLE) == role and name in each), None)


def _has_label(values: str | list[str], value: str | None) -> bool:
    if value is None:
        return False
    asked = [values] if isinstance(values, str) else values
    unwanted = [each[1:] for each in asked if each.startswith("!")]
    wanted = [each for each in asked if not each.startswith("!")]
    return not any(fits(each, value) for each in unwanted) and is_among(value, wanted)
