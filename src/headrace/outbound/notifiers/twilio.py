from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from headrace.outbound.http import Outgoing
from headrace.outbound.notifier import Notice, Requester, cut, post

LONGEST = 1600


class Twilio(Requester, frozen=True, kw_only=True):
    """Text messages by Twilio, one to each number."""

    slug: ClassVar[str] = "twilio-sms"
    service: ClassVar[str] = "https://api.twilio.com/2010-04-01/Accounts"

    account_sid: str
    auth_token: str
    from_phone_number: str
    to_phone_numbers: list[str]

    def write(self, notice: Notice) -> list[Outgoing]:
        text = cut(f"{notice.subject}\n{notice.body}" if notice.subject else notice.body, LONGEST)
        url = f"{self.service}/{quote(self.account_sid, '')}/Messages.json"
        return [
            post(
                url,
                form={"From": _number(self.from_phone_number), "To": _number(each), "Body": text},
                auth=(self.account_sid, self.auth_token),
                allow_private=self.reaches_private,
            )
            for each in self.to_phone_numbers
        ]


def _number(text: str) -> str:
    digits = text.strip()
    return digits if digits.startswith("+") else f"+{digits}"
