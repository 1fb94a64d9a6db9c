from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, cast

from msgspec import field

from headrace.outbound.egress import Undelivered
from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Notice, Requester

_NAMED = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Custom(Requester, frozen=True, kw_only=True):
    """Any service that takes requests, with names in double braces filled in."""

    slug: ClassVar[str] = "custom-webhook"
    reaches_private: ClassVar[bool] = True

    name: str
    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    params: dict[str, str] | None = None
    json_data: dict[str, Any] | None = None
    form_data: dict[str, str] | str | None = None
    headers: dict[str, str] | None = None
    cookies: dict[str, str] | None = None
    timeout: float = 10
    secrets: dict[str, Any] = field(default_factory=dict[str, Any])

    def write(self, notice: Notice) -> list[Outgoing]:
        if self.json_data is not None and self.form_data is not None:
            text = f"Custom webhook {self.name!r} sends either json_data or form_data, not both."
            raise Undelivered(text, lasting=True)
        known = {**self.secrets, "name": self.name, "body": notice.body, "subject": notice.subject or ""}
        form = _fill_in(self.form_data, known)
        return [
            Outgoing(
                method=self.method,
                url=_fill_in(self.url, known),
                params=_fill_in(self.params, known),
                json=_fill_in(self.json_data, known),
                form=cast("dict[str, str]", form) if isinstance(form, dict) else None,
                content=form.encode() if isinstance(form, str) else None,
                headers=_fill_in(self.headers, known) or {},
                cookies=_fill_in(self.cookies, known),
                timeout=self.timeout,
                allow_private=self.reaches_private,
            )
        ]


def _fill_in(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with names in double braces replaced; a name that stands for nothing stays."""
    match value:
        case str():
            return _NAMED.sub(lambda found: str(known.get(found[1], found[0])), value)
        case dict():
            return {_fill_in(key, known): _fill_in(each, known) for key, each in cast("dict[str, Any]", value).items()}
        case list():
            return [_fill_in(each, known) for each in cast("list[Any]", value)]
        case _:
            return value
