from __future__ import annotations

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from headrace.schema.listing import PlainListing
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate
from headrace.schema.wire import Request
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


class VariableSelection(Request, kw_only=True):
    """Selects variables."""

    variables: VariableFilter | None = None


class VariableListing(PlainListing, kw_only=True):
    """Asks for variables."""

    variables: VariableFilter | None = None
    sort: VariableSort = VariableSort.NAME_ASC


@post("/api/variables/", **needs(RUN))
def create_variable(data: JSONBody[VariableCreate], administration: Office) -> Variable:
    return administration.create_variable(data)


@get("/api/variables/{variable_id:str}", **needs(READ))
def read_variable(variable_id: FromPath[UUID], administration: Office) -> Variable:
    return administration.read_variable(variable_id)


@get("/api/variables/name/{name:str}", **needs(READ))
def read_variable_by_name(name: FromPath[str], administration: Office) -> Variable:
    return administration.read_variable_by_name(name)


@patch("/api/variables/{variable_id:str}", status_code=204, **needs(RUN))
def update_variable(variable_id: FromPath[UUID], data: JSONBody[VariableUpdate], administration: Office) -> None:
    administration.update_variable(variable_id, data)


@patch("/api/variables/name/{name:str}", status_code=204, **needs(RUN))
def update_variable_by_name(name: FromPath[str], data: JSONBody[VariableUpdate], administration: Office) -> None:
    administration.update_variable(administration.read_variable_by_name(name).id, data)


@delete("/api/variables/{variable_id:str}", **needs(RUN))
def delete_variable(variable_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_variable(variable_id)


@delete("/api/variables/name/{name:str}", **needs(RUN))
def delete_variable_by_name(name: FromPath[str], administration: Office) -> None:
    administration.delete_variable(administration.read_variable_by_name(name).id)


@post("/api/variables/filter", status_code=200, **needs(READ))
def list_variables(data: JSONBody[VariableListing], administration: Office) -> list[Variable]:
    return administration.list_variables(data.variables, data.sort, data.part)


@post("/api/variables/count", status_code=200, **needs(READ))
def count_variables(data: JSONBody[VariableSelection], administration: Office) -> int:
    return administration.count_variables(data.variables)


routes = [
    create_variable,
    read_variable,
    read_variable_by_name,
    update_variable,
    update_variable_by_name,
    delete_variable,
    delete_variable_by_name,
    list_variables,
    count_variables,
]
