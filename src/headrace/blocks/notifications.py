"""Ways to tell people something: each a block whose `notify(body, subject)` delivers a text, and `anotify` from coroutines.

What cannot be delivered raises `NotificationError`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, cast
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr

from headrace.base.errors import UsageError
from headrace.blocks.abstract import NotificationBlock, NotificationError
from headrace.blocks.fields import SecretDict
from headrace.outbound.http import Outgoing, Undelivered, check_taken, send
from headrace.outbound.mail import MailServer, Security, send_mail

__all__ = [
    "CustomWebhookNotificationBlock",
    "DiscordWebhook",
    "MattermostWebhook",
    "MicrosoftTeamsWebhook",
    "OpsgenieWebhook",
    "PagerDutyWebHook",
    "SendgridEmail",
    "SlackWebhook",
    "SmtpEmail",
    "TwilioSMS",
]

NotifyType = Literal["info", "success", "warning", "failure"]

_SIGNS: Mapping[NotifyType, str] = {"info": "", "success": "✅ ", "warning": "⚠️ ", "failure": "❌ "}
_NAMED = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class _Notifier(NotificationBlock, ABC):
    """What delivers a text, in some way."""

    _is_contract: ClassVar[bool] = True

    def notify(self, body: str, subject: str | None = None) -> None:
        """Deliver a notification. Raises `NotificationError` when it was not taken."""
        try:
            self._deliver(body, subject)
        except Undelivered as error:
            raise NotificationError(f"{self.get_block_type_name()}: {error}") from None

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """As `notify`."""
        from headrace.engine.loop import beside

        await beside(partial(self.notify, body, subject))

    @abstractmethod
    def _deliver(self, body: str, subject: str | None) -> None:
        """Deliver a text. Raises `Undelivered`."""


class _Requester(_Notifier, ABC):
    """What delivers a text by some requests. Services of the internet are never at private addresses."""

    _is_contract: ClassVar[bool] = True
    _allow_private: ClassVar[bool] = False

    def _deliver(self, body: str, subject: str | None) -> None:
        for request in self._write(body, subject):
            check_taken(send(request), urlsplit(request.url).hostname or "")

    @abstractmethod
    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        """The requests that deliver a text."""


def _post(url: str, **what: Any) -> Outgoing:
    return Outgoing(method="POST", url=url, **what)


def _kind() -> Any:
    return Field(default="info", description="What kind of news it is.")


def _private() -> Any:
    return Field(default=True, description="Whether the address may be one of this machine or of a private network.")


class SlackWebhook(_Requester):
    """Tells people in Slack, by an incoming webhook."""

    _block_type_name: ClassVar[str | None] = "Slack Webhook"

    notify_type: NotifyType = _kind()
    url: SecretStr = Field(title="Webhook URL", description="The address of the incoming webhook.")
    allow_private_urls: bool = _private()

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        sign = _SIGNS[self.notify_type]
        text = f"{sign}*{subject}*\n{body}" if subject else sign + body
        return [_post(self.url.get_secret_value(), json={"text": text}, allow_private=self.allow_private_urls)]


class MicrosoftTeamsWebhook(_Requester):
    """Tells people in Microsoft Teams, by a workflow that is started by a webhook."""

    _block_type_name: ClassVar[str | None] = "Microsoft Teams Webhook"
    _block_type_slug: ClassVar[str | None] = "ms-teams-webhook"

    notify_type: NotifyType = _kind()
    url: SecretStr = Field(title="Webhook URL", description="The address of the workflow.")
    allow_private_urls: bool = _private()
    wrap: bool = Field(default=True, description="Whether long lines are wrapped.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        sign = _SIGNS[self.notify_type]
        title = [{"type": "TextBlock", "text": sign + subject, "weight": "Bolder", "size": "Medium"}] if subject else []
        text = {"type": "TextBlock", "text": body if subject else sign + body, "wrap": self.wrap}
        card = {"type": "AdaptiveCard", "version": "1.4", "body": [*title, text]}
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        message = {"type": "message", "attachments": [attachment]}
        return [_post(self.url.get_secret_value(), json=message, allow_private=self.allow_private_urls)]


class DiscordWebhook(_Requester):
    """Tells people in Discord, by a webhook of a channel."""

    _block_type_name: ClassVar[str | None] = "Discord Webhook"
    _service: ClassVar[str] = "https://discord.com/api/webhooks"
    _longest: ClassVar[int] = 2000

    notify_type: NotifyType = _kind()
    webhook_id: SecretStr = Field(description="The first of the two parts of the webhook's address.")
    webhook_token: SecretStr = Field(description="The second of the two parts of the webhook's address.")
    botname: str | None = Field(default=None, title="Bot name", description="As whom it is said.")
    tts: bool = Field(default=False, description="Whether it is read aloud.")
    avatar_url: str | None = Field(default=None, title="Avatar URL", description="The picture of who says it.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        sign = _SIGNS[self.notify_type]
        text = f"{sign}**{subject}**\n{body}" if subject else sign + body
        more = {"username": self.botname, "avatar_url": self.avatar_url}
        message = {"content": _cut(text, self._longest), "tts": self.tts} | _given(more)
        way = f"{quote(self.webhook_id.get_secret_value(), '')}/{quote(self.webhook_token.get_secret_value(), '')}"
        return [_post(f"{self._service}/{way}", json=message, allow_private=self._allow_private)]


class MattermostWebhook(_Requester):
    """Tells people in Mattermost, by an incoming webhook."""

    _block_type_name: ClassVar[str | None] = "Mattermost Webhook"

    notify_type: NotifyType = _kind()
    hostname: str = Field(description="The host of the Mattermost server.")
    secure: bool = Field(default=False, description="Whether it is reached by https.")
    token: SecretStr = Field(description="The token of the webhook.")
    botname: str | None = Field(default=None, title="Bot name", description="As whom it is said.")
    channels: list[str] | None = Field(default=None, description="Where it is said, if not where the webhook says.")
    path: str | None = Field(default=None, description="What stands between the host and the webhook.")
    port: int = Field(default=8065, description="The port of the Mattermost server.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        sign = _SIGNS[self.notify_type]
        text = f"{sign}**{subject}**\n{body}" if subject else sign + body
        way = f"{(self.path or '').strip('/')}/hooks/{quote(self.token.get_secret_value(), '')}".lstrip("/")
        url = f"{'https' if self.secure else 'http'}://{self.hostname}:{self.port}/{way}"
        return [
            _post(url, json=_given({"text": text, "username": self.botname, "channel": channel}), allow_private=True)
            for channel in self.channels or [None]
        ]


class PagerDutyWebHook(_Requester):
    """Calls people by PagerDuty, as an event of a service."""

    _block_type_name: ClassVar[str | None] = "Pager Duty Webhook"
    _services: ClassVar[dict[str, str]] = {
        "us": "https://events.pagerduty.com/v2/enqueue",
        "eu": "https://events.eu.pagerduty.com/v2/enqueue",
    }
    _severities: ClassVar[dict[NotifyType, str]] = {
        "info": "info",
        "success": "info",
        "warning": "warning",
        "failure": "critical",
    }

    notify_type: NotifyType = _kind()
    integration_key: SecretStr = Field(description="The key of the service's integration, of the Events API v2.")
    api_key: SecretStr | None = Field(default=None, title="API Key", description="A key of the account.")
    source: str | None = Field(default="Headrace", description="Where it happened.")
    component: str = Field(default="Notification", description="What part of it has to do with it.")
    group: str | None = Field(default=None, description="What it belongs to.")
    class_id: str | None = Field(default=None, title="Class ID", description="What class of events it is of.")
    region_name: Literal["us", "eu"] = Field(default="us", description="Where the account is.")
    clickable_url: str | None = Field(default=None, title="Clickable URL", description="Where more is told.")
    custom_details: dict[str, str] | None = Field(default=None, description="What else is told.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        more = {"group": self.group, "class": self.class_id}
        details: dict[str, str] = {**(self.custom_details or {}), "body": body}
        event: dict[str, Any] = {
            "routing_key": self.integration_key.get_secret_value(),
            "event_action": "trigger",
            "payload": {
                "summary": _cut(subject or body, 1024),
                "severity": self._severities[self.notify_type],
                "source": self.source or "Headrace",
                "component": self.component,
                "custom_details": details,
                **_given(more),
            },
        }
        if self.clickable_url:
            event["links"] = [{"href": self.clickable_url}]
        key = self.api_key.get_secret_value() if self.api_key else None
        headers = {"Authorization": f"Token token={key}"} if key else {}
        url = self._services[self.region_name]
        return [_post(url, json=event, headers=headers, allow_private=self._allow_private)]


class OpsgenieWebhook(_Requester):
    """Calls people by Opsgenie, as an alert."""

    _block_type_name: ClassVar[str | None] = "Opsgenie Webhook"
    _services: ClassVar[dict[str, str]] = {
        "us": "https://api.opsgenie.com/v2/alerts",
        "eu": "https://api.eu.opsgenie.com/v2/alerts",
    }
    _priorities: ClassVar[dict[NotifyType, int]] = {"info": 5, "success": 5, "warning": 3, "failure": 1}

    notify_type: NotifyType = _kind()
    apikey: SecretStr = Field(title="API Key", description="The key of the account's integration.")
    target_user: list[str] | None = Field(default=None, description="Users who are called.")
    target_team: list[str] | None = Field(default=None, description="Teams that are called.")
    target_schedule: list[str] | None = Field(default=None, description="Schedules whose people are called.")
    target_escalation: list[str] | None = Field(default=None, description="Escalations that are begun.")
    region_name: Literal["us", "eu"] = Field(default="us", description="Where the account is.")
    tags: list[str] | None = Field(default=None, description="Tags of the alert.")
    priority: int | None = Field(
        default=None, ge=1, le=5, description="1 is the most urgent; else by the kind of news."
    )
    alias: str | None = Field(default=None, description="By what the alert is told from others.")
    entity: str | None = Field(default=None, description="What the alert is about.")
    details: dict[str, str] | None = Field(default=None, description="What else is told.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        responders = [
            *({"type": "user", "username": each} for each in self.target_user or ()),
            *({"type": "team", "name": each} for each in self.target_team or ()),
            *({"type": "schedule", "name": each} for each in self.target_schedule or ()),
            *({"type": "escalation", "name": each} for each in self.target_escalation or ()),
        ]
        more = {"alias": self.alias, "entity": self.entity, "details": self.details, "tags": self.tags}
        alert = {
            "message": _cut(subject or body, 130),
            "description": _cut(body, 15000),
            "priority": f"P{self.priority or self._priorities[self.notify_type]}",
            "responders": responders,
            **_given(more),
        }
        url = self._services[self.region_name]
        headers = {"Authorization": f"GenieKey {self.apikey.get_secret_value()}"}
        return [_post(url, json=alert, headers=headers, allow_private=self._allow_private)]


class SendgridEmail(_Requester):
    """Sends e-mail by SendGrid."""

    _block_type_name: ClassVar[str | None] = "Sendgrid Email"
    _service: ClassVar[str] = "https://api.sendgrid.com/v3/mail/send"

    api_key: SecretStr = Field(title="API Key", description="The key of the account.")
    sender_email: str = Field(title="Sender email id", description="From whom it is.")
    to_emails: list[str] = Field(title="Recipient emails", description="To whom it is.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        mail = {
            "personalizations": [{"to": [{"email": each} for each in self.to_emails]}],
            "from": {"email": self.sender_email},
            "subject": subject or "Headrace",
            "content": [{"type": "text/plain", "value": body}],
        }
        headers = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"}
        return [_post(self._service, json=mail, headers=headers, allow_private=self._allow_private)]


class TwilioSMS(_Requester):
    """Sends text messages by Twilio, one to each number."""

    _block_type_name: ClassVar[str | None] = "Twilio SMS"
    _service: ClassVar[str] = "https://api.twilio.com/2010-04-01/Accounts"
    _longest: ClassVar[int] = 1600

    account_sid: str = Field(description="The account.")
    auth_token: SecretStr = Field(description="The account's token.")
    from_phone_number: str = Field(description="From which number it is.")
    to_phone_numbers: list[str] = Field(description="To which numbers it is.")

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        text = _cut(f"{subject}\n{body}" if subject else body, self._longest)
        url = f"{self._service}/{quote(self.account_sid, '')}/Messages.json"
        auth = (self.account_sid, self.auth_token.get_secret_value())
        return [
            _post(
                url,
                form={"From": _number(self.from_phone_number), "To": _number(each), "Body": text},
                auth=auth,
                allow_private=self._allow_private,
            )
            for each in self.to_phone_numbers
        ]


class SmtpEmail(_Notifier):
    """Sends e-mail by a mail server."""

    _block_type_name: ClassVar[str | None] = "SMTP Email"

    host: str = Field(description="The mail server.")
    port: int | None = Field(default=None, description="Its port, if it is not the usual one.")
    security: Security = Field(default="ssl", description="How the connection is encrypted: ssl, starttls or none.")
    verify: bool = Field(default=True, description="Whether the certificate of the mail server is checked.")
    username: str | None = Field(default=None, description="Who logs in, if anybody.")
    password: SecretStr | None = Field(default=None, description="The password of who logs in.")
    sender: str = Field(description="From whom it is.")
    to: list[str] = Field(min_length=1, description="To whom it is.")

    def _deliver(self, body: str, subject: str | None) -> None:
        server = MailServer(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            verify=self.verify,
        )
        send_mail(server, self.sender, self.to, subject or "Headrace", body)


class CustomWebhookNotificationBlock(_Requester):
    """Tells any service that takes requests. `{{ subject }}`, `{{ body }}`, `{{ name }}` and the names of secrets stand for
    their values, wherever they are written in what is sent.
    """

    _block_type_name: ClassVar[str | None] = "Custom Webhook"

    name: str = Field(description="What the service is called.")
    url: str = Field(title="Webhook URL", description="The address.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(default="POST", description="The method.")
    params: dict[str, str] | None = Field(
        default=None, title="Query Params", description="What is asked in the address."
    )
    json_data: dict[str, Any] | None = Field(default=None, title="JSON Data", description="What is sent, as JSON.")
    form_data: dict[str, str] | str | None = Field(
        default=None, title="Form Data", description="What is sent, as a form; or a text that is sent as it is."
    )
    headers: dict[str, str] | None = Field(default=None, description="Headers of the request.")
    cookies: dict[str, str] | None = Field(default=None, description="Cookies of the request.")
    timeout: float = Field(default=10, gt=0, description="Seconds that an answer may take.")
    secrets: SecretDict = Field(
        default_factory=lambda: SecretDict({}), title="Custom Secret Values", description="Values for what is sent."
    )

    def _write(self, body: str, subject: str | None) -> list[Outgoing]:
        if self.json_data is not None and self.form_data is not None:
            raise UsageError(f"Custom webhook {self.name!r} sends either json_data or form_data, not both.")
        known: dict[str, Any] = {
            **self.secrets.get_secret_value(),
            "name": self.name,
            "body": body,
            "subject": subject or "",
        }
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
                allow_private=True,
            )
        ]


def _fill_in(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with names in double braces replaced; a name that stands for nothing stays."""
    match value:
        case str():
            return _NAMED.sub(lambda found: str(known.get(found[1], found[0])), value)
        case dict():
            return {_fill_in(key, known): _fill_in(each, known) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list():
            return [_fill_in(each, known) for each in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def _given(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _number(text: str) -> str:
    digits = text.strip()
    return digits if digits.startswith("+") else f"+{digits}"
