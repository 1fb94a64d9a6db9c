from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part, step
from headrace.schema.explanation import HeldLimit, LimitKind
from headrace.schema.orchestration import ConcurrencyLimit, ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.run import Page

LIMITS = "/v2/concurrency_limits"


class LimitCalls(Asking):
    """The verbs on concurrency limits."""

    def create_concurrency_limit(self, limit: ConcurrencyLimitCreate) -> ConcurrencyLimit:
        return self._create(f"{LIMITS}/", ConcurrencyLimit, limit)

    def read_concurrency_limit(self, name: str) -> ConcurrencyLimit:
        return self._read(f"{LIMITS}/{step(name)}", ConcurrencyLimit)

    def find_concurrency_limits(self, names: list[str]) -> list[ConcurrencyLimit]:
        return self._list(f"{LIMITS}/find", list[ConcurrencyLimit], {"names": names})

    def list_concurrency_limits(self, page: Page = Page(), prefix: str = "") -> list[ConcurrencyLimit]:
        return self._list(
            f"{LIMITS}/filter", list[ConcurrencyLimit], part(page, **({"prefix": prefix} if prefix else {}))
        )

    def list_slot_holders(self, name: str) -> list[UUID]:
        return self._read(f"{LIMITS}/{step(name)}/holders", list[UUID])

    def read_held_limit(self, kind: LimitKind, name: str) -> HeldLimit:
        return self._read("/limits/holders", HeldLimit, kind=kind, name=name)

    def update_concurrency_limit(self, name: str, update: ConcurrencyLimitUpdate) -> None:
        self._update(f"{LIMITS}/{step(name)}", update)

    def reset_concurrency_limit(self, name: str, keep: list[UUID]) -> None:
        self._ask("POST", f"{LIMITS}/{step(name)}/reset", None, {"keep": keep}, repeatable=True)

    def delete_concurrency_limit(self, name: str) -> None:
        self._delete(f"{LIMITS}/{step(name)}")
