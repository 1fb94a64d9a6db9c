"""Workspaces: whose data a request is about."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from headrace.base.ids import DEFAULT_WORKSPACE


class Scope(Struct, frozen=True):
    """What a caller may see and touch: one workspace. Every query takes one, so none can forget it."""

    workspace_id: UUID = DEFAULT_WORKSPACE


DEFAULT_SCOPE = Scope()
"""The workspace that every database has, for those who name none."""
