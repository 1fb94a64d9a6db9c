"""What blocks hold, for placeholders. It is secret, so it is read where it is used, and never stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from headrace.base.errors import ConfigurationError, ObjectNotFound
from headrace.gateway.administration import Administration


class BlockReader:
    """Reads blocks by `type/name`, each once; the administration is opened when the first is read."""

    def __init__(self, open_administration: Callable[[], Administration]) -> None:
        self._open = open_administration
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def __call__(self, named: str) -> Any:
        """What the block holds, or what is at the end of the way to a part of it; of a block with a value and nothing else,
        that value. Raises `ConfigurationError` when there is no such block, or no such part.
        """
        slug, name, *way = re.split(r"[/.]", named, maxsplit=2)
        found: Any = self._read(slug, name)
        if not way and [*found] == ["value"]:
            return found["value"]
        for part in way[0].split(".") if way else ():
            held = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
            if part not in held:
                has = f"it has {', '.join(held)}" if held else "it has no parts"
                raise ConfigurationError(f"there is no {part!r} in block {slug}/{name}; {has}.")
            found = held[part]
        return found

    def _read(self, slug: str, name: str) -> dict[str, Any]:
        if (slug, name) not in self._known:
            try:
                document = self._open().read_block_document_by_name(slug, name, include_secrets=True)
            except ObjectNotFound:
                advice = f"`headrace block create {slug} {name}` makes one"
                raise ConfigurationError(f"there is no block {slug}/{name}; {advice}.") from None
            self._known[slug, name] = document.data
        return self._known[slug, name]


def refuse_to_store(named: str) -> Any:
    """Raise `ConfigurationError`: what a block holds is not written into a deployment."""
    raise ConfigurationError(f"what block {named} holds is not stored in a deployment: load the block in the flow.")
