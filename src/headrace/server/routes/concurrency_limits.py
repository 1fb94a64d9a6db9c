"""Limits, and slots for clients of the contract: leases they renew, and the older way, where slots are taken and given
back by name.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from headrace.base.ids import uuid7
from headrace.schema.flow import Name
from headrace.schema.listing import LONGEST_LIST, PlainListing
from headrace.schema.orchestration import (
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    ConcurrencyLimitUpdate,
    SlotGrant,
    SlotRequest,
)
from headrace.schema.wire import Request, Wire
from headrace.server.auth import Permission, needs
from headrace.server.errors import Refusal
from headrace.server.gateways import Office, Runs

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN

WITHOUT_LEASE = 86_400.0
"""How many seconds slots are held that were taken without a lease, unless they are given back."""

Names = Annotated[list[str], Meta(min_length=1)]
Slots = Annotated[int, Meta(gt=0)]
Duration = Annotated[float, Meta(ge=60, le=86_400)]


class LimitCreate(Request, kw_only=True):
    """Asks for a limit. What is in use is counted, so nobody can say it: those fields are read and passed over."""

    name: Name
    limit: Annotated[int, Meta(ge=0)]
    active: bool = True
    active_slots: Annotated[int, Meta(ge=0)] = 0
    denied_slots: Annotated[int, Meta(ge=0)] = 0
    slot_decay_per_second: Annotated[float, Meta(ge=0)] = 0.0


class LimitUpdate(Request, kw_only=True):
    """Changes a limit; what is null stays. What is in use is counted, so those fields are passed over."""

    active: bool | None = None
    name: Name | None = None
    limit: Annotated[int, Meta(ge=0)] | None = None
    active_slots: Annotated[int, Meta(ge=0)] | None = None
    denied_slots: Annotated[int, Meta(ge=0)] | None = None
    slot_decay_per_second: Annotated[float, Meta(ge=0)] | None = None


class Holder(Request, kw_only=True):
    """Who holds slots."""

    type: Literal["flow_run", "task_run", "deployment"]
    id: UUID


class Increment(Request, kw_only=True):
    """Takes slots without a lease."""

    slots: Slots
    names: Names
    mode: Literal["concurrency", "rate_limit"] = "concurrency"
    create_if_missing: bool | None = None


class IncrementWithLease(Request, kw_only=True):
    """Takes slots under a lease."""

    slots: Slots
    names: Names
    mode: Literal["concurrency", "rate_limit"] = "concurrency"
    lease_duration: Duration = 300.0
    holder: Holder | None = None


class Decrement(Request, kw_only=True):
    """Gives back slots that were taken without a lease."""

    slots: Slots
    names: Names
    occupancy_seconds: float | None = None
    create_if_missing: bool | None = None


class LeaseRelease(Request, kw_only=True):
    """Gives back a lease."""

    lease_id: UUID


class LeaseRenewal(Request, kw_only=True):
    """Keeps a lease."""

    lease_duration: Duration = 300.0


class LimitListing(PlainListing, kw_only=True):
    """Asks for limits, those whose name begins with a prefix."""

    prefix: str = ""


class LimitNames(Request, kw_only=True):
    """Names limits."""

    names: Annotated[list[str], Meta(max_length=LONGEST_LIST)]


class LimitReset(Request, kw_only=True):
    """Ends leases, but for those of the holders to keep."""

    keep: list[UUID] = field(default_factory=list[UUID])


class TakenLimit(Wire, kw_only=True):
    """A limit on which slots were taken."""

    id: UUID
    name: str
    limit: int


class TakenSlots(Wire, kw_only=True):
    """A lease, and the limits it is on."""

    lease_id: UUID
    limits: list[TakenLimit]


class CreatedLimit(ConcurrencyLimit, kw_only=True):
    """A limit, with what the contract tells of one that was just made: nobody has waited for it yet."""

    denied_slots: int = 0
    avg_slot_occupancy_seconds: float = 2.0


@post("/api/v2/concurrency_limits/", **needs(EDIT))
def create_limit(data: JSONBody[LimitCreate], administration: Office) -> CreatedLimit:
    wanted = ConcurrencyLimitCreate(
        name=data.name, limit=data.limit, active=data.active, slot_decay_per_second=data.slot_decay_per_second
    )
    return CreatedLimit(**msgspec.structs.asdict(administration.create_concurrency_limit(wanted)))


@get("/api/v2/concurrency_limits/{id_or_name:str}", **needs(READ))
def read_limit(id_or_name: FromPath[str], administration: Office) -> ConcurrencyLimit:
    return administration.read_concurrency_limit(id_or_name)


@patch("/api/v2/concurrency_limits/{id_or_name:str}", status_code=204, **needs(EDIT))
def update_limit(id_or_name: FromPath[str], data: JSONBody[LimitUpdate], administration: Office) -> None:
    told = {
        "name": data.name,
        "limit": data.limit,
        "active": data.active,
        "slot_decay_per_second": data.slot_decay_per_second,
    }
    update = ConcurrencyLimitUpdate(**{name: value for name, value in told.items() if value is not None})  # pyright: ignore[reportArgumentType]
    administration.update_concurrency_limit(id_or_name, update)


@delete("/api/v2/concurrency_limits/{id_or_name:str}", **needs(EDIT))
def delete_limit(id_or_name: FromPath[str], administration: Office) -> None:
    administration.delete_concurrency_limit(id_or_name)


@post("/api/v2/concurrency_limits/filter", status_code=200, **needs(READ))
def list_limits(data: JSONBody[LimitListing], administration: Office) -> list[ConcurrencyLimit]:
    return administration.list_concurrency_limits(data.part, data.prefix)


@post("/api/v2/concurrency_limits/find", status_code=200, **needs(READ))
def find_limits_by_name(data: JSONBody[LimitNames], administration: Office) -> list[ConcurrencyLimit]:
    return administration.find_concurrency_limits(data.names)


@get("/api/v2/concurrency_limits/{id_or_name:str}/holders", **needs(READ))
def list_holders(id_or_name: FromPath[str], administration: Office) -> list[UUID]:
    return administration.list_slot_holders(id_or_name)


@post("/api/v2/concurrency_limits/{id_or_name:str}/reset", status_code=204, **needs(EDIT))
def reset_limit(id_or_name: FromPath[str], data: JSONBody[LimitReset], administration: Office) -> None:
    administration.reset_concurrency_limit(id_or_name, data.keep)


@post("/api/v2/concurrency_limits/increment", status_code=200, **needs(RUN))
def take_slots(data: JSONBody[Increment], execution: Runs, administration: Office) -> list[TakenLimit]:
    """Take slots of the limits of these names. Answers 423 with `Retry-After` when they are taken."""
    limits = find_limits(data.names, administration)
    take(
        execution,
        SlotRequest(
            names=data.names,
            request_id=uuid7(),
            occupy=data.slots,
            duration=WITHOUT_LEASE,
            queue=False,
            mode=data.mode,
        ),
    )
    return limits_of(limits)


@post("/api/v2/concurrency_limits/increment-with-lease", status_code=200, **needs(RUN))
def take_slots_with_lease(data: JSONBody[IncrementWithLease], execution: Runs, administration: Office) -> TakenSlots:
    """Take slots of the limits of these names under a lease, to be renewed until they are given back.

    Names without a limit are passed over. Answers 423 with `Retry-After` when slots are taken.
    """
    limits = find_limits(data.names, administration)
    request = SlotRequest(
        names=data.names,
        request_id=uuid7(),
        occupy=data.slots,
        duration=data.lease_duration,
        holder_type=data.holder.type if data.holder else "process",
        holder_id=data.holder.id if data.holder else None,
        queue=False,
        mode=data.mode,
    )
    lease_id = take(execution, request).lease_id
    assert lease_id is not None
    return TakenSlots(lease_id=lease_id, limits=limits_of(limits))


@post("/api/v2/concurrency_limits/decrement", status_code=200, **needs(RUN))
def give_slots_back(data: JSONBody[Decrement], execution: Runs, administration: Office) -> list[TakenLimit]:
    execution.release_held_slots(data.names, data.slots)
    return limits_of(find_limits(data.names, administration))


@post("/api/v2/concurrency_limits/decrement-with-lease", status_code=204, **needs(RUN))
def give_lease_back(data: JSONBody[LeaseRelease], execution: Runs) -> None:
    """Give the slots of a lease back. No harm is done if the lease has ended already."""
    execution.release_slots(data.lease_id)


@post("/api/v2/concurrency_limits/leases/{lease_id:str}/renew", status_code=204, **needs(RUN))
def renew_lease(lease_id: FromPath[UUID], data: JSONBody[LeaseRenewal], execution: Runs) -> None:
    """Keep a lease for longer. Answers 410 when it has expired."""
    if not execution.renew_slots(lease_id, data.lease_duration):
        raise Refusal(410, f"Lease {lease_id} has run out and its slots are gone.")


def find_limits(names: list[str], administration: Office) -> list[ConcurrencyLimit]:
    """The limits of these names that there are and that count."""
    found = administration.find_concurrency_limits(names)
    return [limit for limit in found if limit.active]


def take(execution: Runs, request: SlotRequest) -> SlotGrant:
    """Take slots, or answer 423 with the seconds after which to ask again."""
    grant = execution.acquire_slots(request)
    if grant.lease_id is None:
        wait = f"{max(grant.retry_after or 1.0, 0.05):.2f}"
        raise Refusal(423, f"There is no room on {', '.join(grant.names)}.", {"Retry-After": wait})
    return grant


def limits_of(limits: list[ConcurrencyLimit]) -> list[TakenLimit]:
    """What is told of limits on which slots were taken."""
    return [TakenLimit(id=limit.id, name=limit.name, limit=limit.limit) for limit in limits]


routes = [
    create_limit,
    read_limit,
    update_limit,
    delete_limit,
    list_limits,
    find_limits_by_name,
    list_holders,
    reset_limit,
    take_slots,
    take_slots_with_lease,
    give_slots_back,
    give_lease_back,
    renew_lease,
]
