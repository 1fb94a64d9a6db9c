"""What is left for flow runs that wait for a person."""

import sqlalchemy as sa
from alembic import op

from headrace.storage.types import Id, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "flow_run_inputs",
        sa.Column("workspace_id", Id, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.Column("sender", Text, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_flow_run_inputs"),
        sa.UniqueConstraint("workspace_id", "flow_run_id", "key", name="uq_flow_run_inputs_key"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("flow_run_inputs")
