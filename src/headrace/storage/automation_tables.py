"""The tables of automations, a part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, UniqueConstraint

from headrace.storage.declaration import objects, present, required, table
from headrace.storage.types import Id, Json, Micros, Text

# What is to be done when something happens. `resources` names what it has to do with; events up to (`begin_xid`, `begin_id`)
# had happened before it was made, or enabled, and are none of its business.
automations = objects(
    "automations",
    required("name", Text),
    required("description", Text),
    required("enabled", Boolean),
    required("tags", Json),
    required("trigger", Json),
    required("actions", Json),
    required("actions_on_trigger", Json),
    required("actions_on_resolve", Json),
    Column("owner_resource", Text),
    required("resources", Json),
    required("begin_xid", BigInteger),
    required("begin_id", BigInteger),
)
Index("ix_automations_name", automations.c.workspace_id, automations.c.name)
Index(
    "ix_automations_owner_resource",
    automations.c.workspace_id,
    automations.c.owner_resource,
    **present("owner_resource"),
)

# How far automations have read the log of events. Whoever reads on holds this row, so each event is taken once.
automation_cursors = table(
    "automation_cursors",
    required("xid", BigInteger),
    required("id", BigInteger),
    required("updated", Micros),
    PrimaryKeyConstraint("workspace_id"),
)

# What a trigger remembers, for the `labels` that `key` stands for. At `due` time itself changes it. `cause`
# is the last firing of the `depth` that led to it.
automation_buckets = table(
    "automation_buckets",
    required("automation_id", Id),
    required("trigger_id", Id),
    required("key", Text),
    required("labels", Json),
    required("state", Json),
    required("depth", Integer),
    Column("cause", Id),
    Column("due", Micros),
    required("updated", Micros),
    PrimaryKeyConstraint("workspace_id", "automation_id", "trigger_id", "key"),
)
Index(
    "ix_automation_buckets_due",
    automation_buckets.c.workspace_id,
    automation_buckets.c.due,
    **present("due"),
)

# That an automation fired, each time once by `key`. `depth` counts the automations one after another that led to it,
# `lineage` names them; it is `recurring` if it is one of them. All that came of one firing is of the `chain` with its id. What
# was kept from firing, since its chain had gone on for long enough, is here as well: by such a `key`, with nothing to be done.
automation_firings = objects(
    "automation_firings",
    required("automation_id", Id),
    required("key", Text),
    required("mood", Text),
    required("labels", Json),
    Column("event", Json),
    required("occurred", Micros),
    required("depth", Integer),
    required("chain", Id),
    required("lineage", Json),
    required("recurring", Boolean),
    UniqueConstraint("workspace_id", "automation_id", "key", name="uq_automation_firings_key"),
)
Index("ix_automation_firings_created", automation_firings.c.workspace_id, automation_firings.c.created)
Index("ix_automation_firings_chain", automation_firings.c.workspace_id, automation_firings.c.chain)

# What is to be done because of a firing, as the automation said it then. Performed ones have no `due` any more.
automation_actions = table(
    "automation_actions",
    required("firing_id", Id),
    required("number", Integer),
    required("action", Json),
    Column("due", Micros),
    Column("failure", Text),
    required("updated", Micros),
    PrimaryKeyConstraint("workspace_id", "firing_id", "number"),
)
Index(
    "ix_automation_actions_due",
    automation_actions.c.workspace_id,
    automation_actions.c.due,
    automation_actions.c.firing_id,
    automation_actions.c.number,
    **present("due"),
)
