"""Blocks: saved, loaded, changed, deleted; their secrets sealed with keys that no database holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.block_types import BlockTypeVerbs, refuse_strange, require, require_type
from headrace.orchestration.administration.office import checked
from headrace.orchestration.blocks import context_of, pack, show_documents, unpack
from headrace.orchestration.unit import Unit
from headrace.outbound.vault import Sealed, Vault
from headrace.rules.blocks import list_references, secret_fields_of, unmask
from headrace.schema.block import (
    PLAIN,
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSelection,
    Rotation,
)
from headrace.schema.run import Page
from headrace.schema.wire import decode_json
from headrace.storage import blocks as queries
from headrace.storage.block_rows import BlockDocumentRow, BlockSchemaRow
from headrace.storage.texts import storable

BATCH = 100
"""How many blocks are sealed anew in one transaction."""


class BlockVerbs(BlockTypeVerbs):
    """The verbs on blocks."""

    def create_block_document(self, document: BlockDocumentCreate) -> BlockDocument:
        document_id = uuid7()
        if document.name is None and not document.is_anonymous:
            raise InvalidRequest("A block needs a name, unless it is anonymous.", [(["name"], "A block needs a name.")])
        name = f"anonymous-{document_id}" if document.name is None else document.name
        refuse_strange(name, PLAIN, "name", "A block's name is lower-case letters, digits and dashes")

        def create(unit: Unit) -> BlockDocument | None:
            block_type = require_type(unit, document.block_type_id)
            schema = _require_schema(unit, document.block_schema_id, block_type.id)
            _check_references(unit, document.data)
            row = BlockDocumentRow(
                id=document_id,
                block_type_id=block_type.id,
                block_schema_id=schema.id,
                name=storable(name),
                is_anonymous=document.is_anonymous,
                created=unit.now,
                updated=unit.now,
                **pack(self._vault, unit.workspace_id, document_id, document.data, schema.fields),
            )
            made = queries.insert(unit.connection, unit.workspace_id, row)
            return show_documents(unit, [row])[0] if made else None

        self.install_block_types()
        made = self._desk.write(create)
        if made is None:
            raise ObjectAlreadyExists(f"There is a block of this type called {name!r} already.")
        return made

    def read_block_document(self, document_id: UUID, include_secrets: bool = False) -> BlockDocument:
        def read(unit: Unit) -> BlockDocument:
            return show_documents(unit, [require(unit, BlockDocumentRow, document_id)], self._key(include_secrets))[0]

        return self._desk.read(read)

    def read_block_document_by_name(self, slug: str, name: str, include_secrets: bool = False) -> BlockDocument:
        def read(unit: Unit) -> BlockDocument:
            block_type = queries.find_type(unit.connection, unit.workspace_id, storable(slug))
            if block_type is None:
                raise ObjectNotFound(f"There is no block type {slug!r}.")
            row = queries.find_document(unit.connection, unit.workspace_id, block_type.id, storable(name))
            if row is None:
                raise ObjectNotFound(f"There is no block {name!r} of type {slug!r}.")
            return show_documents(unit, [row], self._key(include_secrets))[0]

        self.install_block_types()
        return self._desk.read(read)

    def list_block_documents(
        self,
        selection: BlockSelection | None = None,
        sort: BlockDocumentSort = BlockDocumentSort.NAME_ASC,
        page: Page = Page(),
        include_secrets: bool = False,
    ) -> list[BlockDocument]:
        part, wanted = checked(page), selection or BlockSelection()

        def list_them(unit: Unit) -> list[BlockDocument]:
            rows = queries.list_documents(unit.connection, unit.workspace_id, wanted, sort, part)
            return show_documents(unit, rows, self._key(include_secrets))

        return self._desk.read(list_them)

    def count_block_documents(self, selection: BlockSelection | None = None) -> int:
        wanted = selection or BlockSelection()
        return self._desk.read(lambda unit: queries.count_documents(unit.connection, unit.workspace_id, wanted))

    def update_block_document(self, document_id: UUID, update: BlockDocumentUpdate) -> None:
        def change(unit: Unit) -> None:
            row = require(unit, BlockDocumentRow, document_id)
            schema = _require_schema(unit, update.block_schema_id or row.block_schema_id, row.block_type_id)
            former = unpack(self._vault, unit.workspace_id, row)
            data = unmask(update.data, former, secret_fields_of(decode_json(schema.fields)))
            if update.merge_existing_data:
                data = former | data
            _check_references(unit, data)
            changed: dict[str, Any] = {
                "block_schema_id": schema.id,
                "updated": unit.now,
                **pack(self._vault, unit.workspace_id, row.id, data, schema.fields),
            }
            queries.change(unit.connection, unit.workspace_id, row, changed)
            show_documents(unit, [row._replace(**changed)])

        self._desk.write(change)

    def delete_block_document(self, document_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            queries.remove(unit.connection, unit.workspace_id, require(unit, BlockDocumentRow, document_id))

        self._desk.write(delete)

    def rotate_secrets(self) -> Rotation:
        vault = self._vault
        vault.renew()
        key_id, resealed = vault.key_id, 0

        def reseal(unit: Unit) -> int:
            rows = queries.list_sealed(unit.connection, key_id, BATCH)
            for row in rows:
                context = context_of(row.workspace_id, row.id)
                sealed = vault.seal(vault.open(Sealed(row.key_id, row.sealed), context), context)
                queries.reseal(unit.connection, row, sealed.text, sealed.key_id)
            return len(rows)

        while done := self._desk.write(reseal):
            resealed += done
        vault.forget(frozenset(self._desk.read(lambda unit: queries.list_key_ids(unit.connection))))
        return Rotation(key_id=key_id, resealed=resealed)

    def _key(self, include_secrets: bool) -> Vault | None:
        return self._vault if include_secrets else None


def _require_schema(unit: Unit, schema_id: UUID, block_type_id: UUID) -> BlockSchemaRow:
    schema = require(unit, BlockSchemaRow, schema_id)
    if schema.block_type_id != block_type_id:
        raise InvalidRequest(f"Block schema {schema_id} is not one of block type {block_type_id}.")
    return schema


def _check_references(unit: Unit, data: dict[str, Any]) -> None:
    """Refuse fields that refer to blocks which are not there."""
    wanted = dict(list_references(data))
    there = queries.fetch(unit.connection, unit.workspace_id, BlockDocumentRow, wanted.values())
    for name, document_id in wanted.items():
        if document_id not in there:
            raise InvalidRequest(f"Field {name!r} refers to block {document_id}, which is not there.")
