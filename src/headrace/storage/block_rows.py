"""Rows of blocks and the wire types they become."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.schema.block import BlockSchema, BlockType
from headrace.schema.wire import decode_json


class BlockTypeRow(NamedTuple):
    """A row of block_types."""

    id: UUID
    name: str
    slug: str
    logo_url: str | None
    documentation_url: str | None
    description: str | None
    code_example: str | None
    is_protected: bool
    created: int
    updated: int


class BlockSchemaRow(NamedTuple):
    """A row of block_schemas; fields and capabilities are JSON."""

    id: UUID
    block_type_id: UUID
    checksum: str
    fields: str
    capabilities: str
    version: str
    created: int
    updated: int


class BlockDocumentRow(NamedTuple):
    """A row of block_documents; data is JSON, and so is what is sealed."""

    id: UUID
    block_type_id: UUID
    block_schema_id: UUID
    name: str
    is_anonymous: bool
    data: str
    sealed: str | None
    key_id: str | None
    created: int
    updated: int


def to_block_type(row: BlockTypeRow) -> BlockType:
    """The block type a row holds."""
    return BlockType(
        id=row.id,
        name=row.name,
        slug=row.slug,
        logo_url=row.logo_url,
        documentation_url=row.documentation_url,
        description=row.description,
        code_example=row.code_example,
        is_protected=row.is_protected,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )


def to_block_schema(row: BlockSchemaRow, block_type: BlockType | None) -> BlockSchema:
    """The schema a row holds, of a block type."""
    return BlockSchema(
        id=row.id,
        checksum=row.checksum,
        fields=decode_json(row.fields),
        block_type_id=row.block_type_id,
        block_type=block_type,
        capabilities=decode_json(row.capabilities),
        version=row.version,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
    )
