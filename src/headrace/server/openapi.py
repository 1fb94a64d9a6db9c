"""The description of the API: made by the framework from the routes, put right where it says less than is true.

Making it takes longer than starting the server, so `openapi.json` beside this file is made ahead of time by
`python -m headrace.server.openapi`, served as it is, and read by whoever generates types; `--check` tells whether it is
what the routes say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from headrace.server.app import ROUTES, Framework, Surface
from headrace.server.auth import PERMISSION, Permission
from headrace.server.describing import EXAMPLES, describe_operation, describe_schemas, find_statuses
from headrace.server.gateways import provide
from headrace.server.version import API_VERSION

FILE = Path(__file__).with_name("openapi.json")

Document = dict[str, Any]

COLLECTION = re.compile(r"/api/(v2/)?[a-z_]+")
"""Paths that the contract ends with a slash, if there is more below them."""

WITHOUT_SLASH = frozenset({"/api/events"})
WITH_SLASH = frozenset({"/api/block_capabilities"})
"""The one path that ends with a slash in the contract although nothing is below it."""

SPARSE = frozenset({"StateDetails", "VerdictDetails", "InnerErrors"})
"""Schemas of answers that leave out what says nothing."""

FAILURES = {
    "default": "What went wrong.",
    "401": "Nobody knows who asks: a key is needed.",
    "403": "Whoever asks may not do this, or the page that asks is a foreign one.",
    "404": "What is named is not there.",
    "409": "There is one already, or somebody was faster.",
    "422": "The request cannot mean anything; `exception_detail` says where.",
    "503": "Not just now; `Retry-After` says when to ask again.",
}

SUCCESSES = {"200": "What was asked for.", "201": "What was made.", "202": "It is being done.", "204": "It is done."}

ERROR: Document = {
    "title": "Error",
    "type": "object",
    "description": "What went wrong: `exception_message` says it in a sentence.",
    "properties": {
        "exception_message": {"type": "string"},
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "Under which the server's log tells more; of errors 500."},
        "request_body": {"description": "What was sent; of errors 422."},
        "exception_detail": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
                "required": ["loc", "msg", "type"],
            },
        },
    },
    "required": ["exception_message"],
}


def make_document() -> Document:
    """The description of the API."""
    names = ("execution", "administration", "about", "feed", "access", "metrics")
    config = OpenAPIConfig(
        title="Headrace",
        version=API_VERSION,
        components=Components(
            security_schemes={
                "key": SecurityScheme(type="http", scheme="bearer", description="Where the server asks for a key.")
            }
        ),
        security=[{"key": []}],
    )
    app = Framework(
        route_handlers=[Surface("/", route_handlers=ROUTES)],
        dependencies=provide(**dict.fromkeys(names)),
        openapi_config=config,
        logging_config=None,
    )
    document = _loosen(app.openapi_schema.to_schema())
    handlers = {
        (path, method): handler
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for path in [re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)]
        for method in handler.http_methods
    }
    taken: set[str] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            handler = handlers[path, method.upper()]
            name = handler.handler_name.rpartition(".")[2]
            _mend_operation(operation, document, name, taken)
            _describe(operation, f"{method.upper()} {path}", handler)
            if handler.opt[PERMISSION] is Permission.PUBLIC:
                operation["security"] = []
    document["paths"] = {_write_path(path, document["paths"]): each for path, each in document["paths"].items()}
    _mend_components(document)
    return document


def _mend_operation(operation: Document, document: Document, name: str, taken: set[str]) -> None:
    """Name an operation by its function, and say which errors there are and whether it needs a body."""
    if name in taken:
        raise ValueError(f"Two routes are called {name}.")
    taken.add(name)
    operation["operationId"] = name
    operation["summary"] = name.replace("_", " ").capitalize()
    responses = operation["responses"]
    responses.pop("400", None)
    if "content" in responses.get("201", {}) and "200" not in responses:
        responses["200"] = {**responses["201"], "description": "The same was there already, or nothing was written"}
    responses["default"] = _failure("default")
    for status, response in responses.items():
        if status in SUCCESSES and response["description"] == HTTPStatus(int(status)).description:
            response["description"] = SUCCESSES[status]
    body = operation.get("requestBody")
    if body is not None:
        schema = body["content"]["application/json"]["schema"]
        named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        body["required"] = bool(named.get("required")) or named.get("type") == "array"


def _describe(operation: Document, address: str, handler: Any) -> None:
    """Say what an operation does and how it may fail, and show what a request looks like where no schema does."""
    operation["tags"] = [address.split("/")[2 if "/api/" in address else 1]]
    function = getattr(handler.fn, "func", handler.fn)  # what blocks is wrapped to run in a thread
    operation["description"] = describe_operation(function)
    failures = find_statuses(function)
    if "{" in address:
        failures.add("404")
    if operation.get("parameters") or "requestBody" in operation:
        failures.add("422")
    if handler.opt[PERMISSION] is not Permission.PUBLIC:
        failures |= {"401", "403"}
    for status in sorted(failures):
        operation["responses"][status] = _failure(status)
    if address in EXAMPLES:
        operation["requestBody"]["content"]["application/json"]["example"] = EXAMPLES[address]


def _failure(status: str) -> Document:
    return {"$ref": f"#/components/responses/Error{status.removeprefix('default')}"}


def _mend_components(document: Document) -> None:
    """Give schemas short names; what only answers hold is always there, defaults included."""
    schemas: Document = document["components"]["schemas"]
    asked = _reach(
        (
            operation.get("requestBody")
            for operations in document["paths"].values()
            for operation in operations.values()
        ),
        schemas,
    )
    for name, schema in schemas.items():
        if name not in asked and "properties" in schema and name not in SPARSE:
            schema["required"] = sorted(schema["properties"])
    schemas["Error"] = ERROR
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    document["components"]["responses"] = {
        f"Error{status.removeprefix('default')}": {"description": told, "content": error}
        for status, told in FAILURES.items()
    }
    text = json.dumps(document)
    for name in [*schemas]:
        short = re.sub(r"_(?:\w+\.)*(\w+)_$", r"\1", name)
        if short != name:
            text = text.replace(f'"{name}"', f'"{short}"').replace(f'schemas/{name}"', f'schemas/{short}"')
    document.clear()
    document.update(json.loads(text))
    describe_schemas(document["components"]["schemas"])


def _reach(roots: Iterator[Any], schemas: Document) -> set[str]:
    """The schemas that something refers to, directly or through others."""
    found: set[str] = set()
    waiting = [name for root in roots for name in _references(root)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(value: Any) -> list[str]:
    return re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(value))


def _loosen(value: Any) -> Any:
    """`anyOf` for `oneOf`: a whole number is a number as well, and would fit one alternative too many."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {"anyOf" if key == "oneOf" else key: _loosen(each) for key, each in items}
    return [_loosen(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value


def _write_path(path: str, paths: Document) -> str:
    """The path as the contract writes it; both spellings are answered."""
    has_more = any(other.startswith(f"{path}/") for other in paths)
    ends = path in WITH_SLASH or (has_more and COLLECTION.fullmatch(path) and path not in WITHOUT_SLASH)
    return f"{path}/" if ends else path


def write_document() -> str:
    """The text of the file."""
    return json.dumps(make_document(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` say whether it is up to date."""
    text = write_document()
    if "--check" not in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{FILE} is not what the routes say; run python -m headrace.server.openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
