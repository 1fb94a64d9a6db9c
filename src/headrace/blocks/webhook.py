"""Calling webhooks."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from headrace.blocks.core import Block
from headrace.blocks.fields import SecretDict
from headrace.outbound.http import Answer, send
from headrace.outbound.notifiers import open_notifier
from headrace.outbound.notifiers.webhook import Webhook as Address

__all__ = ["Webhook"]


class Webhook(Block):
    """An address that is called, with a payload."""

    _code_example: ClassVar[str | None] = """
        ```python
        from headrace.blocks.webhook import Webhook

        Webhook.load("my-hook").call({"total": 6})
        ```
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="The method of the request."
    )
    url: SecretStr = Field(title="Webhook URL", description="The address.")
    headers: SecretDict = Field(
        default_factory=lambda: SecretDict({}), title="Webhook Headers", description="Headers of the request."
    )
    allow_private_urls: bool = Field(
        default=True, description="Whether the address may be one of this machine or of a private network."
    )
    verify: bool = Field(default=True, description="Whether the certificate of the other side is checked.")

    def call(self, payload: dict[str, Any] | str | None = None) -> Answer:
        """Send the payload, an object as JSON, and return the answer, whatever it says.

        Raises `Undelivered` when nothing answers, or the address is a private one and may not be.
        """
        address = open_notifier("webhook", self._to_data())
        assert isinstance(address, Address)
        return send(address.call(payload))

    async def acall(self, payload: dict[str, Any] | str | None = None) -> Answer:
        """As `call`."""
        from headrace.engine.loop import beside

        return await beside(partial(self.call, payload))
