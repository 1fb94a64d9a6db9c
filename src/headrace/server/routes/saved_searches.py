from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody

from headrace.schema.listing import PlainListing
from headrace.schema.search import SavedSearch, SavedSearchCreate
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office
from headrace.server.responses import created_or_found, note_arrival

READ, EDIT = Permission.READ, Permission.EDIT


class SavedSearchListing(PlainListing, kw_only=True):
    """Asks for kept searches."""


@put("/api/saved_searches/", status_code=201, **needs(EDIT))
def save_search(data: JSONBody[SavedSearchCreate], administration: Office) -> Response[SavedSearch]:
    arrival = note_arrival()
    return created_or_found(administration.save_search(data), arrival)


@get("/api/saved_searches/{search_id:str}", **needs(READ))
def read_saved_search(search_id: FromPath[UUID], administration: Office) -> SavedSearch:
    return administration.read_saved_search(search_id)


@delete("/api/saved_searches/{search_id:str}", **needs(EDIT))
def delete_saved_search(search_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_saved_search(search_id)


@post("/api/saved_searches/filter", status_code=200, **needs(READ))
def list_saved_searches(data: JSONBody[SavedSearchListing], administration: Office) -> list[SavedSearch]:
    return administration.list_saved_searches(data.part)


routes = [save_search, read_saved_search, delete_saved_search, list_saved_searches]
