"""Records that tell where the values of runs are kept. The values themselves never enter the database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from headrace.schema.wire import Stored


class ResultRecord(Stored, kw_only=True):
    """Where one value is kept. `size` is in bytes; `location` names the storage, `storage_key` the value in it."""

    storage_key: str
    location: str
    serializer: str
    size: int
    expiration: datetime | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None
