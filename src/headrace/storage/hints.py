"""Hints to SQLite's planner: by which index a table is to be read, where its statistics cannot know.

They say how many rows share a value on average (`headrace.storage.statistics`), not that nearly all runs are in one state.
PostgreSQL looks at its data by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import FromClause, Select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

Query = Select[*tuple[Any, ...]]


class HintingCompiler(SQLiteCompiler):
    """Writes hints into a query's text, which SQLAlchemy does for other databases only."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def by_index(query: Query, table: FromClause, index: str) -> Query:
    """The query, with a table or an alias of one read by an index. SQLite refuses it where the index does not serve."""
    return query.with_hint(table, f"INDEXED BY {index}", "sqlite")
