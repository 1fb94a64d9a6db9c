"""Concurrency limits: made, looked at, changed, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.holders import read_held_limit
from headrace.orchestration.slots import call_waiting, measure_level, to_limit
from headrace.orchestration.unit import Unit
from headrace.schema.explanation import HeldLimit, LimitKind
from headrace.schema.orchestration import ConcurrencyLimit, ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.run import Page
from headrace.storage import deployments
from headrace.storage import limits as queries
from headrace.storage.rows import LimitRow


class LimitVerbs(Office):
    """The verbs on concurrency limits."""

    def create_concurrency_limit(self, limit: ConcurrencyLimitCreate) -> ConcurrencyLimit:
        def create(unit: Unit) -> ConcurrencyLimit | None:
            row = LimitRow(
                id=uuid7(),
                name=limit.name,
                slots=limit.limit,
                active=limit.active,
                slot_decay_per_second=limit.slot_decay_per_second,
                level=0.0,
                level_since=unit.now,
                created=unit.now,
                updated=unit.now,
            )
            made = queries.insert_limit(unit.connection, unit.workspace_id, row)
            return to_limit(row, {}, unit.now) if made else None

        made = self._desk.write(create)
        if made is None:
            raise ObjectAlreadyExists(f"There is a concurrency limit called {limit.name!r} already.")
        return made

    def read_concurrency_limit(self, name: str) -> ConcurrencyLimit:
        def read(unit: Unit) -> ConcurrencyLimit:
            row = _require(unit, name)
            return to_limit(row, queries.count_slots(unit.connection, unit.workspace_id, unit.now), unit.now)

        return self._desk.read(read)

    def find_concurrency_limits(self, names: list[str]) -> list[ConcurrencyLimit]:
        def find(unit: Unit) -> list[ConcurrencyLimit]:
            rows = queries.find_limits(unit.connection, unit.workspace_id, names)
            used = queries.count_slots(unit.connection, unit.workspace_id, unit.now) if rows else {}
            return [to_limit(row, used, unit.now) for row in rows]

        return self._desk.read(find)

    def list_concurrency_limits(self, page: Page = Page(), prefix: str = "") -> list[ConcurrencyLimit]:
        wanted = checked(page)

        def list_them(unit: Unit) -> list[ConcurrencyLimit]:
            used = queries.count_slots(unit.connection, unit.workspace_id, unit.now)
            rows = queries.list_limits(unit.connection, unit.workspace_id, prefix, wanted)
            return [to_limit(row, used, unit.now) for row in rows]

        return self._desk.read(list_them)

    def list_slot_holders(self, name: str) -> list[UUID]:
        def list_them(unit: Unit) -> list[tuple[UUID, UUID | None]]:
            return queries.list_holders(unit.connection, unit.workspace_id, _require(unit, name).id, unit.now)

        return [*dict.fromkeys(holder for _, holder in self._desk.read(list_them) if holder is not None)]

    def read_held_limit(self, kind: LimitKind, name: str) -> HeldLimit:
        return self._read_runs(lambda unit: read_held_limit(unit, kind, name))

    def update_concurrency_limit(self, name: str, update: ConcurrencyLimitUpdate) -> None:
        columns: dict[str, Any] = {"name": update.name, "slots": update.limit, "active": update.active}
        columns["slot_decay_per_second"] = update.slot_decay_per_second
        told = {column: value for column, value in columns.items() if value is not UNSET}

        def change(unit: Unit) -> bool:
            row = _require(unit, name)
            new_name = told.get("name", row.name)
            if new_name != row.name and queries.find_limits(unit.connection, unit.workspace_id, [str(new_name)]):
                return False
            if "slots" in told:
                deployments.note_limit(unit.connection, unit.workspace_id, row.id, told["slots"])
            changed = {**told, "level": measure_level(row, unit.now), "level_since": unit.now, "updated": unit.now}
            queries.change_limit(unit.connection, unit.workspace_id, row.id, changed)
            call_waiting(unit, [row.id])
            return True

        if not self._desk.write(change):
            raise ObjectAlreadyExists(f"There is a concurrency limit called {update.name!r} already.")

    def reset_concurrency_limit(self, name: str, keep: list[UUID]) -> None:
        def reset(unit: Unit) -> None:
            row = _require(unit, name)
            holders = queries.list_holders(unit.connection, unit.workspace_id, row.id, unit.now)
            ended = [lease_id for lease_id, holder in holders if holder not in keep]
            queries.end_leases(unit.connection, unit.workspace_id, ended)
            queries.change_limit(unit.connection, unit.workspace_id, row.id, {"level": 0.0, "level_since": unit.now})
            call_waiting(unit, [row.id])

        self._desk.write(reset)

    def delete_concurrency_limit(self, name: str) -> None:
        def delete(unit: Unit) -> None:
            limit_id = _require(unit, name).id
            call_waiting(unit, [limit_id], gone=True)
            deployments.forget_limit(unit.connection, unit.workspace_id, limit_id)
            queries.delete_limit(unit.connection, unit.workspace_id, limit_id)

        self._desk.write(delete)


def _require(unit: Unit, name: str) -> LimitRow:
    row = queries.find_limit(unit.connection, unit.workspace_id, name)
    if row is None:
        raise ObjectNotFound(f"There is no concurrency limit called {name!r}.")
    return row
