"""Ways to tell people something: each a block whose `notify(body, subject)` delivers a text, and `anotify` from coroutines.

What each service is told is said once, in `headrace.outbound.notifiers`, for scripts and for the server alike. What cannot be
delivered raises `NotificationError`.
"""

from __future__ import annotations

from abc import ABC
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from headrace.blocks.abstract import NotificationBlock, NotificationError
from headrace.blocks.fields import SecretDict
from headrace.outbound.egress import Undelivered
from headrace.outbound.mail import Security
from headrace.outbound.notifier import Notice
from headrace.outbound.notifiers import open_notifier

__all__ = [
    "AppriseNotificationBlock",
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


class _Notifier(NotificationBlock, ABC):
    """What delivers a text, in some way."""

    _is_contract: ClassVar[bool] = True
    _service: ClassVar[str]

    def notify(self, body: str, subject: str | None = None) -> None:
        """Deliver a notification. Raises `NotificationError` when it was not taken."""
        try:
            open_notifier(self._service, self._to_data()).tell(Notice(body=body, subject=subject))
        except Undelivered as error:
            raise NotificationError(f"{self.get_block_type_name()}: {error}") from None

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """As `notify`."""
        from headrace.engine.loop import beside

        await beside(partial(self.notify, body, subject))


def _kind() -> Any:
    return Field(default="info", description="What kind of news it is.")


def _private() -> Any:
    return Field(default=True, description="Whether the address may be one of this machine or of a private network.")


class SlackWebhook(_Notifier):
    """Tells people in Slack, by an incoming webhook."""

    _block_type_name: ClassVar[str | None] = "Slack Webhook"
    _service: ClassVar[str] = "slack-webhook"

    notify_type: NotifyType = _kind()
    url: SecretStr = Field(title="Webhook URL", description="The address of the incoming webhook.")
    allow_private_urls: bool = _private()


class MicrosoftTeamsWebhook(_Notifier):
    """Tells people in Microsoft Teams, by a workflow that is started by a webhook."""

    _block_type_name: ClassVar[str | None] = "Microsoft Teams Webhook"
    _block_type_slug: ClassVar[str | None] = "ms-teams-webhook"
    _service: ClassVar[str] = "ms-teams-webhook"

    notify_type: NotifyType = _kind()
    url: SecretStr = Field(title="Webhook URL", description="The address of the workflow.")
    allow_private_urls: bool = _private()
    wrap: bool = Field(default=True, description="Whether long lines are wrapped.")


class DiscordWebhook(_Notifier):
    """Tells people in Discord, by a webhook of a channel."""

    _block_type_name: ClassVar[str | None] = "Discord Webhook"
    _service: ClassVar[str] = "discord-webhook"

    notify_type: NotifyType = _kind()
    webhook_id: SecretStr = Field(description="The first of the two parts of the webhook's address.")
    webhook_token: SecretStr = Field(description="The second of the two parts of the webhook's address.")
    botname: str | None = Field(default=None, title="Bot name", description="As whom it is said.")
    tts: bool = Field(default=False, description="Whether it is read aloud.")
    avatar_url: str | None = Field(default=None, title="Avatar URL", description="The picture of who says it.")


class MattermostWebhook(_Notifier):
    """Tells people in Mattermost, by an incoming webhook."""

    _block_type_name: ClassVar[str | None] = "Mattermost Webhook"
    _service: ClassVar[str] = "mattermost-webhook"

    notify_type: NotifyType = _kind()
    hostname: str = Field(description="The host of the Mattermost server.")
    secure: bool = Field(default=False, description="Whether it is reached by https.")
    token: SecretStr = Field(description="The token of the webhook.")
    botname: str | None = Field(default=None, title="Bot name", description="As whom it is said.")
    channels: list[str] | None = Field(default=None, description="Where it is said, if not where the webhook says.")
    path: str | None = Field(default=None, description="What stands between the host and the webhook.")
    port: int = Field(default=8065, description="The port of the Mattermost server.")


class PagerDutyWebHook(_Notifier):
    """Calls people by PagerDuty, as an event of a service."""

    _block_type_name: ClassVar[str | None] = "Pager Duty Webhook"
    _service: ClassVar[str] = "pager-duty-webhook"

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


class OpsgenieWebhook(_Notifier):
    """Calls people by Opsgenie, as an alert."""

    _block_type_name: ClassVar[str | None] = "Opsgenie Webhook"
    _service: ClassVar[str] = "opsgenie-webhook"

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


class SendgridEmail(_Notifier):
    """Sends e-mail by SendGrid."""

    _block_type_name: ClassVar[str | None] = "Sendgrid Email"
    _service: ClassVar[str] = "sendgrid-email"

    api_key: SecretStr = Field(title="API Key", description="The key of the account.")
    sender_email: str = Field(title="Sender email id", description="From whom it is.")
    to_emails: list[str] = Field(title="Recipient emails", description="To whom it is.")


class TwilioSMS(_Notifier):
    """Sends text messages by Twilio, one to each number."""

    _block_type_name: ClassVar[str | None] = "Twilio SMS"
    _service: ClassVar[str] = "twilio-sms"

    account_sid: str = Field(description="The account.")
    auth_token: SecretStr = Field(description="The account's token.")
    from_phone_number: str = Field(description="From which number it is.")
    to_phone_numbers: list[str] = Field(description="To which numbers it is.")


class SmtpEmail(_Notifier):
    """Sends e-mail by a mail server."""

    _block_type_name: ClassVar[str | None] = "SMTP Email"
    _service: ClassVar[str] = "smtp-email"

    host: str = Field(description="The mail server.")
    port: int | None = Field(default=None, description="Its port, if it is not the usual one.")
    security: Security = Field(default="ssl", description="How the connection is encrypted: ssl, starttls or none.")
    verify: bool = Field(default=True, description="Whether the certificate of the mail server is checked.")
    username: str | None = Field(default=None, description="Who logs in, if anybody.")
    password: SecretStr | None = Field(default=None, description="The password of who logs in.")
    sender: str = Field(description="From whom it is.")
    to: list[str] = Field(min_length=1, description="To whom it is.")


class CustomWebhookNotificationBlock(_Notifier):
    """Tells any service that takes requests. `{{ subject }}`, `{{ body }}`, `{{ name }}` and the names of secrets stand for
    their values, wherever they are written in what is sent.
    """

    _block_type_name: ClassVar[str | None] = "Custom Webhook"
    _service: ClassVar[str] = "custom-webhook"

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


class AppriseNotificationBlock(_Notifier):
    """Tells people by any of the services that the library apprise knows: `pip install 'headrace[apprise]'`."""

    _block_type_name: ClassVar[str | None] = "Apprise"
    _service: ClassVar[str] = "apprise"

    notify_type: NotifyType = _kind()
    url: SecretStr = Field(title="Apprise URL", description="The address of the service, in the form of apprise's own.")
