"""The verbs of administration on blocks, their types and their schemas."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

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


class Blocks(Protocol):
    """What may be asked about blocks; raises what all verbs of administration do.

    The types that come with Headrace are there without anybody having made them, and are protected. Secrets are masked
    unless they are asked for, by one who may have them.
    """

    def create_block_type(self, block_type: BlockTypeCreate) -> BlockType:
        """Create a block type. Raises `ObjectAlreadyExists` for a slug that is taken, `NotAuthorized` for a reserved name."""
        ...

    def read_block_type(self, block_type_id: UUID) -> BlockType:
        """Return the block type."""
        ...

    def read_block_type_by_slug(self, slug: str) -> BlockType:
        """Return the block type of that slug."""
        ...

    def list_block_types(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockType]:
        """Return block types by name: those that the selection names, with such schemas."""
        ...

    def update_block_type(self, block_type_id: UUID, update: BlockTypeUpdate) -> None:
        """Change what the update names."""
        ...

    def delete_block_type(self, block_type_id: UUID) -> None:
        """Delete the block type with its schemas and blocks. Raises `NotAuthorized` for a protected one."""
        ...

    def install_block_types(self) -> None:
        """See to it that the types that come with Headrace are there."""
        ...

    def create_block_schema(self, schema: BlockSchemaCreate) -> BlockSchema:
        """Return the schema of these fields and this version, created if there is none yet."""
        ...

    def read_block_schema(self, schema_id: UUID) -> BlockSchema:
        """Return the schema."""
        ...

    def read_block_schema_by_checksum(self, checksum: str, version: str | None = None) -> BlockSchema:
        """Return the newest schema with that checksum, of a version if it is given."""
        ...

    def list_block_schemas(self, selection: BlockSelection | None = None, page: Page = Page()) -> list[BlockSchema]:
        """Return the schemas that the selection names, the newest first."""
        ...

    def list_block_capabilities(self) -> list[str]:
        """Return everything that blocks are capable of."""
        ...

    def delete_block_schema(self, schema_id: UUID) -> None:
        """Delete the schema with its blocks. Raises `NotAuthorized` for one of a protected type."""
        ...

    def create_block_document(self, document: BlockDocumentCreate) -> BlockDocument:
        """Create a block. Raises `ObjectAlreadyExists` for a name that is taken among the blocks of its type."""
        ...

    def read_block_document(self, document_id: UUID, include_secrets: bool = False) -> BlockDocument:
        """Return the block."""
        ...

    def read_block_document_by_name(self, slug: str, name: str, include_secrets: bool = False) -> BlockDocument:
        """Return the block of that name, of the type of that slug."""
        ...

    def list_block_documents(
        self,
        selection: BlockSelection | None = None,
        sort: BlockDocumentSort = BlockDocumentSort.NAME_ASC,
        page: Page = Page(),
        include_secrets: bool = False,
    ) -> list[BlockDocument]:
        """Return the blocks that the selection names, in order; anonymous ones only if it says so."""
        ...

    def count_block_documents(self, selection: BlockSelection | None = None) -> int:
        """Count the blocks that the selection names."""
        ...

    def update_block_document(self, document_id: UUID, update: BlockDocumentUpdate) -> None:
        """Change the fields of the block that the update names, or all; another schema must be one of its type."""
        ...

    def delete_block_document(self, document_id: UUID) -> None:
        """Delete the block; those that refer to it go on without."""
        ...

    def rotate_secrets(self) -> Rotation:
        """Seal all secrets with a new key, or where keys are given to the process with the first of them."""
        ...
