"""Slots: leases on limits, and the line of those who wait for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from uuid import UUID

from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.events import SLOTS, append
from headrace.orchestration.unit import Unit
from headrace.rules.slots import LATEST, Limit, Wish, decide_slots, faded, find_served
from headrace.schema.orchestration import SlotGrant, SlotRequest
from headrace.schema.wire import decode_json
from headrace.storage import compiled
from headrace.storage.database import Statement
from headrace.storage.rows import LimitRow
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
    place = decide_slots(Wish(names, request.occupy), limits, _find_ahead(unit, request, rows, limits))
    if place is None:
        # None if the same request was made twice at once and the other was just faster.
        return _grant(unit, request, rows, limits) or acquire_slots(unit, request)
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


def call_waiting(unit: Unit, limit_ids: Sequence[UUID]) -> None:
    """Have everybody who waits before these limits ask again: what the limits allow is changing."""
    line = unit.fetch(compiled.find_line, limit_ids=list(limit_ids), since=unit.now - SILENCE)
    _call(unit, list(dict.fromkeys(row[0] for row in line)))


def _call_next(unit: Unit, rows: Sequence[LimitRow]) -> None:
    """Tell those who may have slots now, after some of these limits were given back.

    The limits are locked: whoever is just being told to wait has been told, and stands in line.
    """
    line = _find_line(unit, [row.id for row in rows]) if rows else {}
    if line:
        limits = {row.name: limit for row, limit in zip(rows, _count(unit, rows), strict=True)}
        _add_others(unit, line.values(), limits)
        _call(unit, find_served(line, limits))


def _call(unit: Unit, request_ids: Sequence[UUID]) -> None:
    append(unit, [(SLOTS, request_id, None, unit.now, "{}") for request_id in request_ids])


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
            level = faded(row.level, (unit.now - row.level_since) / SECOND, row.slot_decay_per_second)
            limits.append(Limit(row.slots, level, row.slot_decay_per_second))
        else:
            limits.append(Limit(row.slots, used, 0.0, expires and (expires - unit.now) / SECOND))
    return limits


def _find_ahead(unit: Unit, request: SlotRequest, rows: Sequence[LimitRow], limits: dict[str, Limit]) -> list[Wish]:
    """Who stands before the request in any of its lines, in the order of coming.

    What else they wait for is added to `limits`, as far as it is limited.
    """
    if not rows:
        return []
    ids = [row.id for row in rows]
    unit.execute(compiled.clear_line, limit_ids=ids, since=unit.now - SILENCE)
    line = _find_line(unit, ids)
    ahead = list(takewhile(lambda wish: wish is not line.get(request.request_id), line.values()))
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


def _grant(unit: Unit, request: SlotRequest, rows: Sequence[LimitRow], limits: dict[str, Limit]) -> SlotGrant | None:
    """Make the lease, and say what it holds; None when the request has one already."""
    lease_id = uuid7()
    names = [row.name for row in rows]
    expires = unit.now + int(request.duration * SECOND)
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
