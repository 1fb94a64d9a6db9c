"""Pages of lists: rows in a wanted order, some of them, without reading the others."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, func, select

from headrace.schema.run import Page
from headrace.storage.database import Connection

Query = Select[*tuple[Any, ...]]
"""A query of any columns."""


class Order(NamedTuple):
    """The order of a list: by a column, and by `tie` where that is equal. Rows without a value come last."""

    column: ColumnElement[Any]
    tie: ColumnElement[Any]
    descending: bool = False


def fetch_page(connection: Connection, query: Query, order: Order, page: Page) -> list[Row[*tuple[Any, ...]]]:
    """The rows of a page.

    Rows with and without a value are asked for separately: each question then reads an index from its end, on both
    databases, although they do not agree on where the rows without a value come.
    """
    column, tie, descending = order
    if column is tie or not getattr(column, "nullable", True):
        return [*connection.select(_part(query, page.limit, page.offset, *_directed(order)))]
    present = query.where(column.is_not(None))
    rows = [*connection.select(_part(present, page.limit, page.offset, *_directed(order)))]
    if len(rows) < page.limit:
        before = page.offset + len(rows) if rows or not page.offset else count_rows(connection, present)
        missing = query.where(column.is_(None))
        last = tie.desc() if descending else tie.asc()
        rows += connection.select(_part(missing, page.limit - len(rows), max(0, page.offset - before), last))
    return rows


def count_rows(connection: Connection, query: Query) -> int:
    """How many rows a query has."""
    return connection.select(select(func.count()).select_from(query.subquery()))[0][0]


def _directed(order: Order) -> list[ColumnElement[Any]]:
    columns = [order.tie] if order.column is order.tie else [order.column, order.tie]
    return [column.desc() if order.descending else column.asc() for column in columns]


def _part(query: Query, limit: int, offset: int, *order: ColumnElement[Any]) -> Query:
    return query.order_by(*order).limit(limit).offset(offset)
