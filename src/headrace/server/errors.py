"""Errors as answers: one shape, the contract's.

`exception_message` says what went wrong in a sentence; `detail` says the same, where the contract's clients look for it.
An invalid request adds `exception_detail`, a list of `{loc, msg, type}`, and `request_body`, what was sent. Something
unforeseen says no more than the request's id, under which the server's log tells the rest. `error` names the error for
our own client, where a status stands for several.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, cast

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from headrace.base import errors
from headrace.server.auth import identity_of
from headrace.server.decoding import BODY, read_json
from headrace.server.gate import REQUEST_ID

logger = logging.getLogger("headrace.server")

LONGEST_ECHO = 64 * 1024
"""How long a request body may be that is sent back with what is wrong with it."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")

Answer = Response[dict[str, Any]]


class Refusal(HTTPException):
    """Answers with a status and a sentence, and with headers if need be."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail=text, status_code=status, headers=headers)


def _say(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return Response(
        {"exception_message": text, "detail": text}, status_code=status, headers=headers, media_type="application/json"
    )


def answer_gateway_error(status: int) -> Callable[[Request[Any, Any, Any], Exception], Answer]:
    """What answers an error of the gateway with this status and its own sentence."""

    def tell(_request: Request[Any, Any, Any], error: Exception) -> Answer:
        answer = _say(status, str(error), {"Retry-After": "1"} if status == 503 else None)
        answer.content["error"] = type(error).__name__
        return answer

    return tell


def answer_invalid(request: Request[Any, Any, Any], error: Exception) -> Answer:
    """Answer a request that cannot mean anything, 422."""
    if isinstance(error, ValidationException):
        told = error.extra or [{"key": "", "message": error.detail, "source": "query"}]
        problems = [_describe(cast("dict[str, Any]", problem)) for problem in told]
    else:
        told = getattr(error, "problems", ()) or [([], str(error))]
        problems = [{"loc": ["body", *way], "msg": text, "type": "value_error"} for way, text in told]
    content = {
        "exception_message": "Invalid request received.",
        "exception_detail": problems,
        "request_body": _echo(request),
        "detail": "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems),
    }
    if isinstance(error, errors.InvalidRequest):
        content["error"] = type(error).__name__
    return Response(content, status_code=422, media_type="application/json")


def answer_http_error(request: Request[Any, Any, Any], error: Exception) -> Answer:
    """Answer what the framework or a route refuses. Whoever is not known learns nothing but that."""
    assert isinstance(error, HTTPException)
    unknown = identity_of(request.scope) is None
    if error.status_code == 401 or (unknown and error.status_code in {404, 405}):
        return Response({"exception_message": "Unauthorized"}, status_code=401, media_type="application/json")
    return _say(error.status_code, error.detail, error.headers)


def answer_unforeseen(request: Request[Any, Any, Any], error: Exception) -> Answer:
    """Answer what nobody foresaw, 500: with the request's id and nothing of what happened inside."""
    request_id = cast("dict[str, Any]", request.scope).get(REQUEST_ID)
    logger.error("Request %s (%s %s) failed", request_id, request.method, request.url.path, exc_info=error)
    content = {
        "exception_message": "Something unforeseen happened; the server's log tells more under this request's id.",
        "request_id": request_id,
    }
    return Response(content, status_code=500, media_type="application/json")


ANSWERS: dict[Any, Any] = {
    errors.ObjectNotFound: answer_gateway_error(404),
    errors.ObjectAlreadyExists: answer_gateway_error(409),
    errors.StaleEpoch: answer_gateway_error(409),
    errors.NotAuthorized: answer_gateway_error(403),
    errors.Unavailable: answer_gateway_error(503),
    errors.DatabaseError: answer_gateway_error(503),
    errors.InvalidRequest: answer_invalid,
    ValidationException: answer_invalid,
    HTTPException: answer_http_error,
    Exception: answer_unforeseen,
}
"""What answers each error, the nearest class first."""


def _describe(problem: dict[str, Any]) -> dict[str, Any]:
    """One problem as the contract tells it: where (`loc`), and what (`msg`)."""
    source = problem.get("source")
    place: list[str | int] = ["body" if source is None else str(getattr(source, "value", source))]
    key = str(problem.get("key", ""))
    steps = [name or (number if number == "..." else int(number)) for name, number in _STEP.findall(key)]
    place += steps[1:] if place == ["body"] and steps[:1] == ["data"] else steps
    return {"loc": place, "msg": problem["message"], "type": "value_error"}


def _echo(request: Request[Any, Any, Any]) -> Any:
    """The body of the request as it was understood, unless it is too long to send back."""
    body: bytes | None = cast("dict[str, Any]", request.scope).get(BODY)
    if body is None:
        return None
    if len(body) > LONGEST_ECHO:
        return f"{len(body)} bytes"
    try:
        return read_json(body)
    except errors.InvalidRequest:
        return None
