from __future__ import annotations

from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from headrace.schema.automation import (
    Automation,
    AutomationCreate,
    AutomationFilter,
    AutomationPartialUpdate,
    AutomationSort,
    AutomationUpdate,
)
from headrace.schema.listing import PlainListing
from headrace.schema.wire import Request
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ, EDIT = Permission.READ, Permission.EDIT


class AutomationSelection(Request, kw_only=True):
    """Selects automations."""

    automations: AutomationFilter | None = None


class AutomationListing(PlainListing, kw_only=True):
    """Asks for automations."""

    automations: AutomationFilter | None = None
    sort: AutomationSort = AutomationSort.NAME_ASC


@post("/api/automations/", **needs(EDIT))
def create_automation(data: JSONBody[AutomationCreate], administration: Office) -> Automation:
    return administration.create_automation(data)


@get("/api/automations/{automation_id:str}", **needs(READ))
def read_automation(automation_id: FromPath[UUID], administration: Office) -> Automation:
    return administration.read_automation(automation_id)


@put("/api/automations/{automation_id:str}", status_code=204, **needs(EDIT))
def update_automation(automation_id: FromPath[UUID], data: JSONBody[AutomationUpdate], administration: Office) -> None:
    administration.update_automation(automation_id, data)


@patch("/api/automations/{automation_id:str}", status_code=204, **needs(EDIT))
def enable_automation(
    automation_id: FromPath[UUID], data: JSONBody[AutomationPartialUpdate], administration: Office
) -> None:
    administration.enable_automation(automation_id, data)


@delete("/api/automations/{automation_id:str}", **needs(EDIT))
def delete_automation(automation_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_automation(automation_id)


@post("/api/automations/filter", status_code=200, **needs(READ))
def list_automations(data: JSONBody[AutomationListing], administration: Office) -> list[Automation]:
    return administration.list_automations(data.automations, data.sort, data.part)


@post("/api/automations/count", status_code=200, **needs(READ))
def count_automations(data: JSONBody[AutomationSelection], administration: Office) -> int:
    return administration.count_automations(data.automations)


@get("/api/automations/related-to/{resource_id:str}", **needs(READ))
def list_related_automations(resource_id: FromPath[str], administration: Office) -> list[Automation]:
    return administration.list_related_automations(resource_id)


@delete("/api/automations/owned-by/{resource_id:str}", status_code=202, **needs(EDIT))
def delete_owned_automations(resource_id: FromPath[str], administration: Office) -> None:
    administration.delete_owned_automations(resource_id)


routes = [
    create_automation,
    read_automation,
    update_automation,
    enable_automation,
    delete_automation,
    list_automations,
    count_automations,
    list_related_automations,
    delete_owned_automations,
]
