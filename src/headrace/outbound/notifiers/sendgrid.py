from __future__ import annotations

from typing import ClassVar

from headrace.outbound.http import Outgoing
from headrace.outbound.mail import write_page
from headrace.outbound.notifier import SUBJECT, Notice, Requester, post


class Sendgrid(Requester, frozen=True, kw_only=True):
    """E-mail by SendGrid: a text, and the same as a page."""

    slug: ClassVar[str] = "sendgrid-email"
    service: ClassVar[str] = "https://api.sendgrid.com/v3/mail/send"

    api_key: str
    sender_email: str
    to_emails: list[str]

    def write(self, notice: Notice) -> list[Outgoing]:
        subject = notice.subject or SUBJECT
        mail = {
            "personalizations": [{"to": [{"email": each} for each in self.to_emails]}],
            "from": {"email": self.sender_email},
            "subject": subject,
            "content": [
                {"type": "text/plain", "value": notice.body},
                {"type": "text/html", "value": write_page(subject, notice.body)},
            ],
        }
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return [post(self.service, json=mail, headers=headers, allow_private=self.reaches_private)]
