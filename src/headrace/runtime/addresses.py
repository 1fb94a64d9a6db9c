"""Where runs can be looked at: the address of the API and that of the pages, which a server serves together."""

from __future__ import annotations

from uuid import UUID

from headrace.engine.context import RunContext


def api_url(context: RunContext, noun: str, run_id: UUID) -> str | None:
    """The address of a run in the API; None without a server."""
    address = context.session.settings.api_url
    return None if address is None else f"{address}/{noun}/{run_id}"


def ui_url(context: RunContext, page: str, run_id: UUID) -> str | None:
    """The address of a run's page, on the pages that the settings name or else the server's; None without either."""
    settings = context.session.settings
    address = settings.ui_url or (settings.api_url and settings.api_url.removesuffix("/api"))
    return None if address is None else f"{address}/{page}/{run_id}"
