"""What artifacts are made of, and how they are left and changed: both are facts."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, cast
from uuid import UUID

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.context import current
from headrace.engine.here import session_here
from headrace.schema.fact import ArtifactChangeFact, ArtifactFact
from headrace.schema.wire import encode_json

Table = list[dict[str, Any]] | list[list[Any]] | dict[str, list[Any]]
LIMIT = 1_000_000
"""Artifacts longer than this are cut and marked."""


def leave(kind: str, data: Any, key: str | None, description: str | None) -> UUID:
    """Leave an artifact with the run that executes here, and return its id. Raises `UsageError`."""
    _check_text("key", key)
    _check_text("description", description)
    if key is not None and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        raise errors.UsageError(f"An artifact cannot have the key {key!r}: use lower-case letters, digits and dashes.")
    if isinstance(data, str) and len(data) > LIMIT:
        data = f"{data[:LIMIT]}\n… (cut: {len(data)} characters)"
    run = current.get()
    artifact_id = uuid7()
    flow_run_id = run.flow_run_id if run is not None else None
    task_run_id = run.task_run_id if run is not None else None
    fact = ArtifactFact(artifact_id, key, kind, description, data, clock.micros(), flow_run_id, task_run_id)
    session_here().emit(fact)
    return artifact_id


def change(artifact_id: UUID, data: Any, description: str | None) -> None:
    """Give an artifact other data, and another description if there is one. Raises `UsageError`."""
    if not isinstance(artifact_id, UUID):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise errors.UsageError(f"An artifact is named by its id, which {artifact_id!r} is not.")
    _check_text("description", description)
    session_here().emit(ArtifactChangeFact(artifact_id, data, clock.micros(), description))


def tell_markdown(markdown: object) -> str:
    """A text without the indentation that all its lines share."""
    return inspect.cleandoc(str(markdown))


def tell_link(link: str, text: str | None) -> str:
    """A link in Markdown."""
    return f"[{text or link}]({link})"


def tell_progress(progress: float) -> float:
    """How much is done, in percent. Raises `UsageError` for what is no number."""
    number = isinstance(progress, (int, float)) and not isinstance(progress, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not number or not math.isfinite(progress):
        raise errors.UsageError(f"A progress is a number, in percent, not {progress!r}.")
    return float(progress)


def tell_table(table: Table, description: str | None) -> tuple[str, str | None]:
    """A table as JSON, and its description: of a table that is too long only its first rows are kept, and it says so."""
    text = encode_json(_without_nan(table))
    if len(text) > LIMIT:
        rows = _count_rows(table)
        kept: int = rows
        while len(text) > LIMIT and kept:
            kept = min(kept - 1, kept * LIMIT // len(text))
            text = encode_json(_without_nan(_first_rows(table, kept)))
        description = f"{description or ''} (cut: {kept} of {rows} rows)".strip()
    return text, description


def _check_text(name: str, text: object) -> None:
    if text is not None and not isinstance(text, str):
        raise errors.UsageError(f"An artifact's {name} must be a text, not {text!r}.")


def _count_rows(table: Table) -> int:
    columns: list[list[Any]] = [*table.values()] if isinstance(table, dict) else [cast("list[Any]", table)]
    return max(map(len, columns), default=0)


def _first_rows(table: Table, count: int) -> Table:
    return {name: column[:count] for name, column in table.items()} if isinstance(table, dict) else table[:count]


def _without_nan(value: Any) -> Any:
    """JSON has no NaN: a cell without a number is empty."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half of a surrogate pair is no text
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {_without_nan(name) if isinstance(name, str) else name: _without_nan(item) for name, item in items}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
