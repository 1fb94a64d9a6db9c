"""The catalogue: which types of work pool there are workers for."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from headrace.base.errors import ObjectNotFound
from headrace.schema.job_template import CATALOGUE, WorkerKind
from headrace.server.auth import Permission, needs_at_once

WORKERS = "aggregate-worker-metadata"


@get("/api/collections/views/{view:str}", **needs_at_once(Permission.READ))
async def read_catalogue(view: FromPath[str]) -> dict[str, dict[str, WorkerKind]]:
    """Return the types of work pool there are workers for, with their job templates."""
    if view != WORKERS:
        raise ObjectNotFound(f"There is no view {view!r} of the catalogue; there is {WORKERS}.")
    return CATALOGUE


routes = [read_catalogue]
