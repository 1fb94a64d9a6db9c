from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from headrace.schema.event import EventStretch, StretchOfEvents
from headrace.schema.event_query import Countable, EventCount, EventCounting, EventListing, WireEventPage
from headrace.server.auth import Permission, needs
from headrace.server.events.counting import count_events
from headrace.server.events.paging import TokenPage, first_page, further_page
from headrace.server.events.reading import to_report
from headrace.server.gateways import Office, Runs

READ, RUN = Permission.READ, Permission.RUN

Asked = Request[Any, Any, Any]


@post("/api/events", status_code=204, **needs(RUN))
def take_events(data: JSONBody[list[dict[str, Any]]], execution: Runs) -> None:
    execution.report([to_report(event) for event in data])


@post("/api/events/filter", status_code=200, **needs(READ))
def list_events(request: Asked, data: JSONBody[EventListing], administration: Office) -> WireEventPage:
    """Return the first page of the events that a filter chooses, and the address of the next.

    At most 5,000 entries of the log are looked at for a page, which may therefore be short and be followed by others.
    """
    return to_page(first_page(administration, data), f"{address_of(request)}/next")


@get("/api/events/filter/next", **needs(READ))
def list_further_events(
    request: Asked, page_token: Annotated[str, QueryParameter(name="page-token")], administration: Office
) -> WireEventPage:
    """Return the page of a token. Answers 403 for what is none."""
    return to_page(further_page(administration, page_token), address_of(request))


@post("/api/events/count-by/{countable:str}", status_code=200, **needs(READ))
def count_events_by(
    countable: FromPath[Countable], data: JSONBody[EventCounting], administration: Office
) -> list[EventCount]:
    """Count the events that a filter chooses, by day, stretch of time, name or resource.

    Without a window the last seven days are counted. Raises `InvalidRequest` for a window with too much in it.
    """
    return count_events(administration, countable, data)


@post("/api/events/stretch", status_code=200, **needs(READ))
def read_event_stretch(data: JSONBody[EventStretch], administration: Office) -> StretchOfEvents:
    return administration.read_event_stretch(data)


def address_of(request: Asked) -> str:
    """The address that was asked, without what was asked there."""
    url = request.url
    return f"{url.scheme}://{url.netloc}{url.path}"


def to_page(page: TokenPage, address: str) -> WireEventPage:
    """The page, with the address of the one that follows."""
    following = None if page.token is None else f"{address}?{urlencode({'page-token': page.token})}"
    return WireEventPage(events=page.events, total=page.total, next_page=following)


routes = [take_events, list_events, list_further_events, count_events_by, read_event_stretch]
