from __future__ import annotations

from litestar import Response, post
from litestar.params import JSONBody

from headrace.base.errors import InvalidRequest
from headrace.rules.templates import check
from headrace.server.auth import Permission, needs


@post("/api/templates/validate", status_code=200, **needs(Permission.READ))
def validate_template(data: JSONBody[str]) -> Response[None]:
    """Say whether a text can be used as a template. Raises `InvalidRequest` with what is wrong with it."""
    return _answer(data)


@post("/api/automations/templates/validate", status_code=200, **needs(Permission.READ))
def validate_automation_template(data: JSONBody[str]) -> Response[None]:
    """Say whether a text can be used as a template, as the contract's older clients ask. Raises `InvalidRequest`."""
    return _answer(data)


def _answer(template: str) -> Response[None]:
    """Nothing, for what is a template. Raises `InvalidRequest` with what is wrong with it."""
    problem = check(template)
    if problem is not None:
        raise InvalidRequest(problem)
    return Response(None, status_code=200, media_type="text/plain")


routes = [validate_template, validate_automation_template]
