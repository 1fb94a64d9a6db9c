"""Blocks over HTTP."""

from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, step
from headrace.schema.block import (
    BlockDocument,
    BlockDocumentCreate,
    BlockDocumentSort,
    BlockDocumentUpdate,
    BlockSchema,
    BlockSchemaCreate,
    BlockSelection,
    BlockType,
    BlockTypeCreate,
    BlockTypeUpdate,
    Rotation,
)
from headrace.schema.run import Page


class BlockCalls(Asking):
    """The verbs on blocks."""

    def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        return self._create("/block_types/", BlockType, block_type)

    def read_block_type(self, block_type_id: UUID) -> BlockType:
        return self._read(f"/block_types/{block_type_id}", BlockType)

    def read_block_type_by_slug(self, slug: str) -> BlockType:
        return self._read(f"/block_types/slug/{step(slug)}", BlockType)

    def list_block_types(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockType]:
        wanted = selection or BlockSelection()
        body = part(page, block_types=wanted.block_types, block_schemas=wanted.block_schemas)
        return self._list("/block_types/filter", list[BlockType], body)

    def update_block_type(self, block_type_id: UUID, update: BlockTypeUpdate) -> None:
        self._update(f"/block_types/{block_type_id}", update)

    def delete_block_type(self, block_type_id: UUID) -> None:
        self._delete(f"/block_types/{block_type_id}")

    def install_block_types(self) -> None:
        self._ask("POST", "/block_types/install_system_block_types", None, {}, repeatable=True)

    def create_block_schema(self, schema: BlockSchemaCreate) -> BlockSchema:
        return self._create("/block_schemas/", BlockSchema, schema)

    def read_block_schema(self, schema_id: UUID) -> BlockSchema:
        return self._read(f"/block_schemas/{schema_id}", BlockSchema)

    def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        query = {} if version is None else {"version": version}
        return self._read(f"/block_schemas/checksum/{step(checksum)}", BlockSchema, **query)

    def list_block_schemas(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockSchema]:
        wanted = selection or BlockSelection()
        body = part(page, block_schemas=wanted.block_schemas)
        return self._list("/block_schemas/filter", list[BlockSchema], body)

    def list_block_capabilities(self) -> list[str]:
        return self._read("/block_capabilities/", list[str])

    def delete_block_schema(self, schema_id: UUID) -> None:
        self._delete(f"/block_schemas/{schema_id}")

    def create_block_document(self, document: BlockDocumentCreate) -> BlockDocument:
        return self._create("/block_documents/", BlockDocument, document)

    def read_block_document(self, document_id: UUID, include_secrets: bool = False) -> BlockDocument:
        return self._read(f"/block_documents/{document_id}", BlockDocument, **_secrets(include_secrets))

    def read_block_document_by_name(self, slug: str, name: str, include_secrets: bool = False) -> BlockDocument:
        path = f"/block_types/slug/{step(slug)}/block_documents/name/{step(name)}"
        return self._read(path, BlockDocument, **_secrets(include_secrets))

    def list_block_documents(
        self,
        selection: BlockSelection | None = None,
        sort: BlockDocumentSort = BlockDocumentSort.NAME_ASC,
        page: Page = Page(),
        include_secrets: bool = False,
    ) -> list[BlockDocument]:
        body = part(page, **_select(selection), sort=sort, include_secrets=include_secrets)
        return self._list("/block_documents/filter", list[BlockDocument], body)

    def count_block_documents(self, selection: BlockSelection | None = None) -> int:
        return self._list("/block_documents/count", int, _select(selection))

    def update_block_document(self, document_id: UUID, update: BlockDocumentUpdate) -> None:
        self._update(f"/block_documents/{document_id}", update)

    def delete_block_document(self, document_id: UUID) -> None:
        self._delete(f"/block_documents/{document_id}")

    def rotate_secrets(self) -> Rotation:
        return self._create("/block_documents/rotate_secrets", Rotation, {})


def _secrets(included: bool) -> dict[str, str]:
    return {"include_secrets": "true"} if included else {}


def _select(selection: BlockSelection | None) -> dict[str, object]:
    wanted = selection or BlockSelection()
    return {name: getattr(wanted, name) for name in wanted.__struct_fields__}
