"""What clients ask a cloud: in which workspaces somebody may work. Here there is one."""

from __future__ import annotations

from uuid import UUID

from litestar import get

from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.schema.wire import Wire
from headrace.server.auth import Permission, needs_at_once
from headrace.server.cloud import ACCOUNT


class CloudWorkspace(Wire, kw_only=True):
    """A workspace of an account."""

    account_id: UUID
    account_name: str
    account_handle: str
    workspace_id: UUID
    workspace_name: str
    workspace_description: str
    workspace_handle: str


WORKSPACE = CloudWorkspace(
    account_id=ACCOUNT,
    account_name="Headrace",
    account_handle="headrace",
    workspace_id=DEFAULT_WORKSPACE,
    workspace_name="default",
    workspace_description="Everything on this server",
    workspace_handle="default",
)


@get("/api/me/workspaces", **needs_at_once(Permission.READ))
async def list_cloud_workspaces() -> list[CloudWorkspace]:
    """Return the one workspace there is, to clients that take this server for a cloud."""
    return [WORKSPACE]


routes = [list_cloud_workspaces]
