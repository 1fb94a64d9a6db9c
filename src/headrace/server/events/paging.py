"""Pages of events: the first by a filter, each further one by a token that says what was asked and where to go on."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.gateway.administration import Administration
from headrace.schema.event_query import LONGEST_PAGE, EventListing
from headrace.schema.wire import Request
from headrace.schema.wire_event import EventFilter, WireEvent
from headrace.server.errors import Refusal
from headrace.server.events.history import History, Place

LONGEST_TOKEN = 64 * 1024
"""How much of a token is read."""


class Token(Request, kw_only=True, array_like=True):
    """What a page's token holds. It gives no right: whoever has it is asked for theirs like anybody else."""

    filter: EventFilter
    limit: Annotated[int, Meta(ge=1, le=LONGEST_PAGE)]
    total: Annotated[int, Meta(ge=0)]
    row: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    sent: Annotated[int, Meta(ge=0, lt=2**31)]


class TokenPage(msgspec.Struct):
    """Events, how many there are in all, and the token of the page that follows."""

    events: list[WireEvent]
    total: int
    token: str | None


def first_page(administration: Administration, asked: EventListing) -> TokenPage:
    """The first page, and how many events there are in all as far as that is looked at."""
    wanted = asked.filter or EventFilter()
    history = History(administration, wanted)
    chosen = history.take(asked.limit) if asked.limit else None
    if chosen is None:
        return TokenPage([], history.count(), None)
    total = len(chosen.events) if chosen.next is None else max(len(chosen.events), history.count())
    return TokenPage(chosen.events, total, _continue(wanted, asked.limit, total, chosen.next))


def further_page(administration: Administration, text: str) -> TokenPage:
    """The page of a token. Raises `Refusal`, 403, for what is none."""
    token = _read(text)
    chosen = History(administration, token.filter).take(token.limit, Place(token.row, token.sent))
    return TokenPage(chosen.events, token.total, _continue(token.filter, token.limit, token.total, chosen.next))


def _continue(wanted: EventFilter, limit: int, total: int, place: Place | None) -> str | None:
    if place is None or place.row is None:
        return None
    token = Token(filter=wanted, limit=limit, total=total, row=place.row, sent=place.sent)
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read(text: str) -> Token:
    try:
        content = base64.urlsafe_b64decode(text[:LONGEST_TOKEN] + "=" * (-len(text) % 4))
        return msgspec.json.decode(content, type=Token)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise Refusal(403, "This is no token of a page of events: ask for the first page anew.") from None
