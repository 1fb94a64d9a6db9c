"""What all nouns have in common: a way to ask, and what asks for a part of a list."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from headrace.base import errors
from headrace.client.transport import Transport
from headrace.schema.filters import RunSelection
from headrace.schema.run import Page
from headrace.schema.wire import encode_leniently

T = TypeVar("T")

TRIES = 5
"""How often is asked in all, of a server that says when to ask again."""


class Asking:
    """Asks one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _read(self, path: str, answer: type[T], **query: str) -> T:
        """GET the path."""
        return self._ask("GET", path, answer, query=query, repeatable=True)

    def _list(self, path: str, answer: type[T], body: object = None) -> T:
        """POST a question, which changes nothing."""
        return self._ask("POST", path, answer, {} if body is None else body, repeatable=True)

    def _create(self, path: str, answer: Any, body: object) -> Any:
        """POST something new."""
        return self._ask("POST", path, answer, body)

    def _update(self, path: str, body: object) -> None:
        """PATCH the object: saying the same twice changes nothing."""
        self._ask("PATCH", path, None, body, repeatable=True)

    def _replace(self, path: str, body: object) -> None:
        """PUT the object anew."""
        self._ask("PUT", path, None, body, repeatable=True)

    def _delete(self, path: str, **query: str) -> None:
        """DELETE the object."""
        self._ask("DELETE", path, None, query=query)

    def _ask(
        self,
        method: str,
        path: str,
        answer: Any,
        body: object = None,
        query: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Any:
        content = None if body is None else encode_leniently(body)
        for tries_left in reversed(range(TRIES)):
            try:
                given = self._transport.send(method, path, content, query=query or None, repeatable=repeatable)
            except errors.Unavailable as error:
                if error.retry_after is None or not tries_left:
                    raise
                time.sleep(error.retry_after)
            else:
                return self._decode(given, answer)
        raise AssertionError

    def _decode(self, content: bytes, answer: Any) -> Any:
        if answer is None:
            return None
        try:
            return _decoder(answer).decode(content)
        except msgspec.DecodeError as error:
            raise errors.GatewayError(
                f"The server at {self._transport.shown} answers in a form that this version does not read: {error}."
            ) from None


@cache
def _decoder(answer: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(answer)


def step(name: object) -> str:
    """A name as one step of a path."""
    return quote(str(name), safe="")


def select(selection: RunSelection | None, **more: Any) -> dict[str, Any]:
    """A body that asks for what a selection names; filters that are not there are left out."""
    chosen = {} if selection is None else msgspec.structs.asdict(selection)
    return {name: value for name, value in (chosen | more).items() if value is not None}


def part(page: Page, **more: Any) -> dict[str, Any]:
    """The fields of a body that ask for a part of a list."""
    return {"limit": page.limit, "offset": page.offset, **more}
