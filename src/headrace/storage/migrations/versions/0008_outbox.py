"""What is sent, and the webhooks by which others tell something."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Json, Text

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "outbox_messages",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("block_document_id", Id, nullable=True),
        sa.Column("recipients", Json, nullable=False),
        sa.Column("subject", Text, nullable=True),
        sa.Column("body", Text, nullable=False),
        sa.Column("payload", Json, nullable=True),
        sa.Column("firing", Id, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("claim", Id, nullable=True),
        sa.Column("reason", Text, nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_outbox_messages"),
        sa.UniqueConstraint("workspace_id", "key", name="uq_outbox_messages_key"),
    )
    for column in ("due", "ended"):
        present = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_outbox_messages_{column}",
            "outbox_messages",
            ["workspace_id", column, "id"],
            sqlite_where=present,
            postgresql_where=present,
        )
    op.create_table(
        "webhooks",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("description", Text, nullable=True),
        sa.Column("template", Text, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_webhooks"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_webhooks_name"),
    )
    op.create_index("uq_webhooks_slug", "webhooks", ["slug"], unique=True)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("webhooks")
    op.drop_table("outbox_messages")
