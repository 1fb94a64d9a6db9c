"""How a flow run and its task runs came about in the stub's world."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.e2e.stub.clock import Json, make_id, seconds, text_of
from tests.e2e.stub.documents import FAILURE

ADJECTIVES = [
    "amber",
    "brisk",
    "calm",
    "dusky",
    "eager",
    "fabled",
    "gentle",
    "hazel",
    "ivory",
    "jolly",
    "keen",
    "lucid",
    "mossy",
    "noble",
    "opal",
    "proud",
    "quiet",
    "ruby",
]
ANIMALS = [
    "otter",
    "heron",
    "walrus",
    "lynx",
    "magpie",
    "badger",
    "marten",
    "ibex",
    "plover",
    "stoat",
    "curlew",
    "osprey",
]

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def name_of(chance: random.Random) -> str:
    """A name such as `amber-otter`."""
    return f"{chance.choice(ADJECTIVES)}-{chance.choice(ANIMALS)}"


def make_state(
    chance: random.Random, kind: str, at: datetime, name: str | None = None, message: str | None = None
) -> Json:
    """One state, as the wire has it."""
    return {
        "id": make_id(chance),
        "type": kind,
        "name": name or kind.capitalize(),
        "timestamp": text_of(at),
        "message": message,
        "data": None,
        "state_details": {},
    }


def make_flow_run(chance: random.Random, flow: Json, expected: datetime, **given: Any) -> Json:
    """A flow run that has not begun."""
    return {
        "id": make_id(chance),
        "created": text_of(expected - seconds(30)),
        "updated": text_of(expected),
        "name": name_of(chance),
        "flow_id": flow["id"],
        "deployment_id": None,
        "parameters": {},
        "tags": flow["tags"],
        "labels": {},
        "run_count": 0,
        "expected_start_time": text_of(expected),
        "next_scheduled_start_time": None,
        "start_time": None,
        "end_time": None,
        "total_run_time": 0.0,
        "estimated_run_time": 0.0,
        "estimated_start_time_delta": 0.0,
        "auto_scheduled": False,
        "parent_task_run_id": None,
        "flow_version": "4f1d2c9a",
        "work_pool_id": None,
        "work_pool_name": None,
        "work_queue_name": None,
        "empirical_policy": {"retries": 0},
        "created_by": None,
        "infrastructure_pid": None,
        "job_variables": {},
        "state": None,
        "state_type": None,
        "state_name": None,
        "states": [],
        **given,
    }


def enter(run: Json, state: Json) -> None:
    """The run's next state."""
    run["states"].append(state)
    run["state"] = state
    run["state_id"] = state["id"]
    run["state_type"] = state["type"]
    run["state_name"] = state["name"]
    run["updated"] = state["timestamp"]


def play(chance: random.Random, run: Json, began: datetime, took: float, end: str, now: datetime) -> None:
    """Let the run begin and, if there was time enough, end."""
    enter(run, make_state(chance, "SCHEDULED", began - seconds(12)))
    enter(run, make_state(chance, "PENDING", began - seconds(0.4)))
    enter(run, make_state(chance, "RUNNING", began))
    run["start_time"] = text_of(began)
    run["run_count"] = 1
    over = began + seconds(took)
    if end == "RUNNING" or over > now:
        run["estimated_run_time"] = (now - began).total_seconds()
        return
    message = {
        "FAILED": FAILURE,
        "CRASHED": "The process that ran this flow died: it stopped holding its lease 14:02:11.",
        "CANCELLED": "Cancelled from the browser",
    }.get(end)
    enter(run, make_state(chance, end, over, message=message))
    run["end_time"] = text_of(over)
    run["total_run_time"] = run["estimated_run_time"] = took


