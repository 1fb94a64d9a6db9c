"""Slots: leases on limits, and the line of those who wait for one.

Most of those who wait ask again, as often as they are told to and whenever they are called; who has not asked for a while
has gone. The runs of a deployment wait in the same lines to be called, however long that takes: nobody would ask for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from uuid import UUID

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.events import SLOTS, append
from headrace.orchestration.unit import Unit
from headrace.rules.slots import LATEST, Limit, Place, Wish, decide_slots, faded, find_served
from headrace.schema.orchestration import ConcurrencyLimit, SlotGrant, SlotRequest
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.database import Statement
from headrace.storage.rows import NEVER, LimitRow
from headrace.storage.texts import storable_json

SECOND = 1_000_000
SILENCE = int(3 * LATEST) * SECOND
"""Who has not asked again for so long (microseconds) is not waiting any more."""


def acquire_slots(unit: Unit, request: SlotRequest) -> SlotGrant:
    """Grant a lease on slots of all limits named, or a place in line."""
    granted = _find_granted(unit, request)
    if granted is not None:
        return granted
    _end_expired(unit)
    rows = _find(unit, compiled.lock_limits, names=sorted(set(request.names)))
    names = [row.name for row in rows]
    kept = [row.name for row in rows if row.slot_decay_per_second <= 0]
    if kept and request.mode == "rate_limit":
        raise InvalidRequest(f"Slots of {', '.join(kept)} do not fade: set slot_decay_per_second to use it as a rate.")
    limits = {row.name: limit for row, limit in zip(rows, _count(unit, rows), strict=True)}
    place = decide_slots(Wish(names, request.occupy), limits, _find_ahead(unit, request.request_id, rows, limits))
    if place is None:
        # None if the same request was made twice at once and the other was just faster.
        expires = unit.now + int(request.duration * SECOND)
        return _grant(unit, request, rows, limits, expires, uuid7()) or acquire_slots(unit, request)
    if request.queue:
        unit.insert(
            compiled.stand_in_line,
            [(request.request_id, row.id, request.occupy, request.holder_id, unit.now, unit.now) for row in rows],
        )
    return SlotGrant(lease_id=None, names=names, position=place.position, retry_after=place.retry_after)


def find_limited(unit: Unit, names: Sequence[str]) -> list[str]:
    """Those of the names that have an active limit."""
    return [row.name for row in _find(unit, compiled.find_limits, names=sorted(set(names)))]


def renew_slots(unit: Unit, lease_id: UUID, duration: float) -> bool:
    """Let a lease last for `duration` more seconds; False when it has run out."""
    expires = unit.now + int(duration * SECOND)
    return bool(
        unit.execute(compiled.renew_slot_lease, id=lease_id, now=unit.now, new_expires=expires, new_updated=unit.now)
    )


def release_slots(unit: Unit, lease_id: UUID) -> bool:
    """Give slots back; False when the lease had ended."""
    limits = _find(unit, compiled.lock_leased_limits, lease_ids=[lease_id])
    alive = bool(unit.execute(compiled.end_slot_lease, id=lease_id, now=unit.now))
    unit.execute(compiled.delete_slot_holds, ids=[lease_id])
    _call_next(unit, limits)
    return alive


def release_held_slots(unit: Unit, names: Sequence[str], occupy: int) -> int:
    """Give back leases of nobody known on these limits until as many slots of each are free; return how many leases."""
    rows = _find(unit, compiled.lock_limits, names=sorted(set(names)))
    limited = [row.name for row in rows]
    ended: list[UUID] = []
    for lease_id, occupied in unit.fetch(
        compiled.find_anonymous_slot_leases, names=storable_json(limited), now=unit.now
    ):
        if occupy <= 0:
            break
        ended.append(lease_id)
        occupy -= occupied
    _delete(unit, ended)
    _call_next(unit, rows)
    return len(ended)


def withdraw_slot_request(unit: Unit, request_id: UUID) -> None:
    """Leave the line, and give back the lease if it was granted."""
    granted = [row[0] for row in unit.fetch(compiled.find_slot_lease, request_id=request_id)]
    if granted:
        limits = _find(unit, compiled.lock_leased_limits, lease_ids=granted)
    else:
        limits = _find(unit, compiled.lock_awaited_limits, request_id=request_id)
    unit.execute(compiled.leave_line, request_id=request_id)
    _delete(unit, granted)
    _call_next(unit, limits)


def call_waiting(unit: Unit, limit_ids: Sequence[UUID], gone: bool = False) -> None:
    """Have those who wait before these limits ask again: what the limits allow has changed, or they are going to be gone.

    Who waits to be called is called only if there is room, or no limit any more.
    """
    line = _find_line(unit, limit_ids)
    patient = (
        {row[0] for row in unit.fetch(compiled.find_patient, ids=list(line))} if line and not gone else set[UUID]()
    )
    served = _find_served(unit, line) if patient else []
    _call(unit, [request_id for request_id in line if request_id not in patient or request_id in served])


def dismiss_waiting(unit: Unit, request_ids: Sequence[UUID]) -> None:
    """Have some of those who wait ask again, and wait no more: what they waited for does not limit them any more."""
    _call(unit, request_ids)
    for request_id in request_ids:
        unit.execute(compiled.leave_line, request_id=request_id)


def find_place(unit: Unit, row: LimitRow, request_id: UUID) -> Place | None:
    """The place in line of who wants one slot of a limit, which is held; None when there is room."""
    limits = dict(zip([row.name], _count(unit, [row]), strict=True))
    return decide_slots(Wish([row.name], 1), limits, _find_ahead(unit, request_id, [row], limits))


def take_slot(unit: Unit, row: LimitRow, lease_id: UUID, flow_run_id: UUID, expires: int) -> None:
    """Let a flow run have a slot of a limit, which is held and has room; an earlier lease of the run is forgotten."""
    _delete(unit, [found[0] for found in unit.fetch(compiled.find_slot_lease, request_id=flow_run_id)])
    request = SlotRequest(names=[row.name], request_id=flow_run_id, holder_type="flow_run", holder_id=flow_run_id)
    _grant(unit, request, [row], dict(zip([row.name], _count(unit, [row]), strict=True)), expires, lease_id)


def wait_to_be_called(unit: Unit, row: LimitRow, flow_run_id: UUID) -> None:
    """Let a flow run stand in line before a limit, which is held; it keeps the place that it has."""
    unit.insert(compiled.stand_in_line, [(flow_run_id, row.id, 1, flow_run_id, unit.now, NEVER)])


def needs_sweep(unit: Unit) -> bool:
    """Whether leases have run out, or somebody waits to be called."""
    ended = unit.fetch(compiled.find_ended_slot_leases, now=unit.now)
    return bool(ended or unit.fetch(compiled.find_anybody_patient))


def sweep_slots(unit: Unit) -> int:
    """End leases that have run out, and call whoever waits to be called and may have slots; how many leases there were.

    So who was called and has not come within the time of a silence lets the next pass.
    """
    ended = [row[0] for row in unit.fetch(compiled.find_ended_slot_leases, now=unit.now)]
    if ended:
        limits = _find(unit, compiled.lock_leased_limits, lease_ids=ended)
        _delete(unit, ended)
        _call_next(unit, limits)
    for row in _find(unit, compiled.lock_limits_waited_for):
        line = _find_line(unit, [row.id])
        served = _find_served(unit, line)
        _call(unit, [found[0] for found in unit.fetch(compiled.find_patient, ids=served)] if served else [])
    return len(ended)


def _call_next(unit: Unit, rows: Sequence[LimitRow]) -> None:
    """Tell those who may have slots now, after some of these limits were given back.

    The limits are locked: whoever is just being told to wait has been told, and stands in line.
    """
    line = _find_line(unit, [row.id for row in rows]) if rows else {}
    if line:
        _call(unit, _find_served(unit, line))


def _find_served(unit: Unit, line: Mapping[UUID, Wish]) -> list[UUID]:
    """Who of a line may have slots now."""
    limits: dict[str, Limit] = {}
    _add_others(unit, line.values(), limits)
    return find_served(line, limits)


def _call(unit: Unit, request_ids: Sequence[UUID]) -> None:
    """Tell those who wait that it may be their turn. An event of a run that waits to be taken says whose it is."""
    if not request_ids:
        return
    ids = list(request_ids)
    patient = {row[0] for row in unit.fetch(compiled.find_patient, ids=ids)}
    if patient:
        unit.execute(compiled.call_patient, ids=ids, new_asked=unit.now)
    append(unit, [(SLOTS, each, each if each in patient else None, unit.now, "{}") for each in ids])


def _find(unit: Unit, statement: Statement, **parameters: object) -> list[LimitRow]:
    """The limits that a statement finds, and holds if its name says so."""
    return [LimitRow._make(values) for values in unit.fetch(statement, **parameters)]


def _find_granted(unit: Unit, request: SlotRequest) -> SlotGrant | None:
    """The lease the request got already; one that has run out is forgotten, and the request begins anew."""
    rows = unit.fetch(compiled.find_slot_lease, request_id=request.request_id)
    if not rows:
        return None
    lease_id, names, expires = rows[0]
    if expires <= unit.now:
        _delete(unit, [lease_id])
        return None
    return SlotGrant(lease_id=lease_id, names=decode_json(names))


def _count(unit: Unit, rows: Sequence[LimitRow]) -> list[Limit]:
    """What of each limit is in use: counted from live leases, or faded from what was in use."""
    counted: dict[UUID, tuple[int, int]] = {}
    if rows:
        found = unit.fetch(compiled.count_slots, limit_ids=[row.id for row in rows], now=unit.now)
        counted = {limit_id: (int(used), expires) for limit_id, used, expires in found}
    limits: list[Limit] = []
    for row in rows:
        used, expires = counted.get(row.id, (0, None))
        if row.slot_decay_per_second > 0:
            level = measure_level(row, unit.now)
            limits.append(Limit(row.slots, level, row.slot_decay_per_second))
        else:
            limits.append(Limit(row.slots, used, 0.0, expires and (expires - unit.now) / SECOND))
    return limits


def measure_level(row: LimitRow, now: int) -> float:
    """How many slots of a fading limit are in use now."""
    return faded(row.level, (now - row.level_since) / SECOND, row.slot_decay_per_second)


def to_limit(row: LimitRow, used: Mapping[UUID, int], now: int) -> ConcurrencyLimit:
    """The limit of a row, given how many slots of each limit live leases hold."""
    fades = row.slot_decay_per_second > 0
    return ConcurrencyLimit(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        limit=row.slots,
        active=row.active,
        active_slots=math.ceil(measure_level(row, now)) if fades else used.get(row.id, 0),
        slot_decay_per_second=row.slot_decay_per_second,
    )


def _find_ahead(unit: Unit, request_id: UUID, rows: Sequence[LimitRow], limits: dict[str, Limit]) -> list[Wish]:
    """Who stands before the request in any of its lines, in the order of coming.

    What else they wait for is added to `limits`, as far as it is limited.
    """
    if not rows:
        return []
    ids = [row.id for row in rows]
    unit.execute(compiled.clear_line, limit_ids=ids, since=unit.now - SILENCE)
    line = _find_line(unit, ids)
    ahead = list(takewhile(lambda wish: wish is not line.get(request_id), line.values()))
    _add_others(unit, ahead, limits)
    return ahead


def _find_line(unit: Unit, limit_ids: Sequence[UUID]) -> dict[UUID, Wish]:
    """Who waits before some limits, in the order of coming, each with all that they wait for."""
    line: dict[UUID, Wish] = {}
    for request_id, name, occupy in unit.fetch(compiled.find_line, limit_ids=list(limit_ids), since=unit.now - SILENCE):
        line[request_id] = Wish([*line[request_id].names, name] if request_id in line else [name], occupy)
    return line


def _add_others(unit: Unit, wishes: Iterable[Wish], limits: dict[str, Limit]) -> None:
    """Add to the limits those that are waited for besides."""
    others = sorted({name for wish in wishes for name in wish.names} - limits.keys())
    if others:
        found = _find(unit, compiled.find_limits, names=others)
        limits.update(zip([row.name for row in found], _count(unit, found), strict=True))


def _grant(
    unit: Unit,
    request: SlotRequest,
    rows: Sequence[LimitRow],
    limits: Mapping[str, Limit],
    expires: int,
    lease_id: UUID,
) -> SlotGrant | None:
    """Make the lease, and say what it holds; None when the request has one already."""
    names = [row.name for row in rows]
    holder = (request.holder_type, request.holder_id)
    lease = (lease_id, request.request_id, *holder, storable_json(names), expires, unit.now, unit.now)
    if not unit.insert(compiled.insert_slot_leases, [lease]):
        return None
    held = [(row.id, lease_id, request.occupy) for row in rows if row.slot_decay_per_second <= 0]
    if held:
        unit.insert(compiled.insert_slot_holds, held)
    for row in rows:
        if row.slot_decay_per_second > 0:
            level = limits[row.name].used + request.occupy
            unit.execute(compiled.set_level, id=row.id, new_level=level, new_level_since=unit.now)
    unit.execute(compiled.leave_line, request_id=request.request_id)
    return SlotGrant(lease_id=lease_id, names=names)


def _end_expired(unit: Unit) -> None:
    """Forget leases that have run out, a few at a time."""
    _delete(unit, [row[0] for row in unit.fetch(compiled.find_ended_slot_leases, now=unit.now)])


def _delete(unit: Unit, lease_ids: Sequence[UUID]) -> None:
    if lease_ids:
        unit.execute(compiled.delete_slot_holds, ids=list(lease_ids))
        unit.execute(compiled.delete_slot_leases, ids=list(lease_ids))
