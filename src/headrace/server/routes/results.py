from __future__ import annotations

from litestar import delete, get, post
from litestar.params import FromQuery, JSONBody

from headrace.schema.listing import ResultListing
from headrace.schema.result import ResultRecord
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ, EDIT = Permission.READ, Permission.EDIT


@post("/api/results/filter", status_code=200, **needs(READ))
def list_results(data: JSONBody[ResultListing], administration: Office) -> list[ResultRecord]:
    return administration.list_results(data.results, data.part)


# A storage key may hold slashes, so it stands in the query.
@get("/api/results/", **needs(READ))
def read_result(storage_key: FromQuery[str], administration: Office) -> ResultRecord:
    return administration.read_result(storage_key)


@delete("/api/results/", **needs(EDIT))
def delete_result(storage_key: FromQuery[str], administration: Office) -> None:
    administration.delete_result(storage_key)


routes = [list_results, read_result, delete_result]
