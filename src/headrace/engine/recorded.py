"""What is recorded of a run's parameters, and what is kept beside that so that a later attempt gets them as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from headrace.engine.caching import is_plain
from headrace.engine.requests import StoreResult
from headrace.schema.wire import decode_json, encode_json

if TYPE_CHECKING:
    from headrace.engine.session import Session

PARAMETER_LIMIT = 512 * 1024
"""Parameters longer than this as JSON are recorded cut; the run itself gets them whole."""


def keep_beside(parameters: dict[str, Any], flow_run_id: UUID) -> StoreResult | None:
    """The request that keeps those parameters, each with what is recorded of it, which the record does not hold."""
    shown = recordable(parameters)
    kept = {
        name: (shown[name], value)
        for name, value in parameters.items()
        if not (is_plain(value) and shown[name] == value)
    }
    return StoreResult(kept, _key(flow_run_id), "pickle", None, None, flow_run_id) if kept else None


def recall(session: Session, flow_run_id: UUID, recorded: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a run: those that the record does not hold as they were kept, unless others were given since."""
    key = _key(flow_run_id)
    if session.results.find(key) is None:
        return recorded
    kept: dict[str, tuple[Any, Any]] = session.results.read(key)
    return {
        name: kept[name][1] if name in kept and kept[name][0] == value else value for name, value in recorded.items()
    }


def recordable(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters as JSON can hold them. What is too long for the database is cut and marked."""
    texts = {name: _encode(value) for name, value in parameters.items()}
    whole = sum(map(len, texts.values())) <= PARAMETER_LIMIT
    share = PARAMETER_LIMIT // max(len(texts), 1)
    return {
        name: decode_json(text)
        if whole or len(text) <= share
        else f"{text[: min(share, 1000)]}… (cut: {len(text)} characters)"
        for name, text in texts.items()
    }


def _key(flow_run_id: UUID) -> str:
    return f"{flow_run_id}-parameters"


def _encode(value: Any) -> str:
    """The value as JSON text; one that cannot even be shown does not keep its run from being recorded."""
    try:
        return encode_json(value)
    except Exception:  # noqa: BLE001 - a number too long, a circle, a text with half a surrogate, a `__repr__` that fails
        try:
            return encode_json(repr(value))
        except Exception as error:  # noqa: BLE001 - as above
            return encode_json(f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>")
