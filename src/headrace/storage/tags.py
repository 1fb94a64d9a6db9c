"""Filters by tags: of rows that list their tags in a column, and of runs, which an index finds by them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, literal, select

from headrace.schema.filters import TagsFilter
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import Dialect
from headrace.storage.tag_rows import LONGEST
from headrace.storage.types import Json

MANY = 5_000
"""Fewer runs with a tag than these are all looked at without anybody waiting for it."""

PAGE = 50
"""So many of the `MANY` newest runs must have a tag for it to be a common one: a page is full soon."""

_TAGS = {t.flow_runs: t.flow_run_tags, t.task_runs: t.task_run_tags}


class ListedTags:
    """A column of tags, as an operand: the lists are looked into, row by row."""

    def __init__(self, column: ColumnElement[str]) -> None:
        self._column = column

    def has_all(self, wanted: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
        return dialect.has_all(self._column, wanted)

    def has_any(self, wanted: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
        return dialect.has_any(self._column, wanted)

    def are_none(self) -> ColumnElement[bool]:
        return self._column == literal("[]", Json())


class IndexedTags(ListedTags):
    """The tags of a workspace's runs, as an operand: runs are found by their tags, unless those are `common` ones.

    SQLite writes down all runs that have a tag before it looks at the first, which does not pay where a list is full
    after some steps; of a run at hand it can ask just as well whether it has the tag.
    """

    def __init__(self, workspace_id: UUID, runs: Table, common: Collection[str] = ()) -> None:
        super().__init__(runs.c.tags)
        self._run_id = runs.c.id
        self._workspace_id = workspace_id
        self._tag = _TAGS[runs].c
        self._common = common

    def has_all(self, wanted: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
        return and_(*(self.has_any([tag], dialect) for tag in wanted))

    def has_any(self, wanted: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
        own = [self._tag.workspace_id == self._workspace_id, self._tag.tag.in_([tag[:LONGEST] for tag in wanted])]
        if self._common and not {*wanted}.isdisjoint(self._common):
            found = exists(select(1).where(*own, self._tag.run_id == self._run_id))
        else:
            found = self._run_id.in_(select(self._tag.run_id).where(*own))
        cut = any(len(tag) >= LONGEST for tag in wanted)
        return and_(found, super().has_any(wanted, dialect)) if cut else found


def find_common(connection: Connection, workspace_id: UUID, runs: Table, wanted: TagsFilter | None) -> frozenset[str]:
    """Those of the tags a filter names that many runs have, and of the newest runs enough.

    Only SQLite has to be told; PostgreSQL knows its data.
    """
    if wanted is None or connection.dialect == "postgresql":
        return frozenset()
    tag = _TAGS[runs].c
    newest = select(runs.c.id).where(runs.c.workspace_id == workspace_id).order_by(runs.c.id.desc()).limit(MANY)
    run_id = newest.subquery().c.id

    def is_common(name: str) -> bool:
        own = select(1).where(tag.workspace_id == workspace_id, tag.tag == name[:LONGEST])
        many = own.limit(1).offset(MANY - 1)
        recent = select(run_id).where(exists(own.where(tag.run_id == run_id))).limit(1).offset(PAGE - 1)
        return bool(connection.select(many) and connection.select(recent))

    return frozenset(name for name in {*(wanted.all_ or ()), *(wanted.any_ or ())} if is_common(name))
