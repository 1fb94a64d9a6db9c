"""What is asked of the server itself: whether it lives, which version it speaks, how it is set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, SkipValidation
from msgspec import Struct

from headrace.base.errors import ObjectNotFound
from headrace.schema.wire import Request, Wire, encode_json
from headrace.server.auth import PERMISSION, Permission, needs, needs_at_once
from headrace.server.errors import Refusal
from headrace.server.gateways import Runs
from headrace.server.version import ANY_VERSION, API_VERSION, COMPATIBLE_VERSION, own_version

PUBLIC, READ, MANAGE = Permission.PUBLIC, Permission.READ, Permission.MANAGE


DESCRIPTION = Path(__file__).parents[1] / "openapi.json"
"""The description of the API, made ahead of time (`server/openapi.py`)."""


class About(Struct, frozen=True, kw_only=True):
    """What the server tells of itself. `settings` are as shown to people, with what is secret hidden."""

    database: str
    needs_key: bool
    settings: dict[str, str | None]


Told = NamedDependency[SkipValidation[About]]


class ServerFacts(Wire, kw_only=True):
    """What server this is."""

    product: str
    version: str
    api_version: str
    server_type: str
    database: str


class ResultStorage(Request, kw_only=True):
    """Where results are kept by default; null where each run says for itself."""

    default_result_storage_block_id: UUID | None = None


class UiSettings(Wire, kw_only=True):
    """What the UI has to know before it can ask anything. `auth` is null where no key is needed."""

    api_url: str
    csrf_enabled: bool
    auth: str | None
    flags: list[str]


def json_text(text: str) -> Response[str]:
    """A text as JSON: the framework would send it bare."""
    return Response(encode_json(text), media_type="application/json")


@get("/api/health", opt={PERMISSION: PUBLIC, ANY_VERSION: True})
async def check_health() -> bool:
    """Answer true: the process is alive. Needs no key."""
    return True


@get("/api/ready", opt={PERMISSION: PUBLIC, ANY_VERSION: True}, sync_to_thread=True)
def check_readiness(execution: Runs) -> dict[str, str]:
    """Answer when the database can be asked. Needs no key."""
    execution.last_cursor()
    return {"message": "OK"}


@get("/api/version", opt={PERMISSION: READ, ANY_VERSION: True})
async def read_api_version() -> Response[str]:
    """Return the version of the contract that is spoken here."""
    return json_text(API_VERSION)


@get("/api/admin/version", **needs_at_once(READ))
async def read_compatible_version() -> Response[str]:
    """Return the version that the contract's clients compare theirs with."""
    return json_text(COMPATIBLE_VERSION)


@get("/api/server", **needs_at_once(READ))
async def read_server(about: Told) -> ServerFacts:
    """Return what server this is, and which version of it."""
    return ServerFacts(
        product="headrace",
        version=own_version(),
        api_version=API_VERSION,
        server_type="server",
        database=about.database,
    )


@get("/api/admin/settings", **needs_at_once(MANAGE))
async def read_settings(about: Told) -> dict[str, str | None]:
    """Return the settings of the server, with what is secret hidden."""
    return about.settings


@get("/api/admin/storage", **needs_at_once(READ))
async def read_result_storage() -> ResultStorage:
    """Return where results are kept by default: null, since each run says that for itself."""
    return ResultStorage()


@put("/api/admin/storage", **needs_at_once(MANAGE))
async def choose_result_storage(data: JSONBody[ResultStorage]) -> ResultStorage:
    """Answer 404 for any block: where results are kept is said by each run."""
    if data.default_result_storage_block_id is not None:
        raise ObjectNotFound(f"There is no block with id {data.default_result_storage_block_id}.")
    return data


@delete("/api/admin/storage", **needs_at_once(MANAGE))
async def forget_result_storage() -> None:
    """Do nothing: no default is kept."""
    return


@get("/api/csrf-token", **needs_at_once(READ))
async def read_csrf_token(client: FromQuery[str]) -> dict[str, Any]:  # noqa: ARG001 - required, as the contract has it
    """Answer 422: no token is needed, since requests of foreign pages are refused by their origin."""
    # Pages of other origins are refused by what browsers say of a request, so no token is needed.
    raise Refusal(422, "CSRF protection is disabled.")


@get("/api/hello", **needs_at_once(READ))
async def greet() -> Response[str]:
    """Wave."""
    return json_text("👋")


@get("/api/openapi.json", include_in_schema=False, **needs(READ))
def read_description() -> Response[bytes]:
    return Response(DESCRIPTION.read_bytes(), media_type="application/json")


@get("/ui-settings", opt={PERMISSION: PUBLIC})
async def read_ui_settings(about: Told) -> UiSettings:
    """Return what the UI has to know before it can ask anything. Needs no key."""
    return UiSettings(api_url="/api", csrf_enabled=False, auth="BASIC" if about.needs_key else None, flags=[])


routes = [
    check_health,
    check_readiness,
    read_api_version,
    read_compatible_version,
    read_server,
    read_settings,
    read_result_storage,
    choose_result_storage,
    forget_result_storage,
    read_csrf_token,
    greet,
    read_description,
    read_ui_settings,
]
