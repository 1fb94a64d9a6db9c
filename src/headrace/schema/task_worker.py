"""Task workers, and the background runs they claim."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from headrace.schema.presence import Presence
from headrace.schema.run import TaskRun
from headrace.schema.wire import Request, Wire

WORKER_EPOCH = 1
"""The epoch of every task worker's lease: one that was taken for dead and shows up again has nothing any more."""


class TaskWorker(Wire, kw_only=True):
    """A worker of some tasks. It was there at the instant `timestamp`, and nobody has seen it go."""

    identifier: str
    task_keys: list[str]
    timestamp: datetime


class TaskWorkerFilter(Request, kw_only=True):
    """Workers of at least one of these tasks; of any, when none is named."""

    task_keys: list[str]


class TaskWorkerListing(Request, kw_only=True):
    """Asks for task workers."""

    task_worker_filter: TaskWorkerFilter | None = None


class TaskClaimRequest(Request, kw_only=True):
    """Asks for background runs of some tasks that are due, at most `limit`, and shows that the worker is there.

    `presence` is how the worker shows that it is alive. A claimed run is Pending, unless the worker does not `announce` that:
    then it says so itself, as clients of the contract do.
    """

    worker_id: UUID
    name: str
    task_keys: list[str]
    limit: Annotated[int, Meta(ge=0, le=200)]
    presence: Presence
    announce: bool = True


class TaskClaim(Wire, kw_only=True):
    """A background run that is now the worker's to execute, under attempt `epoch`.

    `parameters_id` says where its arguments are kept, None that there are none.
    """

    task_run: TaskRun
    epoch: int
    parameters_id: UUID | None = None


class TaskClaims(Wire, kw_only=True):
    """The answer to a claim. `next_due` is when there is reason to ask again, as far as is known.

    `recognised` is False for a worker that was not known: it has just come, or was taken for dead.
    """

    claims: list[TaskClaim]
    recognised: bool
    next_due: datetime | None = None
