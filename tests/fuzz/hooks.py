"""What Schemathesis loads into its process: most requests are about what exists, and none serves to improve another."""

import os
import re
from typing import Any, cast
from uuid import UUID
from zlib import crc32

import hypothesis
import schemathesis

from tests.fuzz.household import Household

URL = "FUZZ_URL"
"""The variable that names the server."""

HOUSEHOLD = Household(os.environ[URL])

NAMES = {
    r"/api/flows/name/": {"name": "flow_name"},
    r"/api/deployments/name/": {"name": "deployment_name"},
    r"/api/work_pools/\{name\}": {"name": "pool_name"},
    r"/api/work_pools/\{pool_name\}/queues/\{name\}": {"name": "queue_name"},
    r"/api/work_pools/\{pool_name\}/workers/\{name\}": {"name": "worker_name"},
    r"/api/variables/name/": {"name": "variable_name"},
    r"/api/flow_runs/\{flow_run_id\}/input/": {"key": "input_key"},
    r"/api/block_types/slug/": {"name": "document_name"},
    r"/api/block_schemas/": {"schema_id": "block_schema_id"},
    r"/api/flow_run_states/": {"state_id": "flow_run_state_id"},
    r"/api/task_run_states/": {"state_id": "task_run_state_id"},
    r"/api/artifacts/\{key\}": {"key": "artifact_key"},
    r"/api/v2/concurrency_limits/": {"id_or_name": "limit_name"},
}
"""What parameters of paths mean there, where their names do not say it."""

GONE = (404, 410)

LIBRARY: Any = schemathesis


@LIBRARY.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Three of four requests are about something that exists, where their ids would be valid ones."""
    if crc32(repr((case.body, case.query, case.path_parameters)).encode("utf-8", "replace")) % 4 == 0:
        return
    meant = next((names for place, names in NAMES.items() if re.match(place, case.path)), dict[str, str]())
    parameters: dict[str, object] = {**case.path_parameters}
    for name, value in parameters.items():
        if (thing := _living(meant.get(name, name), value)) is not None:
            case.path_parameters[name] = thing
    body: Any = case.body
    if isinstance(body, dict):
        body = cast("dict[str, object]", body)
        ids = {name: _living(name, value) for name, value in body.items() if name.endswith("_id")}
        if things := {name: thing for name, thing in ids.items() if thing is not None}:
            case.body = body | things


@LIBRARY.hook
def after_call(context: schemathesis.HookContext, case: Any, response: schemathesis.Response) -> None:
    removed = response.status_code < 300 and (case.method == "DELETE" or "bulk_delete" in case.path)
    if removed or response.status_code in GONE:
        HOUSEHOLD.forget()


def _living(name: str, value: object) -> str | None:
    """What to ask for instead of the value, if that has the form of what is meant."""
    if not isinstance(value, str) or not HOUSEHOLD.knows(name):
        return None
    if name.endswith("_id"):
        try:
            UUID(value)
        except ValueError:
            return None
    return HOUSEHOLD.get(name)


def aim_at_nothing(observation: float, *, label: str = "") -> float:
    """Takes the place of what tells Hypothesis which examples were good, for it to find better ones.

    Schemathesis tells it which requests were accepted. An accepted one cannot be bettered, so Hypothesis makes it smaller
    instead, step by step: a third of all time, after which just as many different requests had been accepted as without.
    """
    return observation


hypothesis.target = aim_at_nothing
