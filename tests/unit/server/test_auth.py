import base64
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from litestar import get

from headrace.base.errors import ConfigurationError
from headrace.server.app import ROUTES, Application
from headrace.server.auth import (
    ADMIN,
    LOCAL,
    PERMISSION,
    Access,
    Identity,
    Permission,
    check_binding,
    needs_at_once,
    refuse_unguarded,
)
from headrace.server.handshake import needs_in_band

Asker = Callable[..., httpx2.Client]

PUBLIC = {
    "/api/health", "/api/ready", "/ui-settings", "/", "/{path:path}", "/hooks/{slug:str}", "/api/hooks/{slug:str}",
}  # fmt: skip
"""Everything that answers whoever asks. A new entry is a decision."""


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_without_a_key_whoever_reaches_the_server_is_local() -> None:
    assert Access().identify(None) is LOCAL
    assert Access().identify_token(None) is LOCAL
    assert Access("").is_open


@pytest.mark.parametrize(
    "header",
    [
        "Bearer admin:pass",
        "bearer  admin:pass ",
        basic("admin:pass"),
        basic("somebody:admin:pass"),
        basic("x:admin:pass"),
    ],
)
def test_the_key_is_known_in_each_of_its_forms(header: str) -> None:
    assert Access("admin:pass").identify(header) is ADMIN


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer admin",
        "Bearer pass",
        "Basic",
        "Basic ???",
        basic("admin:wrong"),
        "Digest admin:pass",
        "admin:pass",
    ],
)
def test_nothing_else_is_the_key(header: str | None) -> None:
    assert Access("admin:pass").identify(header) is None


@pytest.mark.parametrize(
    ("token", "known"), [("admin:pass", True), ("pass", False), (None, False), ("", False), ("\ud800", False)]
)
def test_a_token_in_a_frame_is_the_key_itself(token: str | None, known: bool) -> None:
    assert (Access("admin:pass").identify_token(token) is ADMIN) is known


def test_a_route_without_a_permission_builds_no_app(build: Callable[..., Application]) -> None:
    @get("/api/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(ConfigurationError, match="/api/forgotten"):
        build(routes=[forgotten])


def test_a_websocket_without_a_permission_builds_no_app(build: Callable[..., Application]) -> None:
    from litestar import WebSocket, websocket

    @websocket("/api/forgotten")
    async def forgotten(socket: WebSocket[Any, Any, Any]) -> None: ...

    with pytest.raises(ConfigurationError, match="/api/forgotten"):
        build(routes=[forgotten])


def test_what_is_public_is_on_the_list() -> None:
    public = {path for route in ROUTES if route.opt[PERMISSION] is Permission.PUBLIC for path in route.paths}
    assert public == PUBLIC


def test_every_route_is_refused_to_whoever_has_no_key(serve: Asker, build: Callable[..., Application]) -> None:
    ask = serve("secret")
    for route in build("secret").framework.routes:
        path = route.path.replace("{path:path}", "/assets").replace(":str", "").replace("{", "").replace("}", "")
        for method in sorted({*getattr(route, "methods", ())} - {"OPTIONS"}):
            answer = ask.request(method, path)
            refused = answer.status_code == 401 and answer.json() == {"exception_message": "Unauthorized"}
            assert refused or route.path in PUBLIC, f"{method} {path}: {answer.status_code}"


def test_a_path_that_does_not_exist_is_not_told_to_strangers(serve: Asker) -> None:
    ask = serve("secret")
    assert ask.get("/api/nothing").status_code == 401
    assert ask.put("/api/flows/").status_code == 401
    assert ask.get("/api/nothing", headers={"Authorization": "Bearer secret"}).status_code == 404


@pytest.mark.parametrize("header", ["Bearer secret", basic("me:secret"), basic("secret")])
def test_with_the_key_one_may(serve: Asker, header: str) -> None:
    assert serve("secret").get("/api/hello", headers={"Authorization": header}).json() == "👋"


def test_somebody_known_may_not_do_everything() -> None:
    watcher = Identity("watcher", frozenset({Permission.READ}))
    assert watcher.may(Permission.READ)
    assert not watcher.may(Permission.EDIT)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "0:0:0:0:0:0:0:1"])
def test_a_loopback_address_needs_no_key(host: str) -> None:
    check_binding(host, Access())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "127.0.0.2", "example.com", ""])
def test_any_other_address_needs_a_key(host: str) -> None:
    with pytest.raises(ConfigurationError, match="HEADRACE_SERVER_API_KEY"):
        check_binding(host, Access())
    check_binding(host, Access("secret"))


def test_every_declaration_carries_its_permission(build: Callable[..., Application]) -> None:
    assert needs_at_once(Permission.EDIT)["opt"][PERMISSION] is Permission.EDIT
    assert needs_in_band(Permission.RUN)["opt"][PERMISSION] is Permission.RUN
    refuse_unguarded(build().framework)
