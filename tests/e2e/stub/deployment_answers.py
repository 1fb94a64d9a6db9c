"""What the stub says of deployments, schedules, work pools, queues and workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.stub.answers import Refusal, find, named, page, route, without_private
from tests.e2e.stub.clock import Json, instant_of, make_id, part, text_of
from tests.e2e.stub.filters import matches
from tests.e2e.stub.runs import enter, make_state
from tests.e2e.stub.world import World

# Deployments


def select_deployments(world: World, body: Json) -> list[Json]:
    """Deployments that the selection names, by name."""
    flows = {flow["id"] for flow in world.flows if matches(flow, body.get("flows"))}
    pools = {pool["name"] for pool in world.work_pools if matches(pool, body.get("work_pools"))}
    return [
        one
        for one in sorted(world.deployments, key=lambda one: one["name"])
        if one["flow_id"] in flows
        and (not body.get("work_pools") or one["work_pool_name"] in pools)
        and matches(one, body.get("deployments"))
    ]


@route("POST", "/deployments/filter")
def list_deployments(world: World, body: Json, query: Json) -> Any:
    return page(select_deployments(world, body), body)


@route("POST", "/deployments/count")
def count_deployments(world: World, body: Json, query: Json) -> Any:
    return len(select_deployments(world, body))


@route("GET", "/deployments/{}")
def read_deployment(world: World, one: str, body: Any, query: Json) -> Any:
    return find(world.deployments, one)


@route("PATCH", "/deployments/{}")
def update_deployment(world: World, one: str, body: Json, query: Json) -> Any:
    find(world.deployments, one).update(body)


@route("DELETE", "/deployments/{}")
def delete_deployment(world: World, one: str, body: Any, query: Json) -> Any:
    world.deployments.remove(find(world.deployments, one))


@route("POST", "/deployments/{}/pause_deployment")
def pause_deployment(world: World, one: str, body: Any, query: Json) -> Any:
    find(world.deployments, one)["paused"] = True


@route("POST", "/deployments/{}/resume_deployment")
def resume_deployment(world: World, one: str, body: Any, query: Json) -> Any:
    find(world.deployments, one)["paused"] = False


@route("POST", "/deployments/{}/create_flow_run")
def create_run(world: World, one: str, body: Json, query: Json) -> Any:
    deployment = find(world.deployments, one)
    schema = deployment["parameter_openapi_schema"]
    given = {**deployment["parameters"], **body.get("parameters", {})}
    for missing in [name for name in schema.get("required", []) if given.get(name) in {None, ""}]:
        raise Refusal(422, f"{missing}: is required")
    flow = find(world.flows, deployment["flow_id"])
    details = part(part(body, "state"), "state_details")
    at = instant_of(details["scheduled_time"]) if details.get("scheduled_time") else datetime.now(UTC)
    given_name = {"name": body["name"]} if body.get("name") else {}
    run = world.add_run(
        flow["name"], at, deployment["name"], parameters=given, next_scheduled_start_time=text_of(at), **given_name
    )
    enter(run, make_state(world.chance, "SCHEDULED", datetime.now(UTC)))
    return without_private(run)


@route("POST", "/deployments/{}/schedules")
def create_schedules(world: World, one: str, body: list[Json], query: Json) -> Any:
    for schedule in body:
        check_schedule(schedule["schedule"])
    made = [world.make_schedule(item["schedule"], active=item.get("active", True)) for item in body]
    find(world.deployments, one)["schedules"].extend(made)
    return made


def check_schedule(schedule: Json) -> None:
    """Refuse what is plainly no schedule."""
    if "cron" in schedule and len(schedule["cron"].split()) != 5:
        raise Refusal(422, f"{schedule['cron']!r} has {len(schedule['cron'].split())} fields; a cron line has five.")


@route("PATCH", "/deployments/{}/schedules/{}")
def update_schedule(world: World, one: str, schedule_id: str, body: Json, query: Json) -> Any:
    if body.get("schedule"):
        check_schedule(body["schedule"])
    find(find(world.deployments, one)["schedules"], schedule_id).update(body)


@route("DELETE", "/deployments/{}/schedules/{}")
def delete_schedule(world: World, one: str, schedule_id: str, body: Any, query: Json) -> Any:
    schedules = find(world.deployments, one)["schedules"]
    schedules.remove(find(schedules, schedule_id))


@route("POST", "/ui/schedules/preview")
def preview_schedule(world: World, body: Json, query: Json) -> Any:
    schedule = body["schedule"]
    check_schedule(schedule)
    step = timedelta(seconds=schedule["interval"]) if "interval" in schedule else timedelta(days=1)
    return [text_of(world.now + step * (index + 1)) for index in range(body.get("count", 5))]


# Work pools


@route("POST", "/work_pools/filter")
def list_pools(world: World, body: Json, query: Json) -> Any:
    return page([pool for pool in world.work_pools if matches(pool, body.get("work_pools"))], body)


@route("POST", "/work_pools/")
def create_pool(world: World, body: Json, query: Json) -> Any:
    if any(pool["name"] == body["name"] for pool in world.work_pools):
        raise Refusal(409, f"A work pool named {body['name']} exists already.")
    pool_id = make_id(world.chance)
    pool: Json = {
        "id": pool_id,
        "created": text_of(datetime.now(UTC)),
        "is_paused": False,
        "status": "NOT_READY",
        "active_slots": 0,
        **body,
    }
    pool.setdefault("description", None)
    pool.setdefault("concurrency_limit", None)
    world.work_pools.append(pool)
    world.queues[pool["name"]] = [world.make_queue(pool_id, pool["name"], "default", 1)]
    world.workers[pool["name"]] = []
    return pool


@route("GET", "/work_pools/{}")
def read_pool(world: World, name: str, body: Any, query: Json) -> Any:
    return named(world.work_pools, name)


@route("PATCH", "/work_pools/{}")
def update_pool(world: World, name: str, body: Json, query: Json) -> Any:
    pool = named(world.work_pools, name)
    pool.update(body)
    pool["status"] = "PAUSED" if pool["is_paused"] else "READY"


@route("DELETE", "/work_pools/{}")
def delete_pool(world: World, name: str, body: Any, query: Json) -> Any:
    world.work_pools.remove(named(world.work_pools, name))


@route("POST", "/work_pools/{}/queues/filter")
def list_queues(world: World, name: str, body: Json, query: Json) -> Any:
    return world.queues.get(name, [])


@route("POST", "/work_pools/{}/queues")
def create_queue(world: World, name: str, body: Json, query: Json) -> Any:
    queue = world.make_queue(named(world.work_pools, name)["id"], name, body["name"], body.get("priority") or 2)
    world.queues[name].append({**queue, **body})
    return queue


@route("PATCH", "/work_pools/{}/queues/{}")
def update_queue(world: World, name: str, queue: str, body: Json, query: Json) -> Any:
    named(world.queues[name], queue).update(body)


@route("DELETE", "/work_pools/{}/queues/{}")
def delete_queue(world: World, name: str, queue: str, body: Any, query: Json) -> Any:
    world.queues[name].remove(named(world.queues[name], queue))


@route("POST", "/work_pools/{}/workers/filter")
def list_workers(world: World, name: str, body: Json, query: Json) -> Any:
    return world.workers.get(name, [])


@route("GET", "/collections/views/aggregate-worker-metadata")
def list_worker_types(world: World, body: Any, query: Json) -> Any:
    known = [
        ("process", "Process", "Each run is a process on the worker's machine."),
        ("docker", "Docker", "Each run is a container on the worker's machine."),
        ("kubernetes", "Kubernetes", "Each run is a job in the worker's cluster."),
    ]
    return {"headrace": {kind: {"type": kind, "display_name": name, "description": text} for kind, name, text in known}}
