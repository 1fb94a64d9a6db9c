from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.client.nouns.asking import Asking, part
from headrace.schema.filters import TextFilter
from headrace.schema.run import Page
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate


class VariableCalls(Asking):
    """The verbs on variables."""

    def create_variable(self, variable: VariableCreate) -> Variable:
        return self._create("/variables/", Variable, variable)

    def read_variable(self, variable_id: UUID) -> Variable:
        return self._read(f"/variables/{variable_id}", Variable)

    def read_variable_by_name(self, name: str) -> Variable:
        # By filter: a name may hold what cannot stand in a path.
        found = self.list_variables(VariableFilter(name=TextFilter(any_=[name])), page=Page(1))
        if not found:
            raise ObjectNotFound(f"There is no variable called {name!r}.")
        return found[0]

    def list_variables(
        self,
        variables: VariableFilter | None = None,
        sort: VariableSort = VariableSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Variable]:
        return self._list("/variables/filter", list[Variable], part(page, variables=variables, sort=sort))

    def count_variables(self, variables: VariableFilter | None = None) -> int:
        return self._list("/variables/count", int, {"variables": variables})

    def update_variable(self, variable_id: UUID, update: VariableUpdate) -> None:
        self._update(f"/variables/{variable_id}", update)

    def delete_variable(self, variable_id: UUID) -> None:
        self._delete(f"/variables/{variable_id}")
