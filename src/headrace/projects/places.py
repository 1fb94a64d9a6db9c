"""Work pools and queues that deployments name: they have to be there before anything is made."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace.base.errors import HeadraceError, ObjectNotFound
from headrace.schema.run import Page
from headrace.schema.work_pool import DEFAULT_QUEUE, WorkPool

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

Refuse = Callable[[str], HeadraceError]


class Pools:
    """Looks up pools and queues, each once. `default` is the pool of those who name none."""

    def __init__(self, administration: Administration, default: str | None = None) -> None:
        self._administration = administration
        self._default = default
        self._found: dict[str | None, WorkPool] = {}
        self._queues: set[tuple[str, str]] = set()

    def find(self, name: str | None, refuse: Refuse) -> WorkPool:
        """The pool of that name; without one the default, or the only pool there is. Raises what `refuse` makes of it."""
        name = name or self._default
        if name not in self._found:
            self._found[name] = self._find_only(refuse) if name is None else self._read(name, refuse)
        return self._found[name]

    def check_queue(self, pool: WorkPool, name: str | None, refuse: Refuse) -> None:
        """Raise what `refuse` makes of a queue that the pool does not have."""
        if name is None or name == DEFAULT_QUEUE or (pool.name, name) in self._queues:
            return
        try:
            self._administration.read_work_queue_by_name(pool.name, name)
        except ObjectNotFound:
            makes = f"headrace work-queue create {shlex.quote(name)} --pool {shlex.quote(pool.name)}"
            raise refuse(f"there is no work queue {name!r} in pool {pool.name!r}; this makes it: {makes}") from None
        self._queues.add((pool.name, name))

    def _read(self, name: str, refuse: Refuse) -> WorkPool:
        try:
            return self._administration.read_work_pool(name)
        except ObjectNotFound:
            makes = f"headrace work-pool create {shlex.quote(name)} --type process"
            raise refuse(f"there is no work pool {name!r}; this makes it: {makes}") from None

    def _find_only(self, refuse: Refuse) -> WorkPool:
        pools = self._administration.list_work_pools(page=Page(10))
        if len(pools) == 1:
            return pools[0]
        if not pools:
            makes = "headrace work-pool create default --type process"
            raise refuse(f"no work pool is named and there is none yet; this makes one: {makes}")
        raise refuse(f"say with -p which work pool it is for: {', '.join(pool.name for pool in pools)}.")
