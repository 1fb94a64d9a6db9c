"""Blocks that come with Headrace and need nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
from pydantic import Field, JsonValue, SecretStr

from headrace.blocks.core import Block

__all__ = ["Secret"]


class Secret(Block):
    """A value that nobody reads who may not: a password, a token, or any JSON."""

    _code_example = """
        ```python
        from headrace.blocks.system import Secret

        Secret(value="…").save("my-token")
        Secret.load("my-token").get()
        ```
    """

    value: SecretStr | pydantic.Secret[JsonValue] = Field(description="The value to keep.")

    if TYPE_CHECKING:

        def __init__(self, *, value: Any) -> None: ...

    def get(self) -> Any:
        """The value."""
        return self.value.get_secret_value()
