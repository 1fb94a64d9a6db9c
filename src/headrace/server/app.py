"""The application: the routes over the gateways it is given, behind the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ControllerRouterHandler

from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.orchestration.measures import Measures
from headrace.server.auth import Access, refuse_unguarded, require_permission
from headrace.server.decoding import Lenient
from headrace.server.errors import ANSWERS
from headrace.server.feed import Feed
from headrace.server.gate import Gate
from headrace.server.gateways import provide
from headrace.server.metrics import Metrics
from headrace.server.routes import (
    artifacts,
    automations,
    blocks,
    cloud,
    collections,
    concurrency_limits,
    deployments,
    events,
    explanations,
    flow_run_inputs,
    flow_run_states,
    flow_runs,
    flows,
    graphs,
    live,
    logs,
    loops,
    meta,
    metrics,
    occupancy,
    overviews,
    results,
    saved_searches,
    schedules,
    schemas,
    sockets,
    static,
    tag_limits,
    task_queue,
    task_runs,
    task_workers,
    templates,
    ui,
    variables,
    webhooks,
    work_pools,
)
from headrace.server.routes import execution as execution_verbs
from headrace.server.version import own_version, require_api_version

LARGEST_BODY = 16 * 1024 * 1024
"""The most bytes of a request's body, unless its route says otherwise."""

ROUTES: tuple[HTTPRouteHandler | WebsocketRouteHandler, ...] = (
    *meta.routes,
    *flows.routes,
    *flow_runs.routes,
    *flow_run_inputs.routes,
    *flow_run_states.routes,
    *task_runs.routes,
    *task_queue.routes,
    *task_workers.routes,
    *graphs.routes,
    *explanations.routes,
    *logs.routes,
    *loops.routes,
    *metrics.routes,
    *artifacts.routes,
    *results.routes,
    *concurrency_limits.routes,
    *tag_limits.routes,
    *deployments.routes,
    *schedules.routes,
    *work_pools.routes,
    *occupancy.routes,
    *overviews.routes,
    *saved_searches.routes,
    *schemas.routes,
    *variables.routes,
    *webhooks.routes,
    *templates.routes,
    *blocks.routes,
    *automations.routes,
    *collections.routes,
    *cloud.routes,
    *ui.routes,
    *events.routes,
    *live.routes,
    *sockets.routes,
    *execution_verbs.routes,
    *static.routes,
)
"""What is served, noun by noun."""

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class Surface(Router):
    """All routes of one app, made for it: so the app need not copy them, which takes longer than the rest of its making."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Surface:
        return self


class Framework(Litestar):
    """The framework without what it brings along for libraries that happen to be installed: a third of a second."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class Application(NamedTuple):
    """What is served: the gate, behind it the framework's app, and the feed that its streams follow.

    Whoever stops the server closes the feed first: that ends the streams.
    """

    gate: Gate
    framework: Litestar
    feed: Feed


def build_app(
    execution: Execution,
    administration: Administration,
    access: Access | None = None,
    about: meta.About | None = None,
    measure: Callable[[], Measures] | None = None,
    routes: Sequence[ControllerRouterHandler] = (),
    lifespan: Sequence[Lifespan] = (),
) -> Application:
    """The application, ready to be served. Raises `ConfigurationError` when a route does not say what it needs.

    `measure` counts in the database, for who watches; `routes` are further ones, from the root; `lifespan` is what runs as
    long as the app.
    """
    access = access or Access()
    told = about or meta.About(database="unknown", needs_key=not access.is_open, settings={})
    feed = Feed(execution)
    told_of = Metrics(own_version(), told.database, measure)
    app = Framework(
        route_handlers=[Surface("/", route_handlers=[*ROUTES, *routes])],
        dependencies=provide(
            execution=execution, administration=administration, about=told, feed=feed, access=access, metrics=told_of
        ),
        exception_handlers=ANSWERS,
        guards=[require_permission, require_api_version],
        lifespan=list(lifespan),
        logging_config=None,
        openapi_config=None,
        request_class=Lenient,
        request_max_body_size=LARGEST_BODY,
    )
    refuse_unguarded(app)
    return Application(Gate(app, access, told_of.requests), app, feed)
