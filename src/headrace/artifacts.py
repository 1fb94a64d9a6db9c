"""Artifacts: what a run leaves for people to look at. Artifacts with one key are versions of one another."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, cast
from uuid import UUID

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.context import current
from headrace.engine.session import current_session
from headrace.schema.fact import ArtifactFact
from headrace.schema.wire import encode_json

__all__ = ["create_link_artifact", "create_markdown_artifact", "create_table_artifact"]

Table = list[dict[str, Any]] | list[list[Any]] | dict[str, list[Any]]
LIMIT = 1_000_000
"""Artifacts longer than this are cut and marked."""


def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """Leave a Markdown text and return the artifact's id.

    The text may be indented like a docstring: the indentation all its lines share is taken off. `key` (lower-case letters,
    digits and dashes) makes it a version of the artifact of that key. Raises `UsageError` for another key.
    """
    return _create("markdown", inspect.cleandoc(str(markdown)), key, description)


def create_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """Leave a table and return the artifact's id: a list of rows (dictionaries or lists), or a dictionary of columns.

    A table that is too long is cut, and its description says so.
    """
    text = encode_json(_without_nan(table))
    if len(text) > LIMIT:
        rows = _count_rows(table)
        kept: int = rows
        while len(text) > LIMIT and kept:
            kept = min(kept - 1, kept * LIMIT // len(text))
            text = encode_json(_without_nan(_first_rows(table, kept)))
        description = f"{description or ''} (cut: {kept} of {rows} rows)".strip()
    return _create("table", text, key, description)


def create_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> UUID:
    """Leave a link, shown as `link_text`, and return the artifact's id."""
    return _create("link", f"[{link_text}]({link})" if link_text else f"[{link}]({link})", key, description)


def _create(kind: str, data: str, key: str | None, description: str | None) -> UUID:
    for name, text in (("key", key), ("description", description)):
        if text is not None and not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise errors.UsageError(f"An artifact's {name} must be a text, not {text!r}.")
    if key is not None and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key):
        raise errors.UsageError(f"An artifact cannot have the key {key!r}: use lower-case letters, digits and dashes.")
    if len(data) > LIMIT:
        data = f"{data[:LIMIT]}\n… (cut: {len(data)} characters)"
    run = current.get()
    session = run.session if run is not None else current_session()
    artifact_id = uuid7()
    flow_run_id = run.flow_run_id if run is not None else None
    task_run_id = run.task_run_id if run is not None else None
    session.emit(ArtifactFact(artifact_id, key, kind, description, data, clock.micros(), flow_run_id, task_run_id))
    return artifact_id


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
