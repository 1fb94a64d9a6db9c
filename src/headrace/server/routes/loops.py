from __future__ import annotations

from litestar import get

from headrace.schema.loop import LoopStatus
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office


@get("/api/loops", **needs(Permission.READ))
def list_loops(administration: Office) -> list[LoopStatus]:
    """Return the background loops, and which process has each."""
    return administration.list_loops()


routes = [list_loops]
