"""Blocks as they are kept, and as they are answered: their secrets sealed, masked or opened, other blocks in their place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest
from headrace.orchestration.unit import Unit
from headrace.outbound.vault import Sealed, Vault
from headrace.rules.blocks import find_reference, list_references, mask, secret_fields_of
from headrace.schema.block import BlockDocument, BlockReference, ReferencedDocument
from headrace.schema.wire import decode_json, encode_leniently
from headrace.storage import blocks as queries
from headrace.storage.block_rows import (
    BlockDocumentRow,
    BlockSchemaRow,
    BlockTypeRow,
    to_block_schema,
    to_block_type,
)
from headrace.storage.texts import storable_json

MOST_NESTED = 200
"""How many other blocks one may consist of, each counted as often as it occurs."""


def pack(vault: Vault, workspace_id: UUID, document_id: UUID, data: dict[str, Any], fields: str) -> dict[str, Any]:
    """The columns that hold a block's data: what everybody may read, and sealed all of it where some is secret."""
    masked = mask(data, secret_fields_of(decode_json(fields)))
    columns: dict[str, Any] = {"data": storable_json(masked), "sealed": None, "key_id": None}
    if masked != data:
        sealed = vault.seal(encode_leniently(data).decode(), context_of(workspace_id, document_id))
        columns |= {"sealed": sealed.text, "key_id": sealed.key_id}
    return columns


def unpack(vault: Vault, workspace_id: UUID, row: BlockDocumentRow) -> dict[str, Any]:
    """All of a block's data. Raises `ConfigurationError` when it cannot be opened."""
    if row.sealed is None or row.key_id is None:
        return decode_json(row.data)
    return decode_json(vault.open(Sealed(row.key_id, row.sealed), context_of(workspace_id, row.id)))


def context_of(workspace_id: UUID, document_id: UUID) -> bytes:
    """What a block's secrets belong to: put into another block, they do not open."""
    return f"block document {workspace_id} {document_id}".encode()


def show_documents(unit: Unit, rows: Iterable[BlockDocumentRow], vault: Vault | None = None) -> list[BlockDocument]:
    """The blocks as they are answered: with a vault their secrets as well."""
    shown = list(rows)
    gallery = Gallery(unit, shown, vault)
    return [gallery.show(row) for row in shown]


class Gallery:
    """Blocks, with everything that they refer to."""

    def __init__(self, unit: Unit, rows: list[BlockDocumentRow], vault: Vault | None) -> None:
        self._rows = {row.id: row for row in rows}
        self._data: dict[UUID, dict[str, Any]] = {}
        fresh = self._rows
        while fresh:
            for row in fresh.values():
                self._data[row.id] = decode_json(row.data) if vault is None else unpack(vault, unit.workspace_id, row)
            wanted = {found for each in fresh for _, found in list_references(self._data[each])} - self._rows.keys()
            fresh = queries.fetch(unit.connection, unit.workspace_id, BlockDocumentRow, wanted)
            self._rows |= fresh
        everything = self._rows.values()
        self._schemas = queries.fetch(
            unit.connection, unit.workspace_id, BlockSchemaRow, (row.block_schema_id for row in everything)
        )
        types = queries.fetch(
            unit.connection, unit.workspace_id, BlockTypeRow, (row.block_type_id for row in everything)
        )
        self._types = {each: to_block_type(row) for each, row in types.items()}
        self._left = 0

    def show(self, row: BlockDocumentRow) -> BlockDocument:
        """A block as it is answered. Raises `InvalidRequest` when it consists of too many others, or of itself."""
        self._left = MOST_NESTED
        data, references = self._put_together(row.id, frozenset())
        block_type = self._types[row.block_type_id]
        schema = to_block_schema(self._schemas[row.block_schema_id], block_type)
        return BlockDocument(
            id=row.id,
            name=row.name,
            data=data,
            block_schema_id=row.block_schema_id,
            block_schema=schema,
            block_type_id=row.block_type_id,
            block_type_name=block_type.name,
            block_type=block_type,
            block_document_references=references,
            is_anonymous=row.is_anonymous,
            created=to_datetime(row.created),
            updated=to_datetime(row.updated),
        )

    def _put_together(
        self, document_id: UUID, around: frozenset[UUID]
    ) -> tuple[dict[str, Any], dict[str, BlockReference]]:
        """The data of a block with other blocks in their places, and what is told of those."""
        around |= {document_id}
        data: dict[str, Any] = {}
        references: dict[str, BlockReference] = {}
        for name, value in self._data[document_id].items():
            inner = find_reference(value)
            if inner is None:
                data[name] = value
            elif inner in self._rows:
                self._left -= 1
                if inner in around or self._left < 0:
                    raise InvalidRequest(
                        f"Block {self._rows[document_id].name!r} refers to itself, or to too many others."
                    )
                row = self._rows[inner]
                data[name], within = self._put_together(inner, around)
                references[name] = BlockReference(
                    block_document=ReferencedDocument(
                        id=inner,
                        name=row.name,
                        block_type=self._types[row.block_type_id],
                        is_anonymous=row.is_anonymous,
                        block_document_references=within,
                    )
                )
        return data, references
