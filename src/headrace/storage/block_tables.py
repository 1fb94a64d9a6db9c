"""The tables of blocks."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, UniqueConstraint

from headrace.storage.declaration import objects, present, required
from headrace.storage.types import Id, Json, Text

block_types = objects(
    "block_types",
    required("name", Text),
    required("slug", Text),
    Column("logo_url", Text),
    Column("documentation_url", Text),
    Column("description", Text),
    Column("code_example", Text),
    required("is_protected", Boolean),
    UniqueConstraint("workspace_id", "slug", name="uq_block_types_slug"),
)

# `fields` is text, so that it keeps the order it was written in.
block_schemas = objects(
    "block_schemas",
    required("block_type_id", Id),
    required("checksum", Text),
    required("fields", Text),
    required("capabilities", Json),
    required("version", Text),
    UniqueConstraint("workspace_id", "checksum", "version", "block_type_id", name="uq_block_schemas_checksum"),
)
Index("ix_block_schemas_block_type_id", block_schemas.c.workspace_id, block_schemas.c.block_type_id)

# `data` is what everybody may read, its secrets masked; `sealed` is all of it, sealed with the key `key_id`, and NULL where
# nothing is secret.
block_documents = objects(
    "block_documents",
    required("block_type_id", Id),
    required("block_schema_id", Id),
    required("name", Text),
    required("is_anonymous", Boolean),
    required("data", Text),
    Column("sealed", Text),
    Column("key_id", Text),
    UniqueConstraint("workspace_id", "block_type_id", "name", name="uq_block_documents_name"),
)
Index("ix_block_documents_name", block_documents.c.workspace_id, block_documents.c.name, block_documents.c.id)
Index("ix_block_documents_block_schema_id", block_documents.c.workspace_id, block_documents.c.block_schema_id)
Index("ix_block_documents_key_id", block_documents.c.key_id, **present("key_id"))
