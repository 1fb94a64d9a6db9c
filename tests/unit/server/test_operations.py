"""Every operation and websocket of the wire contract is there, or `docs/contract.md` says why not."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from litestar.handlers import WebsocketRouteHandler

from headrace.server import openapi
from headrace.server.app import ROUTES

HERE = Path(__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "contract.md"
DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))


class Operation(NamedTuple):
    """An operation or websocket; what its path's parameters are called does not matter."""

    name: str
    statuses: frozenset[str]


def read_operations() -> list[Operation]:
    lines = (HERE / "operations.txt").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if not line.startswith("#")]
    return [Operation(f"{method} {plain(path)}", frozenset(statuses)) for method, path, *statuses in words]


def plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def list_served() -> dict[str, frozenset[str]]:
    served = {
        f"{method.upper()} {plain(path.removeprefix('/api'))}": frozenset(operation["responses"])
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    sockets = (path for route in ROUTES if isinstance(route, WebsocketRouteHandler) for path in route.paths)
    return served | {f"WS {plain(path.removeprefix('/api'))}": frozenset() for path in sockets}


def list_absences() -> dict[str, str]:
    """The first table of the page: what is not there, and why not."""
    rows = re.findall(r"^\| `([A-Z]+ /[^`]+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {plain(name): reason for name, reason in rows}


OPERATIONS = read_operations()
SERVED = list_served()
ABSENT = list_absences()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_served_or_its_absence_explained(operation: Operation) -> None:
    if operation.name in ABSENT:
        assert operation.name not in SERVED, f"{operation.name} is there: take it off the list of what is not"
        return
    assert operation.name in SERVED
    assert operation.statuses <= SERVED[operation.name], "a status that the contract has is not described"


def test_every_absence_is_one_of_the_contracts_operations() -> None:
    names = {operation.name for operation in OPERATIONS}
    assert {*ABSENT} <= names
    assert all(len(reason) > 20 for reason in ABSENT.values())


def test_the_whole_contract_was_read() -> None:
    assert len(OPERATIONS) == len({operation.name for operation in OPERATIONS}) == 193
