from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, cut, given, post

_PRIORITIES = {"warning": 3, "failure": 1}
_LEAST = 5


class Opsgenie(Chat, frozen=True, kw_only=True):
    """Opsgenie, by an alert."""

    slug: ClassVar[str] = "opsgenie-webhook"
    services: ClassVar[Mapping[str, str]] = {
        "us": "https://api.opsgenie.com/v2/alerts",
        "eu": "https://api.eu.opsgenie.com/v2/alerts",
    }

    apikey: str
    target_user: list[str] | None = None
    target_team: list[str] | None = None
    target_schedule: list[str] | None = None
    target_escalation: list[str] | None = None
    region_name: Literal["us", "eu"] = "us"
    tags: list[str] | None = None
    priority: int | None = None
    alias: str | None = None
    entity: str | None = None
    details: dict[str, str] | None = None

    def write(self, notice: Notice) -> list[Outgoing]:
        responders = [
            *({"type": "user", "username": each} for each in self.target_user or ()),
            *({"type": "team", "name": each} for each in self.target_team or ()),
            *({"type": "schedule", "name": each} for each in self.target_schedule or ()),
            *({"type": "escalation", "name": each} for each in self.target_escalation or ()),
        ]
        alias = self.alias or (notice.key and cut(notice.key, 512))
        more = {"alias": alias, "entity": self.entity, "details": self.details, "tags": self.tags}
        alert = {
            "message": cut(notice.subject or notice.body, 130),
            "description": cut(notice.body, 15000),
            "priority": f"P{self.priority or _PRIORITIES.get(self.notify_type, _LEAST)}",
            "responders": responders,
            **given(more),
        }
        headers = {"Authorization": f"GenieKey {self.apikey}"}
        return [post(self.services[self.region_name], json=alert, headers=headers, allow_private=self.reaches_private)]
