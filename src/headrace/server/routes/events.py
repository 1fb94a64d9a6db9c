from __future__ import annotations

from typing import Any

from litestar import post
from litestar.params import JSONBody

from headrace.server.auth import Permission, needs
from headrace.server.events.reading import to_report
from headrace.server.gateways import Runs


@post("/api/events", status_code=204, **needs(Permission.RUN))
def take_events(data: JSONBody[list[dict[str, Any]]], execution: Runs) -> None:
    execution.report([to_report(event) for event in data])


routes = [take_events]
