"""Whether mail that automations send has a mail server to go by."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import msgspec

from headrace.base.errors import HeadraceError
from headrace.schema.action import SendEmailNotification

if TYPE_CHECKING:
    from headrace.cli.invocation import Invocation
    from headrace.schema.automation import Automation, AutomationCreate, AutomationUpdate

SETTING = "HEADRACE_SERVER_SMTP_HOST"


def warn_of_mail(invocation: Invocation, made: Iterable[Automation | AutomationCreate | AutomationUpdate]) -> None:
    """Say so on stderr when an automation sends e-mail and whoever is to send it knows no mail server."""
    actions = [
        action for each in made for action in (*each.actions, *each.actions_on_trigger, *each.actions_on_resolve)
    ]
    if any(isinstance(each, SendEmailNotification) for each in actions) and _lacks_mail_server(invocation):
        invocation.print_warning(f"No e-mail will be sent until {SETTING} is set on the server.")


def _lacks_mail_server(invocation: Invocation) -> bool:
    """Whether it is known that there is none: a key that may not see the server's settings tells nothing."""
    settings = invocation.settings
    if settings.api_url is None:
        return settings.server_smtp_host is None
    from headrace.client.transport import Transport

    with closing(Transport(settings.api_url, settings.api_key)) as transport:
        try:
            told: Any = msgspec.json.decode(transport.send("GET", "/admin/settings"))
        except (HeadraceError, msgspec.DecodeError):
            return False
    return isinstance(told, dict) and cast("dict[str, Any]", told).get(SETTING, "") is None
