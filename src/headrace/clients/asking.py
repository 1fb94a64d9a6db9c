"""What the parts of the client stand on: the session's two ways to the orchestrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.connect import open_session
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener
from headrace.engine.session import Session
from headrace.schema.run import Page

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

MOST = 200
"""How many objects a list has at most, and has unless it is said."""

set_opener(open_session)


class Asking:
    """Asks the orchestrator that the session here has, after what it still has to tell: one sees what one has done."""

    @property
    def _session(self) -> Session:
        session = session_here()
        session.journal.flush()
        return session

    @property
    def _office(self) -> Administration:
        return self._session.administration


def page(limit: int | None, offset: int) -> Page:
    """The part of a list that is wanted."""
    return Page(MOST if limit is None else limit, offset)


def given(**fields: Any) -> dict[str, Any]:
    """Those fields that were given a value."""
    return {name: value for name, value in fields.items() if value is not None}
