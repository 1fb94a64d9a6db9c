"""The limits of deployments, which were numbers so far, are limits that runs hold slots of."""

import sqlalchemy as sa
from alembic import op

from headrace.base.ids import uuid7
from headrace.storage.types import Id, Text

revision = "0010"
down_revision = "0009"

OWN_LIMIT = "deployment:"

deployments = sa.table(
    "deployments",
    sa.column("workspace_id", Id),
    sa.column("id", Id),
    sa.column("concurrency_limit", sa.Integer),
    sa.column("global_concurrency_limit_id", Id),
    sa.column("updated", sa.BigInteger),
)
limits = sa.table(
    "concurrency_limits",
    sa.column("workspace_id", Id),
    sa.column("id", Id),
    sa.column("name", Text),
    sa.column("slots", sa.Integer),
    sa.column("active", sa.Boolean),
    sa.column("slot_decay_per_second", sa.Float),
    sa.column("level", sa.Float),
    sa.column("level_since", sa.BigInteger),
    sa.column("created", sa.BigInteger),
    sa.column("updated", sa.BigInteger),
)


def upgrade() -> None:
    """Make a limit for each deployment that has a number."""
    connection = op.get_bind()
    told = sa.select(deployments).where(
        deployments.c.concurrency_limit.is_not(None), deployments.c.global_concurrency_limit_id.is_(None)
    )
    for row in connection.execute(told).all():
        made = {
            "workspace_id": row.workspace_id,
            "id": uuid7(),
            "name": f"{OWN_LIMIT}{row.id}",
            "slots": row.concurrency_limit,
            "active": True,
            "slot_decay_per_second": 0.0,
            "level": 0.0,
            "level_since": row.updated,
            "created": row.updated,
            "updated": row.updated,
        }
        connection.execute(limits.insert().values(made))
        its = (deployments.c.workspace_id == row.workspace_id) & (deployments.c.id == row.id)
        connection.execute(deployments.update().where(its).values(global_concurrency_limit_id=made["id"]))


def downgrade() -> None:
    """Leave the numbers, and no limits."""
    connection = op.get_bind()
    own = sa.select(limits.c.id).where(limits.c.name.startswith(OWN_LIMIT))
    having = deployments.c.global_concurrency_limit_id.in_(own)
    connection.execute(deployments.update().where(having).values(global_concurrency_limit_id=None))
    connection.execute(limits.delete().where(limits.c.name.startswith(OWN_LIMIT)))
