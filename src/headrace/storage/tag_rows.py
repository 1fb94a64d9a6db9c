"""The tags of runs once more, as rows of their own by which an index finds the runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from headrace.schema.wire import decode_json
from headrace.storage.rows import FlowRunRow, TaskRunRow

LONGEST = 500
"""As many characters of a tag are indexed. PostgreSQL has no room for more than 2,700 bytes in an index."""


class TagRow(NamedTuple):
    """A tag that a run has."""

    tag: str
    run_id: UUID


def list_tags(runs: Iterable[FlowRunRow | TaskRunRow]) -> list[TagRow]:
    """The tags of runs; none of a run without tags, which takes no time."""
    return [
        TagRow(tag, run.id)
        for run in runs
        if run.tags != "[]"
        for tag in sorted({tag[:LONGEST] for tag in decode_json(run.tags)})
    ]
