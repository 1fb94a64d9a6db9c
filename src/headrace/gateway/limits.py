"""The verbs of administration on concurrency limits."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.explanation import HeldLimit, LimitKind
from headrace.schema.orchestration import ConcurrencyLimit, ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.run import Page


class Limits(Protocol):
    """What may be asked about limits; raises what all verbs of administration do."""

    def create_concurrency_limit(self, limit: ConcurrencyLimitCreate) -> ConcurrencyLimit:
        """Create a limit. Raises `ObjectAlreadyExists` for a name that is taken."""
        ...

    def read_concurrency_limit(self, name: str) -> ConcurrencyLimit:
        """Return the limit of that name, or with that text as its id."""
        ...

    def find_concurrency_limits(self, names: list[str]) -> list[ConcurrencyLimit]:
        """Return the limits of these names, by name; names without one are passed over."""
        ...

    def list_concurrency_limits(self, page: Page = Page(), prefix: str = "") -> list[ConcurrencyLimit]:
        """Return limits by name, those whose name begins with the prefix."""
        ...

    def list_slot_holders(self, name: str) -> list[UUID]:
        """Return who holds slots of the limit of that name now, as far as the holders said."""
        ...

    def read_held_limit(self, kind: LimitKind, name: str) -> HeldLimit:
        """Return a limit of any kind with who holds its slots, since when: the first fifty.

        Named are a limit or a tag by its name, a work pool by its name, a queue as `POOL/QUEUE`, a deployment by its id.
        """
        ...

    def update_concurrency_limit(self, name: str, update: ConcurrencyLimitUpdate) -> None:
        """Change what the update names. Raises `ObjectAlreadyExists` for a new name that is taken."""
        ...

    def reset_concurrency_limit(self, name: str, keep: list[UUID]) -> None:
        """End the leases on the limit, but for those of the holders in `keep`."""
        ...

    def delete_concurrency_limit(self, name: str) -> None:
        """Delete the limit; leases on it end."""
        ...
