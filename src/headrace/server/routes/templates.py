from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from headrace.base.errors import InvalidRequest
from headrace.rules.templates import check
from headrace.server.auth import Permission, needs


@post("/api/templates/validate", status_code=200, **needs(Permission.READ))
def validate_template(data: JSONBody[str]) -> None:
    """Say whether a text can be used as a template. Raises `InvalidRequest` with what is wrong with it."""
    _check(data)


@post("/api/automations/templates/validate", status_code=200, **needs(Permission.READ))
def validate_automation_template(data: JSONBody[str]) -> None:
    """Say whether a text can be used as a template, as the contract's older clients ask. Raises `InvalidRequest`."""
    _check(data)


def _check(template: str) -> None:
    problem = check(template)
    if problem is not None:
        raise InvalidRequest(problem)


routes = [validate_template, validate_automation_template]
