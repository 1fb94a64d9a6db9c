"""The verbs of administration on variables."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.run import Page
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate


class Variables(Protocol):
    """What may be asked about variables; raises what all verbs of administration do."""

    def create_variable(self, variable: VariableCreate) -> Variable:
        """Create a variable. Raises `ObjectAlreadyExists` for a name that is taken."""
        ...

    def read_variable(self, variable_id: UUID) -> Variable:
        """Return the variable."""
        ...

    def read_variable_by_name(self, name: str) -> Variable:
        """Return the variable of that name."""
        ...

    def list_variables(
        self,
        variables: VariableFilter | None = None,
        sort: VariableSort = VariableSort.NAME_ASC,
        page: Page = Page(),
    ) -> list[Variable]:
        """Return variables in order."""
        ...

    def count_variables(self, variables: VariableFilter | None = None) -> int:
        """Count variables."""
        ...

    def update_variable(self, variable_id: UUID, update: VariableUpdate) -> None:
        """Change what the update names. Raises `ObjectAlreadyExists` for a new name that is taken."""
        ...

    def delete_variable(self, variable_id: UUID) -> None:
        """Delete the variable."""
        ...
