"""Errors as the contract tells them, and nothing of what happened inside."""

import logging
from collections.abc import Callable
from typing import Any, cast

import httpx2
import pytest

from headrace.base import errors
from headrace.server.errors import LONGEST_ECHO
from headrace.server.version import API_VERSION
from tests.conformance.remote import Served
from tests.unit.server.conftest import URL

Fail = Callable[[Exception], httpx2.Response]

NO_ID = "00000000-0000-7000-8000-000000000009"


class Failing:
    """Gateways whose every verb fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> Any:
            raise self.error

        return fail


@pytest.fixture
def fail(apps: Callable[[str | None], Served]) -> Callable[[Exception], httpx2.Response]:
    """Asks a server whose gateways fail in this way."""

    def ask_failing(error: Exception) -> httpx2.Response:
        served, failing = apps(None), cast("Any", Failing(error))
        served.open(failing, failing)
        return served.handle_request(httpx2.Request("GET", f"{URL}/api/flow_runs/{NO_ID}"))

    return ask_failing


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ObjectNotFound("No such run."), 404),
        (errors.ObjectAlreadyExists("Taken."), 409),
        (errors.StaleEpoch("Over."), 409),
        (errors.Unavailable("Away."), 503),
        (errors.UnusableDatabase("Damaged."), 503),
    ],
)
def test_an_error_of_the_gateway_has_its_status_and_its_sentence(fail: Fail, error: Exception, status: int) -> None:
    answer = fail(error)
    assert answer.status_code == status
    assert answer.json()["exception_message"] == answer.json()["detail"] == str(error)


def test_what_may_be_asked_again_says_when(fail: Fail) -> None:
    assert fail(errors.Unavailable("Away.")).headers["retry-after"] == "1"
    assert "retry-after" not in fail(errors.ObjectNotFound("Gone.")).headers


def test_what_nobody_foresaw_tells_only_its_id(fail: Fail, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "headrace.server"):
        answer = fail(RuntimeError("secret /path/to/thing"))
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-request-id"] in caplog.text


def test_an_invalid_request_is_told_where_it_is_wrong(ask: httpx2.Client) -> None:
    body = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "ASLEEP"]}}}}
    answer = ask.post("/api/flow_runs/filter", json=body)
    assert answer.status_code == 422
    content = answer.json()
    assert content["exception_message"] == "Invalid request received."
    assert content["request_body"] == body
    (problem,) = content["exception_detail"]
    assert problem["loc"] == ["body", "flow_runs", "state", "type", "any_", 1]
    assert "ASLEEP" in problem["msg"]


@pytest.mark.parametrize(
    ("method", "path", "place"),
    [
        ("GET", "/api/flow_runs/not-an-id", ["path", "flow_run_id"]),
        ("GET", "/api/flow_run_states/?flow_run_id=x", ["query", "flow_run_id"]),
        ("POST", "/api/flow_runs/", ["body"]),
    ],
)
def test_a_problem_is_in_the_path_the_query_or_the_body(
    ask: httpx2.Client, method: str, path: str, place: list[Any]
) -> None:
    answer = ask.request(method, path)
    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0]["loc"] == place


def test_a_missing_query_parameter_is_named(ask: httpx2.Client) -> None:
    answer = ask.get("/api/flow_run_states/")
    assert answer.status_code == 422
    assert "flow_run_id" in answer.json()["detail"]


def test_a_long_body_is_not_sent_back(ask: httpx2.Client) -> None:
    answer = ask.post("/api/flows/", json={"name": "x" * LONGEST_ECHO, "more": 1})
    assert answer.status_code == 422
    assert answer.json()["request_body"].endswith("bytes")


def test_a_field_that_does_not_exist_is_refused(ask: httpx2.Client) -> None:
    answer = ask.post("/api/flows/", json={"name": "f", "colour": "red"})
    assert answer.status_code == 422
    assert "colour" in answer.json()["detail"]


def test_a_wrong_method_is_405(ask: httpx2.Client) -> None:
    assert ask.put("/api/flows/").status_code == 405


def test_a_limit_above_the_largest_page_is_refused(ask: httpx2.Client) -> None:
    assert ask.post("/api/flow_runs/filter", json={"limit": 200}).status_code == 200
    assert ask.post("/api/flow_runs/filter", json={"limit": 201}).status_code == 422
    assert ask.post("/api/flow_runs/filter", json={"limit": None}).status_code == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [
        (None, 200),
        (API_VERSION, 200),
        ("0.8.0", 200),
        ("9.9.9", 200),
        ("0.10.0", 200),
        ("0.7.9", 400),
        ("x", 400),
        ("0.8", 400),
    ],
)
def test_old_and_malformed_versions_are_turned_away(ask: httpx2.Client, version: str | None, status: int) -> None:
    headers = {} if version is None else {"X-PREFECT-API-VERSION": version}
    answer = ask.get("/api/hello", headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["detail"]
    assert ask.get("/api/health", headers=headers).status_code == 200
