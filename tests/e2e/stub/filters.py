"""The contract's filters, on plain objects."""

from collections.abc import Callable
from typing import Any

from tests.e2e.stub.clock import Json, instant_of

Condition = Callable[[Any, Any], bool]


def _contains(value: Any, text: Any) -> bool:
    return str(text).lower() in str(value or "").lower()


def _earlier(value: Any, limit: Any) -> bool:
    return value is not None and instant_of(value) <= instant_of(limit)


def _later(value: Any, limit: Any) -> bool:
    return value is not None and instant_of(value) >= instant_of(limit)


def _has_any(value: Any, wanted: Any) -> bool:
    return any(one in wanted for one in value) if isinstance(value, list) else value in wanted  # pyright: ignore[reportUnknownVariableType]


CONDITIONS: dict[str, Condition] = {
    "any_": _has_any,
    "not_any_": lambda value, wanted: value not in wanted,
    "all_": lambda value, wanted: {*wanted} <= {*value},
    "like_": _contains,
    "before_": _earlier,
    "after_": _later,
    "ge_": lambda value, limit: value >= limit,
    "le_": lambda value, limit: value <= limit,
    "is_null_": lambda value, wanted: (value is None) is wanted,
    "eq_": lambda value, wanted: value == wanted,
    "query": lambda value, text: all(_contains(value, word) for word in str(text).split()),
}

NAMES = {"text": "message", "type": "state_type", "name": "state_name"}


def matches(thing: Json, wanted: Json | None) -> bool:
    """Whether the thing passes every condition of the filter (or any, where its operator says so)."""
    if not wanted:
        return True
    results: list[bool] = []
    for name, condition in wanted.items():
        if name == "operator" or condition is None:
            continue
        if name == "state":
            inner = {NAMES[part]: value for part, value in condition.items() if part in NAMES and value is not None}
            results.append(matches(thing, {**inner, "operator": condition.get("operator", "and_")}))
        elif name == "flow_or_deployment_name":
            results.append(_contains(f"{thing.get('flow_name')}/{thing.get('name')}", condition.get("like_", "")))
        elif name in CONDITIONS:
            results.append(CONDITIONS[name](thing, condition))
        else:
            results.append(_holds(thing.get(NAMES["text"] if name == "text" else name), condition))
    if wanted.get("operator") == "or_":
        return any(results) if results else True
    return all(results)


def _holds(value: Any, condition: Json) -> bool:
    return all(
        CONDITIONS[operator](value, operand)
        for operator, operand in condition.items()
        if operator in CONDITIONS and operand is not None
    )
