"""How the stub answers: routes by method and path, refusals, parts of lists."""

import re
from collections.abc import Callable
from typing import Any

from tests.e2e.stub.clock import Json
from tests.e2e.stub.world import World

Handler = Callable[..., Any]


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Declare what answers a method and a path; `{}` is one part of the path."""
    pattern = re.compile("^" + path.replace("{}", "([^/]+)") + "$")

    def declare(handler: Handler) -> Handler:
        ROUTES.append((method, pattern, handler))
        return handler

    return declare


def answer(world: World, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    """What the server says; raises `Refusal` when it says no."""
    for wanted, pattern, handler in ROUTES:
        found = pattern.match(path)
        if found and wanted == method:
            return handler(world, *found.groups(), body=body, query=query)
    raise Refusal(404, "Not Found")


def find(things: list[Json], thing_id: str) -> Json:
    """The thing of that id."""
    found = next((thing for thing in things if thing["id"] == thing_id), None)
    if found is None:
        raise Refusal(404, f"There is no object with the id {thing_id}.")
    return found


def named(things: list[Json], name: str) -> Json:
    """The thing of that name."""
    found = next((thing for thing in things if thing["name"] == name), None)
    if found is None:
        raise Refusal(404, f"There is no object with the name {name}.")
    return found


def page(things: list[Json], body: Json) -> list[Json]:
    """The wanted part of a list."""
    limit = body.get("limit", 200)
    if limit > 200:
        raise Refusal(422, "limit: must be at most 200")
    offset = body.get("offset", 0)
    return [without_private(thing) for thing in things[offset : offset + limit]]


PRIVATE = {"states", "attempts", "parents", "subflow", "flow_name"}


def without_private(thing: Json) -> Json:
    """The thing without what only the stub knows of it."""
    return {name: value for name, value in thing.items() if name not in PRIVATE}


@route("GET", "/ui-settings")
def read_settings(world: World, body: Any, query: Json) -> Any:
    return {"api_url": "/api", "csrf_enabled": False, "auth": None, "flags": []}


@route("GET", "/server")
def read_server(world: World, body: Any, query: Json) -> Any:
    return {
        "product": "headrace",
        "version": "0.1.0",
        "api_version": "0.8.4",
        "server_type": "server",
        "database": "memory",
    }