class TaskRuns:
    """Makes the task runs of one flow run."""

    def __init__(self, run: Json, chance: random.Random) -> None:
        self.run = run
        self.chance = chance
        self.made: list[Json] = []
        self.counts: dict[str, int] = {}

    def add(
        self, key: str, began: datetime, took: float | None, end: str = "COMPLETED", tries: int = 1, **given: Any
    ) -> Json:
        """One task run; `took` None means that it runs still. Tries before the last failed."""
        chance = self.chance
        index = self.counts.get(key, 0)
        self.counts[key] = index + 1
        task: Json = {
            **make_flow_run(chance, {"id": "", "tags": []}, began),
            "name": f"{key}-{index:x}" if index else f"{key}-0",
            "task_key": key,
            "dynamic_key": str(index),
            "flow_run_id": self.run["id"],
            "task_inputs": {},
            "cache_key": None,
            "flow_run_run_count": 1,
            "attempts": [],
            "empirical_policy": {"retries": tries - 1, "retry_delay": 2},
            **given,
        }
        parents: list[Json] = given.get("parents", [])
        if parents:
            task["task_inputs"] = {"upstream": [{"input_type": "task_run", "id": parent["id"]} for parent in parents]}
        enter(task, make_state(chance, "PENDING", began - seconds(0.01)))
        at = began
        for attempt in range(1, tries + 1):
            name = "Retrying" if attempt > 1 else None
            enter(task, make_state(chance, "RUNNING", at, name))
            if took is None and attempt == tries:
                task["attempts"].append(_attempt(at, None, "RUNNING", name))
                break
            until = at + seconds((took or 4.0) / tries)
            if attempt < tries:
                task["attempts"].append(_attempt(at, until, "FAILED", "Failed"))
                enter(task, make_state(chance, "SCHEDULED", until, "AwaitingRetry", "ConnectError: Connection refused"))
                at = until + seconds(2)
                continue
            message = "ConnectError('[Errno 111] Connection refused')" if end == "FAILED" else None
            state_name = given.get("state_name")
            enter(task, make_state(chance, end, until, state_name, message))
            task["attempts"].append(_attempt(at, until, end, task["state_name"]))
            task["end_time"] = text_of(until)
            task["total_run_time"] = task["estimated_run_time"] = (until - began).total_seconds()
        task["start_time"] = text_of(began)
        task["run_count"] = tries
        self.made.append(task)
        return task


def _attempt(start: datetime, end: datetime | None, kind: str, name: str | None) -> Json:
    return {
        "start_time": text_of(start),
        "end_time": text_of(end),
        "state_type": kind,
        "state_name": name or kind.capitalize(),
    }


def graph_of(run: Json, tasks: list[Json]) -> Json:
    """The contract's graph of the run, with what our server adds."""
    children: dict[str, list[str]] = {}
    for task in tasks:
        for parent in task.get("parents", []):
            children.setdefault(parent["id"], []).append(_shown(task)["id"])
    nodes = [[_shown(task)["id"], _node(task, children.get(task["id"], []))] for task in tasks]
    return {
        "start_time": run["start_time"],
        "end_time": run["end_time"],
        "root_node_ids": [_shown(task)["id"] for task in tasks if not task.get("parents")],
        "nodes": nodes,
        "artifacts": [],
        "states": [
            {"id": s["id"], "timestamp": s["timestamp"], "type": s["type"], "name": s["name"]} for s in run["states"]
        ],
    }


def _shown(task: Json) -> Json:
    """The task run, or the subflow in its place."""
    return task.get("subflow") or task


def _node(task: Json, children: list[str]) -> Json:
    subflow = task.get("subflow")
    shown = _shown(task)
    node: Json = {
        "kind": "flow-run" if subflow else "task-run",
        "id": shown["id"],
        "label": shown["name"],
        "state_type": shown["state_type"],
        "state_name": shown["state_name"],
        "task_key": task["task_key"],
        "start_time": shown["start_time"],
        "end_time": shown["end_time"],
        "parents": [{"id": _shown(parent)["id"]} for parent in task.get("parents", [])],
        "children": [{"id": child} for child in children],
        "encapsulating": [],
        "artifacts": [],
    }
    if len(task["attempts"]) > 1:
        node["attempts"] = task["attempts"]
    return node


Shape = Callable[[TaskRuns, datetime, float, str], None]
