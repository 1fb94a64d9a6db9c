"""The table of searches that people keep; part of the declared schema (`storage.tables`)."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint

from headrace.storage.declaration import objects, required
from headrace.storage.types import Json, Text

saved_searches = objects(
    "saved_searches",
    required("name", Text),
    required("filters", Json),
    UniqueConstraint("workspace_id", "name", name="uq_saved_searches_name"),
)
