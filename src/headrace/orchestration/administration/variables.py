"""Variables: set, looked up, changed, deleted."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from headrace.base.errors import ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.unit import Unit
from headrace.schema.run import Page
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate
from headrace.storage import variables as queries
from headrace.storage.texts import storable, storable_json
from headrace.storage.variables import VariableRow, to_variable


class VariableVerbs(Office):
    """The verbs on variables."""

    def create_variable(self, variable: VariableCreate) -> Variable:
        def create(unit: Unit) -> Variable | None:
            row = VariableRow(
                id=uuid7(),
                name=storable(variable.name),
                value=storable_json(variable.value),
                tags=storable_json(variable.tags),
                created=unit.now,
                updated=unit.now,
            )
            made = queries.insert_variable(unit.connection, unit.workspace_id, row)
            return to_variable(row) if made else None

        made = self._desk.write(create)
        if made is None:
            raise _name_taken(variable.name)
        return made

    def read_variable(self, variable_id: UUID) -> Variable:
        def read(unit: Unit) -> Variable:
            return to_variable(_require(unit, variable_id))

        return self._desk.read(read)

    def read_variable_by_name(self, name: str) -> Variable:
        def read(unit: Unit) -> Variable:
            row = queries.find_variable(unit.connection, unit.workspace_id, None, storable(name))
            if row is None:
                raise ObjectNotFound(f"There is no variable called {name!r}.")
            return to_variable(row)

        return self._desk.read(read)

    def list_variables(
        self,
        variables: VariableFilter | None = None,
        sort: VariableSort = VariableSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Variable]:
        part = checked(page)

        def list_them(unit: Unit) -> list[Variable]:
            rows = queries.list_variables(unit.connection, unit.workspace_id, variables, sort, part)
            return [to_variable(row) for row in rows]

        return self._desk.read(list_them)

    def count_variables(self, variables: VariableFilter | None = None) -> int:
        return self._desk.read(lambda unit: queries.count_variables(unit.connection, unit.workspace_id, variables))

    def update_variable(self, variable_id: UUID, update: VariableUpdate) -> None:
        def change(unit: Unit) -> bool:
            row = _require(unit, variable_id)
            changed: dict[str, object] = {"updated": unit.now}
            if update.value is not UNSET:
                changed["value"] = storable_json(update.value)
            if isinstance(update.tags, list):
                changed["tags"] = storable_json(update.tags)
            if isinstance(update.name, str):
                changed["name"] = storable(update.name)
                taken = queries.find_variable(unit.connection, unit.workspace_id, None, storable(update.name))
                if taken is not None and taken.id != row.id:
                    return False
            queries.change_variable(unit.connection, unit.workspace_id, row.id, changed)
            return True

        if not self._desk.write(change):
            raise _name_taken(str(update.name))

    def delete_variable(self, variable_id: UUID) -> None:
        def delete(unit: Unit) -> None:
            queries.delete_variable(unit.connection, unit.workspace_id, _require(unit, variable_id).id)

        self._desk.write(delete)


def _require(unit: Unit, variable_id: UUID) -> VariableRow:
    row = queries.find_variable(unit.connection, unit.workspace_id, variable_id)
    if row is None:
        raise ObjectNotFound(f"There is no variable with id {variable_id}.")
    return row


def _name_taken(name: str) -> ObjectAlreadyExists:
    return ObjectAlreadyExists(f"There is a variable called {name!r} already.")
