from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Chat, Notice, cut, given, post

_SEVERITIES = {"success": "info", "warning": "warning", "failure": "critical"}


class PagerDuty(Chat, frozen=True, kw_only=True):
    """PagerDuty, by an event of a service."""

    slug: ClassVar[str] = "pager-duty-webhook"
    services: ClassVar[Mapping[str, str]] = {
        "us": "https://events.pagerduty.com/v2/enqueue",
        "eu": "https://events.eu.pagerduty.com/v2/enqueue",
    }

    integration_key: str
    api_key: str | None = None
    source: str | None = "Headrace"
    component: str = "Notification"
    group: str | None = None
    class_id: str | None = None
    region_name: Literal["us", "eu"] = "us"
    clickable_url: str | None = None
    custom_details: dict[str, str] | None = None

    def write(self, notice: Notice) -> list[Outgoing]:
        event: dict[str, Any] = {
            "routing_key": self.integration_key,
            "event_action": "trigger",
            **given({"dedup_key": notice.key and cut(notice.key, 255)}),
            "payload": {
                "summary": cut(notice.subject or notice.body, 1024),
                "severity": _SEVERITIES.get(self.notify_type, "info"),
                "source": self.source or "Headrace",
                "component": self.component,
                "custom_details": {**(self.custom_details or {}), "body": notice.body},
                **given({"group": self.group, "class": self.class_id}),
            },
        }
        if self.clickable_url:
            event["links"] = [{"href": self.clickable_url}]
        headers = {"Authorization": f"Token token={self.api_key}"} if self.api_key else {}
        return [post(self.services[self.region_name], json=event, headers=headers, allow_private=self.reaches_private)]
