"""The contract's older limits, on tags of tasks: a limit `tag:<tag>` seen from another side."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import field

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.rules.slots import TAG_LIMIT
from headrace.schema.listing import PlainListing
from headrace.schema.orchestration import (
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    ConcurrencyLimitUpdate,
    SlotRequest,
)
from headrace.schema.wire import Request, Stored
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office, Runs
from headrace.server.routes.concurrency_limits import WITHOUT_LEASE, TakenLimit, find_limits, limits_of, take

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


class TagLimitCreate(Request, kw_only=True):
    """Asks for a limit on a tag."""

    tag: str
    concurrency_limit: int


class TagLimit(Stored, kw_only=True):
    """At most `concurrency_limit` task runs of a tag at once; `active_slots` are those that run."""

    tag: str
    concurrency_limit: int
    active_slots: list[UUID] = field(default_factory=list[UUID])


class TagSlots(Request, kw_only=True):
    """Takes slots for a task run, or gives them back. `names` are tags."""

    names: list[str]
    task_run_id: UUID


class TagReset(Request, kw_only=True):
    """Gives slots back, but for those of the task runs named."""

    slot_override: list[UUID] | None = None


@post("/api/concurrency_limits/", **needs(EDIT))
def create_tag_limit(data: JSONBody[TagLimitCreate], administration: Office) -> Response[TagLimit]:
    """Create a limit on a tag, or give the one there is this many slots."""
    name = TAG_LIMIT + data.tag
    try:
        limit = administration.create_concurrency_limit(ConcurrencyLimitCreate(name=name, limit=data.concurrency_limit))
        return Response(to_tag_limit(limit, administration), status_code=201)
    except ObjectAlreadyExists:
        administration.update_concurrency_limit(name, ConcurrencyLimitUpdate(limit=data.concurrency_limit))
        return Response(read_tag(data.tag, administration), status_code=200)


@get("/api/concurrency_limits/{limit_id:str}", **needs(READ))
def read_tag_limit(limit_id: FromPath[UUID], administration: Office) -> TagLimit:
    return to_tag_limit(administration.read_concurrency_limit(str(limit_id)), administration)


@get("/api/concurrency_limits/tag/{tag:str}", **needs(READ))
def read_tag_limit_by_tag(tag: FromPath[str], administration: Office) -> TagLimit:
    """Return the limit on the tag. Raises `ObjectNotFound`."""
    return read_tag(tag, administration)


@delete("/api/concurrency_limits/{limit_id:str}", status_code=200, **needs(EDIT))
def delete_tag_limit(limit_id: FromPath[UUID], administration: Office) -> None:
    """Delete the limit on a tag."""
    limit = to_tag_limit(administration.read_concurrency_limit(str(limit_id)), administration)
    administration.delete_concurrency_limit(TAG_LIMIT + limit.tag)


@delete("/api/concurrency_limits/tag/{tag:str}", status_code=200, **needs(EDIT))
def delete_tag_limit_by_tag(tag: FromPath[str], administration: Office) -> None:
    administration.delete_concurrency_limit(TAG_LIMIT + tag)


@post("/api/concurrency_limits/filter", status_code=200, **needs(READ))
def list_tag_limits(data: JSONBody[PlainListing], administration: Office) -> list[TagLimit]:
    limits = administration.list_concurrency_limits(data.part, prefix=TAG_LIMIT)
    return [to_tag_limit(limit, administration) for limit in limits]


@post("/api/concurrency_limits/tag/{tag:str}/reset", status_code=200, **needs(EDIT))
def reset_tag_limit(tag: FromPath[str], data: JSONBody[TagReset], administration: Office) -> None:
    administration.reset_concurrency_limit(TAG_LIMIT + tag, data.slot_override or [])


@post("/api/concurrency_limits/increment", status_code=200, **needs(RUN))
def take_tag_slots(data: JSONBody[TagSlots], execution: Runs, administration: Office) -> list[TakenLimit]:
    """Take a slot of each tag with a limit for a task run. Answers 423 with `Retry-After` when one is taken."""
    names = [TAG_LIMIT + tag for tag in data.names]
    # The task run's own id names the request, so asking twice takes one slot and the id is enough to give it back.
    take(
        execution,
        SlotRequest(
            names=names,
            request_id=data.task_run_id,
            duration=WITHOUT_LEASE,
            holder_type="task_run",
            holder_id=data.task_run_id,
            queue=False,
        ),
    )
    return limits_of(find_limits(names, administration))


@post("/api/concurrency_limits/decrement", status_code=200, **needs(RUN))
def give_tag_slots_back(data: JSONBody[TagSlots], execution: Runs, administration: Office) -> list[TakenLimit]:
    """Give a task run's slots of these tags back."""
    execution.withdraw_slot_request(data.task_run_id)
    return limits_of(find_limits([TAG_LIMIT + tag for tag in data.names], administration))


def read_tag(tag: str, administration: Office) -> TagLimit:
    """The limit on a tag."""
    return to_tag_limit(administration.read_concurrency_limit(TAG_LIMIT + tag), administration)


def to_tag_limit(limit: ConcurrencyLimit, administration: Office) -> TagLimit:
    """A limit seen as one on a tag. Raises `ObjectNotFound` when it is on something else."""
    if not limit.name.startswith(TAG_LIMIT):
        raise ObjectNotFound(f"The limit {limit.name!r} is on no tag.")
    return TagLimit(
        id=limit.id,
        created=limit.created,
        updated=limit.updated,
        tag=limit.name.removeprefix(TAG_LIMIT),
        concurrency_limit=limit.limit,
        active_slots=administration.list_slot_holders(limit.name),
    )


routes = [
    create_tag_limit,
    read_tag_limit,
    read_tag_limit_by_tag,
    delete_tag_limit,
    delete_tag_limit_by_tag,
    list_tag_limits,
    reset_tag_limit,
    take_tag_slots,
    give_tag_slots_back,
]
