"""The address that clients give a workspace who take this server for a cloud: `/api/accounts/…/workspaces/…`.

There is one account with one workspace, and below its address is what is below `/api`. Who may ask what is decided by
the credential and the route, as everywhere: the address only has to be the right one.
"""

from __future__ import annotations

import re
from uuid import UUID

from headrace.base.ids import DEFAULT_WORKSPACE

ACCOUNT = UUID("00000000-0000-7000-8000-000000000002")
"""The id of the account that every server has."""

_WORKSPACE = re.compile(rf"/api/accounts/{ACCOUNT}/workspaces/{DEFAULT_WORKSPACE}(?=/)", re.IGNORECASE)


def leave_workspace(path: str) -> str:
    """The path without the address of the workspace; any other path as it is."""
    within = _WORKSPACE.match(path)
    return path if within is None else f"/api{path[within.end() :]}"
