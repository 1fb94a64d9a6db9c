"""Queries on blocks, their types and their schemas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select, update

from headrace.schema.block import BlockDocumentFilter, BlockDocumentSort, BlockSelection
from headrace.schema.run import Page
from headrace.schema.wire import decode_json
from headrace.storage import tables as t
from headrace.storage.block_rows import BlockDocumentRow, BlockSchemaRow, BlockTypeRow
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter, says_something
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.tags import ListedTags

_type, _schema, _document = t.block_types.c, t.block_schemas.c, t.block_documents.c

Row = TypeVar("Row", BlockTypeRow, BlockSchemaRow, BlockDocumentRow)

_TABLES: dict[Any, Table] = {
    BlockTypeRow: t.block_types,
    BlockSchemaRow: t.block_schemas,
    BlockDocumentRow: t.block_documents,
}
_TYPE = {"name": _type.name, "slug": _type.slug}
_SCHEMA = {
    "id": _schema.id,
    "block_type_id": _schema.block_type_id,
    "block_capabilities": ListedTags(_schema.capabilities),
    "version": _schema.version,
}
_DOCUMENT = {
    "id": _document.id,
    "block_type_id": _document.block_type_id,
    "name": _document.name,
    "is_anonymous": _document.is_anonymous,
}


class SealedRow(NamedTuple):
    """What is sealed of a block, of any workspace."""

    workspace_id: UUID
    id: UUID
    sealed: str
    key_id: str


def fetch(connection: Connection, workspace_id: UUID, kind: type[Row], ids: Iterable[UUID]) -> dict[UUID, Row]:
    """The rows with these ids, by id."""
    table = _TABLES[kind]
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = connection.select(_of(workspace_id, kind).where(table.c.id.in_(wanted)))
    return {row.id: row for row in map(kind._make, rows)}


def find_type(connection: Connection, workspace_id: UUID, slug: str) -> BlockTypeRow | None:
    """The block type of a slug."""
    rows = connection.select(_of(workspace_id, BlockTypeRow).where(_type.slug == slug))
    return BlockTypeRow._make(rows[0]) if rows else None


def find_schema(
    connection: Connection,
    workspace_id: UUID,
    checksum: str,
    version: str | None = None,
    block_type_id: UUID | None = None,
) -> BlockSchemaRow | None:
    """The newest schema with a checksum, of a version and a type if they are given."""
    query = _of(workspace_id, BlockSchemaRow).where(_schema.checksum == checksum)
    if version is not None:
        query = query.where(_schema.version == version)
    if block_type_id is not None:
        query = query.where(_schema.block_type_id == block_type_id)
    rows = connection.select(query.order_by(_schema.id.desc()).limit(1))
    return BlockSchemaRow._make(rows[0]) if rows else None


def find_document(
    connection: Connection, workspace_id: UUID, block_type_id: UUID, name: str
) -> BlockDocumentRow | None:
    """The block of a name."""
    own = (_document.block_type_id == block_type_id) & (_document.name == name)
    rows = connection.select(_of(workspace_id, BlockDocumentRow).where(own))
    return BlockDocumentRow._make(rows[0]) if rows else None


def list_checksums(connection: Connection, workspace_id: UUID, checksums: list[str]) -> set[str]:
    """Which of these checksums there are schemas with, of protected types."""
    link = (_type.workspace_id == _schema.workspace_id) & (_type.id == _schema.block_type_id) & _type.is_protected
    query = select(_schema.checksum).join_from(t.block_schemas, t.block_types, link)
    own = (_schema.workspace_id == workspace_id) & _schema.checksum.in_(checksums)
    return {row[0] for row in connection.select(query.where(own))}


def insert(connection: Connection, workspace_id: UUID, row: Row) -> bool:
    """Keep a row; False when what has to be unique about it is taken."""
    statement = DIALECTS[connection.dialect].insert(_TABLES[type(row)]).on_conflict_do_nothing()
    return bool(connection.change(statement.values(workspace_id=workspace_id, **row._asdict())))


def change(connection: Connection, workspace_id: UUID, row: Row, changed: dict[str, Any]) -> int:
    """Set columns of a row; how many rows there were."""
    table = _TABLES[type(row)]
    own = (table.c.workspace_id == workspace_id) & (table.c.id == row.id)
    return connection.change(update(table).where(own).values(changed))


def remove(connection: Connection, workspace_id: UUID, row: Row) -> None:
    """Delete a row, with what belongs to it: the blocks of a schema, the schemas and blocks of a type."""

    def remove_from(table: Table, condition: ColumnElement[bool]) -> None:
        connection.change(delete(table).where(table.c.workspace_id == workspace_id, condition))

    if isinstance(row, BlockTypeRow):
        remove_from(t.block_documents, _document.block_type_id == row.id)
        remove_from(t.block_schemas, _schema.block_type_id == row.id)
    elif isinstance(row, BlockSchemaRow):
        remove_from(t.block_documents, _document.block_schema_id == row.id)
    table = _TABLES[type(row)]
    remove_from(table, table.c.id == row.id)


def list_types(connection: Connection, workspace_id: UUID, selection: BlockSelection, page: Page) -> list[BlockTypeRow]:
    """The block types that a selection names, by name: those with such schemas."""
    query = _of(workspace_id, BlockTypeRow).where(_types(connection, selection))
    if says_something(selection.block_schemas):
        among = select(_schema.block_type_id).where(
            _schema.workspace_id == workspace_id, _schemas(connection, selection)
        )
        query = query.where(_type.id.in_(among))
    return [*map(BlockTypeRow._make, fetch_page(connection, query, Order(_type.name, _type.id), page))]


def list_schemas(
    connection: Connection, workspace_id: UUID, selection: BlockSelection, page: Page
) -> list[BlockSchemaRow]:
    """The schemas that a selection names, the newest first."""
    query = _of(workspace_id, BlockSchemaRow).where(_schemas(connection, selection))
    rows = fetch_page(connection, query, Order(_schema.id, _schema.id, descending=True), page)
    return [*map(BlockSchemaRow._make, rows)]


def list_capabilities(connection: Connection, workspace_id: UUID) -> list[str]:
    """What schemas are capable of, each once."""
    query = select(_schema.capabilities).where(_schema.workspace_id == workspace_id).distinct()
    return sorted({each for row in connection.select(query) for each in decode_json(row[0])})


def list_documents(
    connection: Connection, workspace_id: UUID, selection: BlockSelection, sort: BlockDocumentSort, page: Page
) -> list[BlockDocumentRow]:
    """The blocks that a selection names, in order."""
    query = _documents(connection, workspace_id, selection)
    if sort is BlockDocumentSort.BLOCK_TYPE_AND_NAME_ASC:
        link = (_type.workspace_id == _document.workspace_id) & (_type.id == _document.block_type_id)
        query = query.join_from(t.block_documents, t.block_types, link)
        ordered = query.order_by(_type.name, _document.name, _document.id)
        return [*map(BlockDocumentRow._make, connection.select(ordered.limit(page.limit).offset(page.offset)))]
    order = Order(_document.name, _document.id, descending=sort is BlockDocumentSort.NAME_DESC)
    return [*map(BlockDocumentRow._make, fetch_page(connection, query, order, page))]


def list_documents_of_schema(connection: Connection, workspace_id: UUID, schema_id: UUID) -> list[BlockDocumentRow]:
    """All blocks of a schema."""
    query = _of(workspace_id, BlockDocumentRow).where(_document.block_schema_id == schema_id)
    return [*map(BlockDocumentRow._make, connection.select(query))]


def count_documents(connection: Connection, workspace_id: UUID, selection: BlockSelection) -> int:
    """How many blocks a selection names."""
    return count_rows(connection, _documents(connection, workspace_id, selection))


def list_sealed(connection: Connection, but: str, limit: int) -> list[SealedRow]:
    """Some of the blocks, of all workspaces, that are sealed with another key."""
    columns = (_document[name] for name in SealedRow._fields)
    query = select(*columns).where(_document.key_id.is_not(None), _document.key_id != but).limit(limit)
    return [*map(SealedRow._make, connection.select(query))]


def reseal(connection: Connection, row: SealedRow, sealed: str, key_id: str) -> int:
    """Put the same, sealed with another key, in the place of what is sealed of a block; how many blocks there were."""
    own = (_document.workspace_id == row.workspace_id) & (_document.id == row.id) & (_document.sealed == row.sealed)
    return connection.change(update(t.block_documents).where(own).values(sealed=sealed, key_id=key_id))


def list_key_ids(connection: Connection) -> set[str]:
    """The keys that blocks, of all workspaces, are sealed with."""
    query = select(_document.key_id).where(_document.key_id.is_not(None)).distinct()
    return {row[0] for row in connection.select(query)}


def _of(workspace_id: UUID, kind: type[Row]) -> Query:
    table = _TABLES[kind]
    return select(*(table.c[name] for name in kind._fields)).where(table.c.workspace_id == workspace_id)


def _types(connection: Connection, selection: BlockSelection) -> ColumnElement[bool]:
    return compile_filter(selection.block_types, _TYPE, DIALECTS[connection.dialect])


def _schemas(connection: Connection, selection: BlockSelection) -> ColumnElement[bool]:
    return compile_filter(selection.block_schemas, _SCHEMA, DIALECTS[connection.dialect])


def _documents(connection: Connection, workspace_id: UUID, selection: BlockSelection) -> Query:
    wanted = selection.block_documents or BlockDocumentFilter()
    named = compile_filter(wanted, _DOCUMENT, DIALECTS[connection.dialect])
    query = _of(workspace_id, BlockDocumentRow).where(named)
    for said, table, condition, column in (
        (selection.block_types, t.block_types, _types, _document.block_type_id),
        (selection.block_schemas, t.block_schemas, _schemas, _document.block_schema_id),
    ):
        if says_something(said):
            own = table.c.workspace_id == workspace_id
            query = query.where(column.in_(select(table.c.id).where(own, condition(connection, selection))))
    return query
