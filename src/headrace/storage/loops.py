"""Wide queries on who looks after which loop, and on what was last told of those who serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, update

from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS

_lease = t.loop_leases.c


class LoopRow(NamedTuple):
    """A row of loop_leases. `interval`, `took` and `lag` are in seconds."""

    name: str
    holder: str | None
    place: str | None
    interval: float
    beats: int
    updated: int
    looked: int | None
    took: float | None
    lag: float | None
    done: int
    error: str | None


def list_loops(connection: Connection) -> list[LoopRow]:
    """All loops that were ever looked after, by name."""
    query = select(*(_lease[name] for name in LoopRow._fields)).order_by(_lease.name)
    return [LoopRow._make(row) for row in connection.select(query)]


def add_loops(connection: Connection, intervals: Mapping[str, float], now: int) -> None:
    """Make loops known that are not; nobody has them then."""
    blank: dict[str, Any] = {"holder": None, "place": None, "beats": 0, "updated": now, "done": 0}
    rows = [{"name": name, "interval": interval, **blank} for name, interval in sorted(intervals.items())]
    connection.change(DIALECTS[connection.dialect].insert(t.loop_leases).values(rows).on_conflict_do_nothing())


def take_loop(connection: Connection, seen: LoopRow, holder: str, place: str, now: int) -> bool:
    """Have a loop from now on; False when its lease is not as it was seen any more."""
    as_seen = [_lease.name == seen.name, _lease.beats == seen.beats]
    as_seen.append(_lease.holder.is_(None) if seen.holder is None else _lease.holder == seen.holder)
    taken = {"holder": holder, "place": place, "beats": _lease.beats + 1, "updated": now, "error": None}
    return bool(connection.change(update(t.loop_leases).where(*as_seen).values(taken)))


def beat_loop(connection: Connection, name: str, holder: str, told: Mapping[str, Any]) -> bool:
    """Show that the holder lives, and say how the last look went; False when somebody else has the loop."""
    own = [_lease.name == name, _lease.holder == holder]
    return bool(connection.change(update(t.loop_leases).where(*own).values(beats=_lease.beats + 1, **told)))


def release_loops(connection: Connection, names: Iterable[str], holder: str, now: int) -> None:
    """Leave loops to whoever comes."""
    own = [_lease.holder == holder, _lease.name.in_([*names])]
    free: dict[str, Any] = {"holder": None, "place": None, "beats": _lease.beats + 1, "updated": now}
    connection.change(update(t.loop_leases).where(*own).values(free))


def names_of(rows: Sequence[LoopRow]) -> set[str]:
    """What the loops are called."""
    return {row.name for row in rows}
