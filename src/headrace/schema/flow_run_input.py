"""What people and programs tell a flow run while it waits, or while it runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from headrace.schema.wire import Request, Stored

InputKey = Annotated[str, Meta(min_length=1, max_length=255)]


class FlowRunInputCreate(Request, kw_only=True):
    """Leaves a text for a flow run under a key, which nobody has used for it. `sender` says who it is from."""

    key: InputKey
    value: str
    sender: str | None = None


class FlowRunInput(Stored, kw_only=True):
    """A text that was left for a flow run."""

    flow_run_id: UUID
    key: str
    value: str
    sender: str | None = None


class FlowRunInputListing(Request, kw_only=True):
    """Asks for the texts whose keys begin with a prefix, oldest first, without those named."""

    prefix: str
    limit: Annotated[int, Meta(ge=1, le=200)] = 1
    exclude_keys: list[str] = msgspec.field(default_factory=list[str])
