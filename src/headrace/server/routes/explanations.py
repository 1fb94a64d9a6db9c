"""Why runs are not running, and who holds what they wait for."""

from __future__ import annotations

from uuid import UUID

from litestar import get
from litestar.params import FromPath, FromQuery

from headrace.schema.explanation import Explanation, HeldLimit, LimitKind
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ = Permission.READ


@get("/api/flow_runs/{flow_run_id:str}/why", **needs(READ))
def explain_flow_run(flow_run_id: FromPath[UUID], administration: Office) -> Explanation:
    """Why a flow run is not running: the reasons, in the order of what to do first, each with the next step in words."""
    return administration.explain_flow_run(flow_run_id)


@get("/api/limits/holders", **needs(READ))
def read_held_limit(kind: FromQuery[LimitKind], name: FromQuery[str], administration: Office) -> HeldLimit:
    """Who holds the slots of a limit, since when. `kind` is what it is on: `pool`, `queue` (named `POOL/QUEUE`), `deployment`
    (named by its id), `tag`, or `global` for a concurrency limit by its name.
    """
    return administration.read_held_limit(kind, name)


routes = [explain_flow_run, read_held_limit]
