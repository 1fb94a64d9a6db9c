from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from headrace.server.auth import PERMISSION, Permission
from headrace.server.metrics import Metrics
from headrace.server.version import ANY_VERSION

Told = NamedDependency[SkipValidation[Metrics]]


@get(
    "/api/metrics",
    opt={PERMISSION: Permission.METRICS, ANY_VERSION: True},
    media_type=MediaType.TEXT,
    sync_to_thread=True,
)
def read_metrics(request: Request[Any, Any, Any], metrics: Told) -> Response[bytes]:
    """Return what Prometheus reads: requests, runs by state, queues, workers, loops, the database, this process."""
    content, kind = metrics.write(request.headers.get("accept", ""))
    return Response(content, headers={"content-type": kind})


routes = [read_metrics]
