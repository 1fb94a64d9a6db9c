"""The services that people are told by, each in a file: what its block holds, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

from headrace.outbound.egress import Undelivered
from headrace.outbound.notifier import Notifier

NOTIFIERS: Mapping[str, tuple[str, str]] = {
    "apprise": ("apprise", "Apprise"),
    "custom-webhook": ("custom", "Custom"),
    "discord-webhook": ("discord", "Discord"),
    "mattermost-webhook": ("mattermost", "Mattermost"),
    "ms-teams-webhook": ("teams", "Teams"),
    "opsgenie-webhook": ("opsgenie", "Opsgenie"),
    "pager-duty-webhook": ("pagerduty", "PagerDuty"),
    "sendgrid-email": ("sendgrid", "Sendgrid"),
    "slack-webhook": ("slack", "Slack"),
    "smtp-email": ("smtp", "Smtp"),
    "twilio-sms": ("twilio", "Twilio"),
    "webhook": ("webhook", "Webhook"),
}
"""The module and class of each, by the block type that holds it. They are loaded when they are needed."""


def load_notifier(slug: str) -> type[Notifier]:
    """The class of a block type. Raises `Undelivered` for a type that tells nobody anything."""
    if slug not in NOTIFIERS:
        raise Undelivered(f"A block of type {slug!r} tells nobody anything.", lasting=True)
    module, name = NOTIFIERS[slug]
    return getattr(import_module(f"{__name__}.{module}"), name)


def open_notifier(slug: str, data: Mapping[str, Any]) -> Notifier:
    """The service that a block's data says, secrets opened. Raises `Undelivered` for a block that cannot be one, without its
    values.
    """
    kind = load_notifier(slug)
    try:
        return msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Undelivered(f"The block of type {slug!r} cannot be used: {error}.", lasting=True) from None
