"""What makes a call the same call in a later attempt: what is called, from where, and with what.

Values count by their content. What came from another run counts by that run, so that it need not have a content that is the
same in every process, nor be looked at. Position alone never counts: of three branches that were gathered and killed, each
finds its own values again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec import Struct

from headrace.base import errors
from headrace.engine.caching import hash_values
from headrace.engine.digests import digest
from headrace.engine.futures import Annotation, Future, FutureList, quote
from headrace.engine.lineage import Lineage
from headrace.schema.state import State


class Origin(Struct, frozen=True):
    """Stands for a value by where it came from."""

    text: str

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.text,)


def identify(scope: str, key: str, arguments: Mapping[str, Any], lineage: Lineage) -> str:
    """A digest of a call; the same in every process for the same call of `key` within `scope`.

    Raises `SerializationError` naming the argument that has no content of its own and came from no run.
    """
    parts = [scope, key]
    for name, value in arguments.items():
        try:
            parts += (name, hash_values(name_origins(value, lineage)))
        except (errors.SerializationError, RecursionError) as error:
            kind = type(value).__name__
            raise errors.SerializationError(f"argument {name!r} ({kind}) is not the same in every process") from error
    return digest(*(len(part).to_bytes(8, "big") + part.encode() for part in parts))


def name_origins(value: Any, lineage: Lineage) -> Any:
    """The value with all in it that came from runs replaced by where it came from."""
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Future):
        return Origin(str(cast("Future[Any]", value).task_run_id))
    if isinstance(value, State):
        return _name_state(value)
    if isinstance(value, Annotation):
        inner: Any = cast("Annotation[Any]", value).value
        return kind.__name__, inner if kind is quote else name_origins(inner, lineage)
    if kind is dict:
        return {key: name_origins(item, lineage) for key, item in value.items()}
    if kind in (list, tuple, set, frozenset) or kind is FutureList:
        named = (name_origins(item, lineage) for item in value)
        return list(named) if kind is FutureList else cast("Any", kind)(named)
    name = lineage.name(value)
    return value if name is None else Origin(name)


def _name_state(state: State) -> Origin:
    run_id = state.state_details.task_run_id or state.state_details.flow_run_id
    if run_id is None:
        raise errors.SerializationError("A state that belongs to no run has no content.")
    return Origin(str(run_id))
