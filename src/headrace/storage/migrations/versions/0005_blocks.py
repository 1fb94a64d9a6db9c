"""Blocks: their types, the schemas of those, and the blocks themselves."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Json, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "block_types",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("logo_url", Text, nullable=True),
        sa.Column("documentation_url", Text, nullable=True),
        sa.Column("description", Text, nullable=True),
        sa.Column("code_example", Text, nullable=True),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_block_types"),
        sa.UniqueConstraint("workspace_id", "slug", name="uq_block_types_slug"),
    )
    op.create_table(
        "block_schemas",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("block_type_id", Id, nullable=False),
        sa.Column("checksum", Text, nullable=False),
        sa.Column("fields", Text, nullable=False),
        sa.Column("capabilities", Json, nullable=False),
        sa.Column("version", Text, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_block_schemas"),
        sa.UniqueConstraint("workspace_id", "checksum", "version", "block_type_id", name="uq_block_schemas_checksum"),
    )
    op.create_index("ix_block_schemas_block_type_id", "block_schemas", ["workspace_id", "block_type_id"])
    op.create_table(
        "block_documents",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("block_type_id", Id, nullable=False),
        sa.Column("block_schema_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("data", Text, nullable=False),
        sa.Column("sealed", Text, nullable=True),
        sa.Column("key_id", Text, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_block_documents"),
        sa.UniqueConstraint("workspace_id", "block_type_id", "name", name="uq_block_documents_name"),
    )
    op.create_index("ix_block_documents_name", "block_documents", ["workspace_id", "name", "id"])
    op.create_index("ix_block_documents_block_schema_id", "block_documents", ["workspace_id", "block_schema_id"])
    present = sa.text("key_id IS NOT NULL")
    op.create_index(
        "ix_block_documents_key_id", "block_documents", ["key_id"], sqlite_where=present, postgresql_where=present
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("block_documents")
    op.drop_table("block_schemas")
    op.drop_table("block_types")
