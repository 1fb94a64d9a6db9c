"""Automations: what they are, what their triggers remember, how often they fired and what is to be done about it."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Json, Text

revision = "0007"
down_revision = "0006"

TABLES = (
    "automation_actions",
    "automation_firings",
    "automation_buckets",
    "automation_cursors",
    "automations",
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "automations",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("description", Text, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("trigger", Json, nullable=False),
        sa.Column("actions", Json, nullable=False),
        sa.Column("actions_on_trigger", Json, nullable=False),
        sa.Column("actions_on_resolve", Json, nullable=False),
        sa.Column("owner_resource", Text, nullable=True),
        sa.Column("resources", Json, nullable=False),
        sa.Column("begin_xid", sa.BigInteger(), nullable=False),
        sa.Column("begin_id", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_automations"),
    )
    op.create_index("ix_automations_name", "automations", ["workspace_id", "name"])
    _index_present("ix_automations_owner_resource", "automations", "owner_resource", ["owner_resource"])
    op.create_table(
        "automation_cursors",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_automation_cursors"),
    )
    op.create_table(
        "automation_buckets",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("automation_id", Id, nullable=False),
        sa.Column("trigger_id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("cause", Id, nullable=True),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "automation_id", "trigger_id", "key", name="pk_automation_buckets"),
    )
    _index_present("ix_automation_buckets_due", "automation_buckets", "due", ["due"])
    op.create_table(
        "automation_firings",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("automation_id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("mood", Text, nullable=False),
        sa.Column("labels", Json, nullable=False),
        sa.Column("event", Json, nullable=True),
        sa.Column("occurred", sa.BigInteger(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("chain", Id, nullable=False),
        sa.Column("lineage", Json, nullable=False),
        sa.Column("recurring", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_automation_firings"),
        sa.UniqueConstraint("workspace_id", "automation_id", "key", name="uq_automation_firings_key"),
    )
    op.create_index("ix_automation_firings_created", "automation_firings", ["workspace_id", "created"])
    op.create_index("ix_automation_firings_chain", "automation_firings", ["workspace_id", "chain"])
    op.create_table(
        "automation_actions",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("firing_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", Json, nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("failure", Text, nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "firing_id", "number", name="pk_automation_actions"),
    )
    _index_present("ix_automation_actions_due", "automation_actions", "due", ["due", "firing_id", "number"])


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table)


def _index_present(name: str, table: str, column: str, columns: list[str]) -> None:
    """Index the rows where a column has a value."""
    present = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, ["workspace_id", *columns], sqlite_where=present, postgresql_where=present)
