"""The tables of concurrency limits, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Identity, Index, Integer, PrimaryKeyConstraint, UniqueConstraint

from headrace.storage.declaration import objects, present, required, table
from headrace.storage.types import Float, Id, Json, Micros, Sequence, Text

concurrency_limits = objects(
    "concurrency_limits",
    required("name", Text),
    required("slots", Integer),
    required("active", Boolean),
    required("slot_decay_per_second", Float),
    # Of a limit with a decay: what was in use at the instant `level_since`, from where it fades.
    required("level", Float),
    required("level_since", Micros),
    UniqueConstraint("workspace_id", "name", name="uq_concurrency_limits_name"),
)

slot_leases = objects(
    "slot_leases",
    required("request_id", Id),
    required("holder_type", Text),
    Column("holder_id", Id),
    required("names", Json),
    required("expires", Micros),
    UniqueConstraint("workspace_id", "request_id", name="uq_slot_leases_request_id"),
)
Index("ix_slot_leases_expires", slot_leases.c.expires)
Index("ix_slot_leases_holder_id", slot_leases.c.workspace_id, slot_leases.c.holder_id, **present("holder_id"))

# How many slots of which limit a lease holds. Slots in use are the sum over leases that have not expired: there is no
# counter to leak.
slot_holds = table(
    "slot_holds",
    required("limit_id", Id),
    required("lease_id", Id),
    required("occupied", Integer),
    PrimaryKeyConstraint("workspace_id", "limit_id", "lease_id"),
)
Index("ix_slot_holds_lease_id", slot_holds.c.workspace_id, slot_holds.c.lease_id)

# The line before each limit; `sequence` is the place in it. `asked` tells who is still waiting.
slot_waiters = table(
    "slot_waiters",
    Column("sequence", Sequence, Identity(), primary_key=True),
    required("request_id", Id),
    required("limit_id", Id),
    required("occupy", Integer),
    Column("holder_id", Id),
    required("created", Micros),
    required("asked", Micros),
    UniqueConstraint("workspace_id", "request_id", "limit_id", name="uq_slot_waiters_request_id"),
    sqlite_autoincrement=True,
)
Index("ix_slot_waiters_limit_id", slot_waiters.c.workspace_id, slot_waiters.c.limit_id, slot_waiters.c.sequence)
