"""Why a flow run is not running: reasons, in the order of what to do first, and who holds what it waits for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import field

from headrace.schema.state import StateType
from headrace.schema.wire import Wire

LimitKind = Literal["pool", "queue", "deployment", "global", "tag"]
"""What a limit is on: the runs of a work pool, queue or deployment, or what code holds of a limit or a tag."""


class ReasonKind(StrEnum):
    """What keeps a run from running."""

    ENDED = "ended"
    RUNNING = "running"
    CANCELLING = "cancelling"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CLAIMED = "claimed"
    NOT_READY = "not-ready"
    SCHEDULED = "scheduled"
    AWAITING_RETRY = "awaiting-retry"
    POOL_PAUSED = "pool-paused"
    QUEUE_PAUSED = "queue-paused"
    NO_POOL = "no-pool"
    NO_DEPLOYMENT = "no-deployment"
    NO_WORKER = "no-worker"
    QUEUE_UNSERVED = "queue-unserved"
    LIMIT = "limit"
    DEADLOCK = "deadlock"
    TASK_LIMIT = "task-limit"
    LATE = "late"
    DEPLOYMENT_PAUSED = "deployment-paused"
    SCHEDULE_INACTIVE = "schedule-inactive"


class SlotHolder(Wire, kw_only=True):
    """Who holds slots, since when, and until when unless the lease is renewed (none: for as long as the run's attempt)."""

    type: str
    id: UUID | None = None
    name: str | None = None
    slots: int = 1
    since: datetime
    until: datetime | None = None


class HeldLimit(Wire, kw_only=True):
    """A limit (none where nothing is limited), how many of its slots are in use, and the holders that came first.

    `kind` is what it is on; `name` is that of the work pool, queue, limit or tag, or the id of the deployment.
    """

    kind: LimitKind
    name: str
    limit: int | None
    used: int
    holders: list[SlotHolder] = field(default_factory=list[SlotHolder])


class Reason(Wire, kw_only=True):
    """One reason, and what to do about it. `since` is when it began, `until` when it ends by itself, where that is known."""

    kind: ReasonKind
    message: str
    next_step: str
    since: datetime | None = None
    until: datetime | None = None
    limit: HeldLimit | None = None


class Explanation(Wire, kw_only=True):
    """Why a flow run is not running, with the reasons in the order of what to do first. There is at least one."""

    flow_run_id: UUID
    name: str
    state_type: StateType | None
    state_name: str | None
    reasons: list[Reason]
