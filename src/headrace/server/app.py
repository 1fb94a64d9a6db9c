"""The application: the routes over the gateways it is given, behind the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from litestar import Litestar, Router
from litestar.types import ControllerRouterHandler

from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.server.auth import Access, refuse_unguarded, require_permission
from headrace.server.decoding import Lenient
from headrace.server.errors import ANSWERS
from headrace.server.gate import Gate
from headrace.server.gateways import provide
from headrace.server.routes import (
    artifacts,
    concurrency_limits,
    execution,
    flow_run_states,
    flow_runs,
    flows,
    graphs,
    logs,
    meta,
    results,
    tag_limits,
    task_runs,
    ui,
)
from headrace.server.version import require_api_version

LARGEST_BODY = 16 * 1024 * 1024
"""The most bytes of a request's body, unless its route says otherwise."""

ROUTERS: tuple[Router, ...] = (
    flows.router,
    flow_runs.router,
    flow_run_states.router,
    task_runs.router,
    graphs.router,
    logs.router,
    artifacts.router,
    results.router,
    concurrency_limits.router,
    tag_limits.router,
    ui.router,
    execution.router,
)
"""The nouns, all of them under /api."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def build_app(
    execution: Execution,
    administration: Administration,
    access: Access | None = None,
    about: meta.About | None = None,
    routes: Sequence[ControllerRouterHandler] = (),
    lifespan: Sequence[Lifespan] = (),
) -> Gate:
    """The application, ready to be served. Raises `ConfigurationError` when a route does not say what it needs.

    `routes` are further ones, from the root; `lifespan` is what runs as long as the app.
    """
    access = access or Access()
    return Gate(_build(execution, administration, access, about, routes, lifespan), access)


def _build(
    execution_gateway: Execution,
    administration: Administration,
    access: Access,
    about: meta.About | None,
    routes: Sequence[ControllerRouterHandler],
    lifespan: Sequence[Lifespan],
) -> Litestar:
    told = about or meta.About(database="unknown", needs_key=not access.is_open, settings={})
    app = Litestar(
        route_handlers=[meta.router, Router("/api", route_handlers=list(ROUTERS)), *routes],
        dependencies=provide(execution=execution_gateway, administration=administration, about=told),
        exception_handlers=ANSWERS,
        guards=[require_permission, require_api_version],
        lifespan=list(lifespan),
        logging_config=None,
        openapi_config=None,
        request_class=Lenient,
        request_max_body_size=LARGEST_BODY,
    )
    refuse_unguarded(app)
    return app
