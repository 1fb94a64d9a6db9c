"""Plays cases on the official SDK; run by `record` in an environment that has it, with a server of its own.

    official.py play       plays, and prints a line of JSON for each as soon as it has ended
    official.py read       prints the states that the runs of each went through

Both are told the ids, as a list in JSON, on standard input.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from contextvars import copy_context
from pathlib import Path
from typing import Any

from tests.semantics.collection import collect_cases
from tests.semantics.histories import gather, name_in
from tests.semantics.sdk import CASE_TAG, Sdk


def play(names: list[str]) -> None:
    """Play each case in a storage of its own, its runs marked by a tag."""
    settings: Any = importlib.import_module("prefect.settings")
    cases = collect_cases()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            sdk = Sdk("prefect", Path(folder))
            own = {settings.PREFECT_LOCAL_STORAGE_PATH: f"{folder}/storage"}
            tell("begins", name, None)
            with settings.temporary_settings(own), sdk.tags(f"{CASE_TAG}{name}"):
                outcome = copy_context().run(cases[name].perform, sdk)  # what a case leaves set, the next must not see
            tell("ended", name, outcome)


def read(names: list[str]) -> None:
    """Read what the server recorded of each case."""
    client: Any = importlib.import_module("prefect.client.orchestration")
    filters: Any = importlib.import_module("prefect.client.schemas.filters")
    with client.get_client(sync_client=True) as api:
        for name in names:
            tag = [f"{CASE_TAG}{name}"]
            flow_runs = api.read_flow_runs(
                flow_run_filter=filters.FlowRunFilter(tags=filters.FlowRunFilterTags(all_=tag))
            )
            task_runs = api.read_task_runs(
                task_run_filter=filters.TaskRunFilter(tags=filters.TaskRunFilterTags(all_=tag))
            )
            flows = {run.flow_id: api.read_flow(run.flow_id).name for run in flow_runs}
            paths = [(f"flow {flows[run.flow_id]}", path_of(api.read_flow_run_states(run.id))) for run in flow_runs]
            paths += [(name_in(run.task_key), path_of(api.read_task_run_states(run.id))) for run in task_runs]
            tell("runs", name, gather(paths))


def path_of(states: Any) -> list[str]:
    return [state.name for state in sorted(states, key=lambda state: state.timestamp)]


def tell(what: str, name: str, value: Any) -> None:
    sys.stdout.write(json.dumps([what, name, value]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    {"play": play, "read": read}[sys.argv[1]](json.load(sys.stdin))
