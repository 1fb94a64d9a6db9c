"""Things that exist on a server under test, made when they are wanted, for requests to be about something."""

import itertools
from typing import Any, NamedTuple, cast

import httpx2


class Recipe(NamedTuple):
    """How a thing is made: where it is posted, what is sent, and what of it is found where in the answer.

    Names in braces stand for what other recipes make; `{n}` is a number not used before. What begins with `> ` is
    found in what was sent.
    """

    path: str
    body: dict[str, Any]
    gives: dict[str, str]


CRON = {"schedule": {"cron": "0 6 * * *", "timezone": "Europe/Berlin"}, "active": True}
FIELDS = {
    "title": "Login {n}",
    "type": "object",
    "properties": {"user": {"type": "string"}},
    "block_type_slug": "{slug}",
}
DOCUMENT = {"name": "mine-{n}", "block_type_id": "{block_type_id}", "block_schema_id": "{block_schema_id}"}
TASK_RUN = {"flow_run_id": "{flow_run_id}", "task_key": "load", "dynamic_key": "{n}", "state": {"type": "PENDING"}}
DEPLOYMENT = {"name": "nightly {n}", "flow_id": "{flow_id}", "work_pool_name": "{pool_name}", "schedules": [CRON]}
FLOW_RUN = {"flow_id": "{flow_id}", "deployment_id": "{deployment_id}", "state": {"type": "RUNNING"}}
ARTIFACT = {"key": "report-{n}", "type": "markdown", "data": "# 3 rows", "flow_run_id": "{flow_run_id}"}
LEASE = {"names": ["{limit_name}"], "slots": 1, "mode": "concurrency", "lease_duration": 300}

RECIPES = (
    Recipe("/flows/", {"name": "etl {n}", "tags": ["nightly"]}, {"flow_id": "id", "flow_name": "name"}),
    Recipe("/work_pools/", {"name": "pool-{n}", "type": "process"}, {"pool_name": "name"}),
    Recipe("/work_pools/{pool_name}/queues", {"name": "queue-{n}"}, {"queue_id": "id", "queue_name": "name"}),
    Recipe(
        "/deployments/", DEPLOYMENT, {"deployment_id": "id", "deployment_name": "name", "schedule_id": "schedules.0.id"}
    ),
    Recipe("/flow_runs/", FLOW_RUN, {"flow_run_id": "id", "flow_run_state_id": "state.id"}),
    Recipe("/task_runs/", TASK_RUN, {"task_run_id": "id", "task_run_state_id": "state.id"}),
    Recipe("/flow_runs/{flow_run_id}/input", {"key": "answer-{n}", "value": "7"}, {"input_key": "> key"}),
    Recipe("/variables/", {"name": "variable_{n}", "value": 7}, {"variable_id": "id", "variable_name": "name"}),
    Recipe("/work_pools/{pool_name}/workers/heartbeat", {"name": "worker-{n}"}, {"worker_name": "> name"}),
    Recipe("/artifacts/", ARTIFACT, {"artifact_id": "id", "artifact_key": "key"}),
    Recipe("/block_types/", {"name": "Login {n}", "slug": "login-{n}"}, {"block_type_id": "id", "slug": "slug"}),
    Recipe(
        "/block_schemas/",
        {"block_type_id": "{block_type_id}", "fields": FIELDS},
        {"block_schema_id": "id", "checksum": "checksum"},
    ),
    Recipe("/block_documents/", {**DOCUMENT, "data": {"user": "me"}}, {"document_id": "id", "document_name": "name"}),
    Recipe("/v2/concurrency_limits/", {"name": "limit-{n}", "limit": 5}, {"limit_name": "name"}),
    Recipe("/v2/concurrency_limits/increment-with-lease", LEASE, {"lease_id": "lease_id"}),
)


class Household:
    """What is there at the moment, by name; what a request has removed is made again."""

    def __init__(self, url: str) -> None:
        self._server = httpx2.Client(base_url=url, timeout=30)
        self._things: dict[str, str] = {}
        self._numbers = itertools.count()
        self._makers = {name: recipe for recipe in RECIPES for name in recipe.gives}

    def knows(self, name: str) -> bool:
        return name in self._makers

    def get(self, name: str) -> str | None:
        """The thing's id or name; None if it cannot be made just now."""
        try:
            return self._get(name)
        except httpx2.HTTPStatusError as error:
            if error.response.is_server_error:
                raise
            self._things.clear()  # what it is made of has gone
            return None

    def forget(self) -> None:
        """Something is not there any more, and who knows what went with it."""
        self._things.clear()

    def _get(self, name: str) -> str:
        if name not in self._things:
            recipe = self._makers[name]
            path, body = self._filled(recipe.path), self._filled(recipe.body)
            answer = self._post(path, body)
            for given, place in recipe.gives.items():
                value = body if place.startswith("> ") else answer
                for step in place.removeprefix("> ").split("."):
                    value = value[int(step) if step.isdigit() else step]
                self._things[given] = value
        return self._things[name]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(item) for name, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._filled(item) for item in cast("list[Any]", value)]
        if not isinstance(value, str) or "{" not in value:
            return value
        before, _, rest = value.partition("{")
        name, _, after = rest.partition("}")
        return before + (str(next(self._numbers)) if name == "n" else self._get(name)) + after

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._server.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None
