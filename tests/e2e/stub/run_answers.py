"""What the stub says of flows, runs, logs and artifacts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.e2e.stub.answers import find, page, route, without_private
from tests.e2e.stub.clock import Json, instant_of, part, seconds, text_of
from tests.e2e.stub.filters import matches
from tests.e2e.stub.runs import FINAL, enter, graph_of, make_state
from tests.e2e.stub.world import World


def select_runs(world: World, body: Json) -> list[Json]:
    """Flow runs that the selection names."""
    flows = {flow["id"] for flow in world.flows if matches(flow, body.get("flows"))}
    pools = {pool["name"] for pool in world.work_pools if matches(pool, body.get("work_pools"))}
    deployed = {one["id"] for one in world.deployments if matches(one, body.get("deployments"))}
    return [
        run
        for run in world.flow_runs
        if run["flow_id"] in flows
        and (not body.get("work_pools") or run["work_pool_name"] in pools)
        and (not body.get("deployments") or run["deployment_id"] in deployed)
        and matches(run, body.get("flow_runs"))
    ]


EARLIEST = "0001-01-01T00:00:00Z"

RUN_ORDERS: dict[str, tuple[Callable[[Json], Any], bool]] = {
    "START_TIME_DESC": (lambda run: run["start_time"] or run["expected_start_time"], True),
    "START_TIME_ASC": (lambda run: run["start_time"] or run["expected_start_time"], False),
    "EXPECTED_START_TIME_DESC": (lambda run: run["expected_start_time"], True),
    "EXPECTED_START_TIME_ASC": (lambda run: run["expected_start_time"], False),
    "NEXT_SCHEDULED_START_TIME_ASC": (lambda run: run["next_scheduled_start_time"] or "9999", False),
    "END_TIME_DESC": (lambda run: run["end_time"] or EARLIEST, True),
    "DURATION_DESC": (lambda run: run["total_run_time"], True),
    "DURATION_ASC": (lambda run: run["total_run_time"], False),
    "NAME_ASC": (lambda run: run["name"], False),
    "NAME_DESC": (lambda run: run["name"], True),
    "ID_DESC": (lambda run: run["created"] or run["id"], True),
}


def in_order(runs: list[Json], sort: str) -> list[Json]:
    """The runs in the wanted order."""
    key, reverse = RUN_ORDERS[sort]
    return sorted(runs, key=key, reverse=reverse)


# Runs


@route("POST", "/flow_runs/filter")
def list_flow_runs(world: World, body: Json, query: Json) -> Any:
    return page(in_order(select_runs(world, body), body.get("sort", "ID_DESC")), body)


@route("POST", "/flow_runs/count")
def count_flow_runs(world: World, body: Json, query: Json) -> Any:
    return len(select_runs(world, body))


@route("POST", "/flow_runs/history")
def flow_run_history(world: World, body: Json, query: Json) -> Any:
    start, end = instant_of(body["history_start"]), instant_of(body["history_end"])
    step = float(body["history_interval_seconds"])
    intervals: list[Json] = []
    counts: dict[int, dict[tuple[str, str], int]] = {}
    for run in select_runs(world, body):
        at = instant_of(run["expected_start_time"])
        if start <= at < end:
            place = counts.setdefault(int((at - start).total_seconds() // step), {})
            key = (run["state_type"] or "PENDING", run["state_name"] or "Pending")
            place[key] = place.get(key, 0) + 1
    for index in range(int((end - start).total_seconds() // step)):
        states = [
            {
                "state_type": kind,
                "state_name": name,
                "count_runs": n,
                "sum_estimated_run_time": 0.0,
                "sum_estimated_lateness": 0.0,
            }
            for (kind, name), n in counts.get(index, {}).items()
        ]
        intervals.append(
            {
                "interval_start": text_of(start + seconds(index * step)),
                "interval_end": text_of(start + seconds((index + 1) * step)),
                "states": states,
            }
        )
    return intervals


@route("GET", "/flow_runs/{}")
def read_flow_run(world: World, run_id: str, body: Any, query: Json) -> Any:
    return without_private(find(world.flow_runs, run_id))


@route("DELETE", "/flow_runs/{}")
def delete_flow_run(world: World, run_id: str, body: Any, query: Json) -> Any:
    world.flow_runs.remove(find(world.flow_runs, run_id))


@route("GET", "/flow_runs/{}/graph-v2")
def read_graph(world: World, run_id: str, body: Any, query: Json) -> Any:
    run = find(world.flow_runs, run_id)
    return graph_of(run, world.tasks_of(run))


@route("GET", "/flow_run_states/")
def list_flow_run_states(world: World, body: Any, query: Json) -> Any:
    return find(world.flow_runs, query["flow_run_id"])["states"]


@route("POST", "/flow_runs/{}/set_state")
def set_state(world: World, run_id: str, body: Json, query: Json) -> Any:
    run = find(world.flow_runs, run_id)
    wanted = body["state"]
    if run["state_type"] in FINAL and wanted["type"] != "SCHEDULED":
        details = {"type": "abort_details", "reason": "This run has already ended."}
        return {"state": run["state"], "status": "ABORT", "details": details}
    enter(run, make_state(world.chance, wanted["type"], datetime.now(UTC), wanted.get("name"), wanted.get("message")))
    return {"state": run["state"], "status": "ACCEPT", "details": {"type": "accept_details"}}


@route("POST", "/flow_runs/{}/resume")
def resume(world: World, run_id: str, body: Json, query: Json) -> Any:
    run = find(world.flow_runs, run_id)
    enter(run, make_state(world.chance, "RUNNING", datetime.now(UTC)))
    return {"state": run["state"], "status": "ACCEPT", "details": {"type": "accept_details"}}


def select_tasks(world: World, body: Json) -> list[Json]:
    """Task runs that the selection names, of one flow run or by their ids."""
    wanted = part(body, "task_runs")
    run_ids: list[str] = (
        part(wanted, "flow_run_id").get("any_") or part(part(body, "flow_runs"), "id").get("any_") or []
    )
    if run_ids:
        tasks = [task for run_id in run_ids for task in world.tasks_of(find(world.flow_runs, run_id))]
    else:
        tasks = [task for tasks in world.task_runs.values() for task in tasks]
    return [task for task in tasks if matches(task, wanted)]


@route("POST", "/task_runs/filter")
def list_task_runs(world: World, body: Json, query: Json) -> Any:
    return page(in_order(select_tasks(world, body), body.get("sort", "ID_DESC")), body)


@route("POST", "/task_runs/count")
def count_task_runs(world: World, body: Json, query: Json) -> Any:
    return len(select_tasks(world, body))


@route("GET", "/task_runs/{}")
def read_task_run(world: World, task_id: str, body: Any, query: Json) -> Any:
    return without_private(find([task for tasks in world.task_runs.values() for task in tasks], task_id))


@route("GET", "/task_run_states/")
def list_task_run_states(world: World, body: Any, query: Json) -> Any:
    return find([task for tasks in world.task_runs.values() for task in tasks], query["task_run_id"])["states"]


# Logs


def select_lines(world: World, body: Json) -> list[Json]:
    """Log lines that pass the filter."""
    wanted = part(body, "logs")
    run_ids: list[str] = part(wanted, "flow_run_id").get("any_") or []
    task_ids: list[str] = part(wanted, "task_run_id").get("any_") or []
    for tasks in world.task_runs.values():
        run_ids = run_ids + [
            task["flow_run_id"] for task in tasks if task["id"] in task_ids and task["flow_run_id"] not in run_ids
        ]
    return [
        line for run_id in run_ids for line in world.logs_of(find(world.flow_runs, run_id)) if matches(line, wanted)
    ]


@route("POST", "/logs/filter")
def list_logs(world: World, body: Json, query: Json) -> Any:
    lines = select_lines(world, body)
    return page(lines if body.get("sort") != "TIMESTAMP_DESC" else lines[::-1], body)


@route("POST", "/logs/count")
def count_logs(world: World, body: Json, query: Json) -> Any:
    return len(select_lines(world, body))


# Flows and artifacts


@route("POST", "/flows/filter")
def list_flows(world: World, body: Json, query: Json) -> Any:
    flows = [flow for flow in world.flows if matches(flow, body.get("flows"))]
    return page(sorted(flows, key=lambda flow: flow["name"]), body)


@route("POST", "/flows/count")
def count_flows(world: World, body: Json, query: Json) -> Any:
    return len([flow for flow in world.flows if matches(flow, body.get("flows"))])


@route("GET", "/flows/{}")
def read_flow(world: World, flow_id: str, body: Any, query: Json) -> Any:
    return find(world.flows, flow_id)


@route("DELETE", "/flows/{}")
def delete_flow(world: World, flow_id: str, body: Any, query: Json) -> Any:
    world.flows.remove(find(world.flows, flow_id))
    world.flow_runs = [run for run in world.flow_runs if run["flow_id"] != flow_id]


def newest_first(artifacts: list[Json]) -> list[Json]:
    """Artifacts, the newest first."""
    return sorted(artifacts, key=lambda artifact: artifact["created"], reverse=True)


@route("POST", "/artifacts/filter")
def list_artifacts(world: World, body: Json, query: Json) -> Any:
    return page(newest_first([one for one in world.artifacts if matches(one, body.get("artifacts"))]), body)


@route("POST", "/artifacts/count")
def count_artifacts(world: World, body: Json, query: Json) -> Any:
    return len([one for one in world.artifacts if matches(one, body.get("artifacts"))])


@route("POST", "/artifacts/latest/filter")
def list_latest_artifacts(world: World, body: Json, query: Json) -> Any:
    latest: dict[str, Json] = {}
    for artifact in newest_first(world.artifacts):
        if artifact["key"]:
            latest.setdefault(artifact["key"], {**artifact, "latest_id": artifact["id"]})
    return page([one for one in latest.values() if matches(one, body.get("artifacts"))], body)


@route("GET", "/artifacts/{}")
def read_artifact(world: World, artifact_id: str, body: Any, query: Json) -> Any:
    return find(world.artifacts, artifact_id)


@route("DELETE", "/artifacts/{}")
def delete_artifact(world: World, artifact_id: str, body: Any, query: Json) -> Any:
    world.artifacts.remove(find(world.artifacts, artifact_id))
