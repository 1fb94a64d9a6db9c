"""Blocks: typed values with a name, kept for many flows, whose secret parts nobody reads who may not.

A block type is what a class of blocks is called; a schema is one version of its fields, known by its checksum; a document
is one block. A field of a document may be another document: then `data` holds `{"$ref": {"block_document_id": …}}` as it
was sent, and what it refers to as it is answered.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, field

from headrace.schema.filters import Filter, IdFilter, PausedFilter, TagsFilter, TextFilter
from headrace.schema.wire import Request, Stored, Wire

NON_VERSIONED = "non-versioned"
"""The version of a schema whose class belongs to no package."""

REFERENCE = "$ref"
"""The key of a value that stands for a document: with its id, or with an object that names it (`DOCUMENT_ID`)."""
DOCUMENT_ID = "block_document_id"

PLAIN = "^[a-z0-9-]{1,255}$"
"""What slugs and names of blocks look like."""
READABLE = "^[^/%&><]{1,255}$"
"""What names of types look like."""

TypeName = Annotated[str, Meta(pattern=READABLE)]
Slug = Annotated[str, Meta(pattern=PLAIN)]
DocumentName = Annotated[str, Meta(pattern=PLAIN)]


class BlockTypeCreate(Request, kw_only=True):
    """Asks for a block type."""

    name: TypeName
    slug: Slug
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None


class BlockTypeUpdate(Request, kw_only=True):
    """Changes what a block type says of itself; fields that are not sent stay as they are."""

    logo_url: str | UnsetType | None = UNSET
    documentation_url: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    code_example: str | UnsetType | None = UNSET


class BlockType(Stored, kw_only=True):
    """A block type as stored. A protected one came with Headrace and cannot be deleted."""

    name: str
    slug: str
    logo_url: str | None = None
    documentation_url: str | None = None
    description: str | None = None
    code_example: str | None = None
    is_protected: bool = False


class BlockSchemaCreate(Request, kw_only=True):
    """Asks for a version of a block type's fields: a JSON schema, which names those that are secret."""

    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    block_type_id: UUID
    capabilities: list[str] = field(default_factory=list[str])
    version: str = NON_VERSIONED


class BlockSchema(Stored, kw_only=True):
    """A schema as stored."""

    checksum: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    block_type_id: UUID | None = None
    block_type: BlockType | None = None
    capabilities: list[str] = field(default_factory=list[str])
    version: str = NON_VERSIONED


class BlockDocumentCreate(Request, kw_only=True):
    """Asks for a block. An anonymous one needs no name, and is given one."""

    name: DocumentName | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    block_schema_id: UUID
    block_type_id: UUID
    is_anonymous: bool = False


class BlockDocumentUpdate(Request, kw_only=True):
    """Changes a block: the fields in `data`, or with `merge_existing_data` false all of them. A secret that is sent as it is
    shown, masked, stays as it is.
    """

    block_schema_id: UUID | None = None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    merge_existing_data: bool = True


class ReferencedDocument(Wire, kw_only=True):
    """What is told of a block that another one refers to, beside its data."""

    id: UUID
    name: str | None
    block_type: BlockType
    is_anonymous: bool = False
    block_document_references: dict[str, BlockReference] = field(default_factory=dict[str, "BlockReference"])


class BlockReference(Wire, kw_only=True):
    """A field of a block that is another block."""

    block_document: ReferencedDocument


class BlockDocument(Stored, kw_only=True):
    """A block as it is answered: its secrets masked unless they were asked for, what it refers to in its place."""

    name: str | None
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    block_schema_id: UUID
    block_schema: BlockSchema | None = None
    block_type_id: UUID
    block_type_name: str | None = None
    block_type: BlockType | None = None
    block_document_references: dict[str, BlockReference] = field(default_factory=dict[str, BlockReference])
    is_anonymous: bool = False


class BlockTypeFilter(Filter, kw_only=True):
    """Which block types."""

    name: TextFilter | None = None
    slug: TextFilter | None = None


class BlockSchemaFilter(Filter, kw_only=True):
    """Which schemas."""

    id: IdFilter | None = None
    block_type_id: IdFilter | None = None
    block_capabilities: TagsFilter | None = None
    version: TextFilter | None = None


class BlockDocumentFilter(Filter, kw_only=True):
    """Which blocks; those that are anonymous only if it says so."""

    id: IdFilter | None = None
    block_type_id: IdFilter | None = None
    name: TextFilter | None = None
    is_anonymous: PausedFilter | None = field(default_factory=lambda: PausedFilter(eq_=False))


class BlockSelection(Request, kw_only=True):
    """Selects blocks: by themselves, by their types and by their schemas."""

    block_documents: BlockDocumentFilter | None = None
    block_types: BlockTypeFilter | None = None
    block_schemas: BlockSchemaFilter | None = None


class BlockDocumentSort(StrEnum):
    """Orders of a list of blocks."""

    NAME_DESC = "NAME_DESC"
    NAME_ASC = "NAME_ASC"
    BLOCK_TYPE_AND_NAME_ASC = "BLOCK_TYPE_AND_NAME_ASC"


class Rotation(Wire, kw_only=True):
    """What became of it when secrets were sealed with a new key: its id, and how many blocks were sealed anew."""

    key_id: str
    resealed: int
