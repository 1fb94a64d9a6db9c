"""Proposals of flow-run states and the decisions on them; leases, claims and slots."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from headrace.schema.fact import Batch
from headrace.schema.flow import Name
from headrace.schema.presence import Presence
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateCreate
from headrace.schema.wire import Request, Stored, Wire


class Verb(StrEnum):
    """What the orchestrator answered to a proposed state."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    WAIT = "WAIT"
    ABORT = "ABORT"


class Proposal(Request, kw_only=True):
    """Asks that a flow run enter a state.

    `epoch` is the attempt that asks; without one the state alone is judged, as for clients of the contract.
    `presence`, sent with a state that begins an attempt (RUNNING), tells how that attempt will show it is alive.
    `batch` holds what was journaled before the proposal: it is stored first, in the same transaction. `renewal`: who asks
    renews the slot of the deployment's limit that the state names within so many seconds, again and again.
    """

    flow_run_id: UUID
    state: StateCreate
    force: bool = False
    epoch: int | None = None
    presence: Presence | None = None
    renewal: float | None = None
    batch: Batch | None = None


class Decision(Wire, kw_only=True):
    """The answer to a proposal. `state` is the state the run is in now.

    `written` says whether a new state was stored. `reason` explains REJECT, WAIT and ABORT; `delay` is the seconds to
    wait before asking again. `epoch` is the attempt that holds the run after this decision.
    """

    verb: Verb
    state: State | None
    written: bool
    epoch: int
    flow_run: FlowRun
    reason: str | None = None
    delay: float | None = None


class TaskDecision(Wire, kw_only=True):
    """The answer to a state proposed for a task run. `state` is the state the run is in now."""

    verb: Verb
    state: State | None
    written: bool
    reason: str | None = None


class Beat(Request, kw_only=True):
    """Shows that an attempt of a flow run is alive, or a task worker, which goes by its own id."""

    flow_run_id: UUID
    epoch: int


class DueRequest(Request, kw_only=True):
    """Asks for scheduled runs that somebody has to start.

    Runs whose expected start is at or before `before`, at most `limit`: those of the first queues in order of priority,
    oldest first. Narrowed to a pool, to queues (by name within the pool, or by id) or to deployments, if any are named.
    What is paused, or executes as much as it may, gives nothing.
    """

    before: datetime
    limit: int
    work_pool_name: str | None = None
    work_queue_names: list[str] | None = None
    work_queue_ids: list[UUID] | None = None
    deployment_ids: list[UUID] | None = None


class ClaimRequest(DueRequest, kw_only=True):
    """Asks for scheduled runs to execute. `claimant` names who asks; `presence` is how it shows that it is alive."""

    claimant: str
    presence: Presence | None = None


class Claim(Wire, kw_only=True):
    """A run that is now the claimant's to execute, under attempt `epoch`."""

    flow_run: FlowRun
    epoch: int


class SlotRequest(Request, kw_only=True):
    """Asks for `occupy` slots of each limit named. Names without a limit are free.

    `duration` is the seconds the lease lasts unless renewed; `holder` says who holds it. A request that does not fit
    waits in line under `request_id`; asking again with the same id keeps its place. `rate_limit` asks of limits whose
    slots fade, and of no others.
    """

    names: list[str]
    request_id: UUID
    occupy: Annotated[int, Meta(ge=1)] = 1
    duration: Annotated[float, Meta(gt=0, le=86400)] = 300.0
    holder_type: Literal["flow_run", "task_run", "deployment", "process"] = "process"
    holder_id: UUID | None = None
    queue: bool = True
    mode: Literal["concurrency", "rate_limit"] = "concurrency"


class SlotGrant(Wire, kw_only=True):
    """The answer to a slot request: a lease, or a place in line (`position` from 1) and when to ask again (seconds)."""

    lease_id: UUID | None
    names: list[str]
    position: int | None = None
    retry_after: float | None = None


class ConcurrencyLimitCreate(Request, kw_only=True):
    """Asks for a limit."""

    name: Name
    limit: Annotated[int, Meta(ge=0)]
    active: bool = True
    slot_decay_per_second: Annotated[float, Meta(ge=0)] = 0.0


class ConcurrencyLimitUpdate(Request, kw_only=True):
    """Changes a limit; fields that are not sent stay as they are."""

    name: Name | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    slot_decay_per_second: Annotated[float, Meta(ge=0)] | UnsetType = UNSET


class ConcurrencyLimit(Stored, kw_only=True):
    """At most `limit` slots at once; `active_slots` is counted from the live leases, there is no counter.

    With `slot_decay_per_second` above 0 slots are never given back but fade at that rate (a rate limit).
    """

    name: str
    limit: int
    active: bool = True
    active_slots: int = 0
    slot_decay_per_second: float = 0.0
