"""The client, for code that blocks and for coroutines: what it asks arrives, in the database in place."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from headrace import flow, get_client, get_run_logger, task
from headrace.artifacts import create_markdown_artifact
from headrace.clients import AsyncClient, Client, generate
from headrace.engine.session import close_session, swap_session
from headrace.exceptions import InvalidRequest, ObjectAlreadyExists, ObjectNotFound, UsageError
from headrace.runtime import flow_run, task_run
from headrace.schema.artifact import ArtifactUpdate
from headrace.schema.deployment import Deployment, DeploymentCreate, DeploymentUpdate
from headrace.schema.filters import (
    ArtifactFilter,
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    IdFilter,
    LogFilter,
    StateFilter,
    StateTypeFilter,
    TaskRunFilter,
    TextFilter,
)
from headrace.schema.log import LogCreate
from headrace.schema.orchestration import ConcurrencyLimitCreate, ConcurrencyLimitUpdate, Verb
from headrace.schema.schedule import Schedule
from headrace.schema.state import StateType
from headrace.schema.variable import VariableCreate
from headrace.schema.work_pool import WorkPoolCreate, WorkPoolUpdate, WorkQueueUpdate
from headrace.states import Cancelled, Scheduled

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def session(quiet_logging: None) -> Iterator[None]:
    before = swap_session(None)
    yield
    close_session()
    swap_session(before)


@pytest.fixture(params=["blocking", "in a loop"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks one of the two clients."""

    def call(verb: str, *args: Any, **options: Any) -> Any:
        if request.param == "blocking":
            with get_client(sync_client=True) as client:
                return getattr(client, verb)(*args, **options)

        async def main() -> Any:
            async with get_client() as client:
                return await getattr(client, verb)(*args, **options)

        return asyncio.run(main())

    return call


@task
def double(x: int) -> tuple[int, UUID]:
    get_run_logger().info("doubles %d", x)
    return 2 * x, UUID(task_run.id)


@flow(name="etl", persist_result=True)
def etl(x: int) -> UUID:
    create_markdown_artifact("# Report", key="report")
    double(x)
    return UUID(flow_run.id)


def only(*ids: UUID) -> IdFilter:
    return IdFilter(any_=list(ids))


# one from the other


def test_the_client_for_coroutines_is_made_from_the_one_that_blocks() -> None:
    assert generate.TARGET.read_text(encoding="utf-8") == generate.generate()


def test_both_clients_have_the_same_names_and_parameters() -> None:
    def verbs(kind: type[Any]) -> dict[str, Any]:
        return {
            name: list(inspect.signature(value).parameters.values())
            for name, value in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert verbs(Client) == verbs(AsyncClient)
    assert len(verbs(Client)) > 70
    assert all(inspect.iscoroutinefunction(getattr(AsyncClient, name)) for name in verbs(AsyncClient))


# runs


def test_flows_and_runs_are_read_and_counted(ask: Ask) -> None:
    first, second = etl(1), etl(2)
    found = ask("read_flow_by_name", "etl")
    assert ask("read_flow", found.id) == found
    assert [each.name for each in ask("read_flows", flow_run_filter=FlowRunFilter(id=only(first)))] == ["etl"]
    assert ask("count_flows", flow_filter=FlowFilter(name=TextFilter(any_=["other"]))) == 0
    runs = ask("read_flow_runs", flow_filter=FlowFilter(name=TextFilter(any_=["etl"])), limit=1, offset=1)
    assert [run.id for run in runs] == [first]
    done = FlowRunFilter(state=StateFilter(type=StateTypeFilter(any_=[StateType.COMPLETED])))
    assert ask("count_flow_runs", flow_run_filter=done) == 2
    run = ask("read_flow_run", second)
    assert run.state.result() == second
    assert [state.name for state in ask("read_flow_run_states", second)] == ["Pending", "Running", "Completed"]
    with pytest.raises(ObjectNotFound):
        ask("read_flow_by_name", "nothing")


def test_flow_runs_are_changed_and_deleted(ask: Ask) -> None:
    run_id = etl(1)
    ask("update_flow_run", run_id, name="one", tags=["a"], parameters={"x": 3})
    run = ask("read_flow_run", run_id)
    assert (run.name, run.tags, run.parameters) == ("one", ["a"], {"x": 3})
    ask("set_flow_run_name", run_id, "two")
    assert ask("read_flow_run", run_id).name == "two"
    ask("delete_flow_run", run_id)
    with pytest.raises(ObjectNotFound):
        ask("read_flow_run", run_id)
    ask("delete_flow", run.flow_id)
    assert ask("read_flows") == []


def test_states_are_proposed_and_decided(ask: Ask) -> None:
    run_id = etl(1)
    refused = ask("set_flow_run_state", run_id, Scheduled())
    assert (refused.verb is Verb.ACCEPT, refused.state.name) == (False, "Completed")
    forced = ask("set_flow_run_state", run_id, Cancelled("no more"), force=True)
    assert (forced.written, forced.state.name, forced.state.message) == (True, "Cancelled", "no more")
    with pytest.raises(InvalidRequest, match=r"cannot be resumed\. The run is not paused"):
        ask("resume_flow_run", run_id)


def test_what_a_run_has_done_so_far_is_seen_within_it(ask: Ask) -> None:
    @flow
    def looks() -> tuple[list[Any], list[Any], list[Any]]:
        double(3)
        own = only(UUID(flow_run.id))
        runs = ask("read_task_runs", task_run_filter=TaskRunFilter(flow_run_id=own))
        logs = ask("read_logs", LogFilter(flow_run_id=own, task_run_id=only(runs[0].id)))
        return runs, logs, ask("read_task_run_states", runs[0].id)

    runs, logs, states = looks()
    assert [run.state_name for run in runs] == ["Completed"]
    assert "doubles 3" in [line.message for line in logs]
    assert states[-1].name == "Completed"


def test_task_runs_are_read_changed_and_deleted(ask: Ask) -> None:
    @flow
    def calls() -> UUID:
        return double(1)[1]

    run_id = calls()
    assert ask("read_task_run", run_id).id == run_id
    assert ask("count_task_runs", task_run_filter=TaskRunFilter(id=only(run_id))) == 1
    ask("set_task_run_name", run_id, "one")
    assert ask("read_task_run", run_id).name == "one"
    ask("delete_task_run", run_id)
    assert ask("count_task_runs") == 0


def test_inputs_are_left_and_read(ask: Ask) -> None:
    run_id = etl(1)
    ask("create_flow_run_input", run_id, "key-1", "text", sender="me")
    assert ask("read_flow_run_input", run_id, "key-1") == "text"
    assert [each.sender for each in ask("filter_flow_run_input", run_id, "key")] == ["me"]
    assert ask("filter_flow_run_input", run_id, "key", exclude_keys=["key-1"]) == []
    ask("delete_flow_run_input", run_id, "key-1")
    with pytest.raises(ObjectNotFound):
        ask("read_flow_run_input", run_id, "key-1")


# deployments and pools


@pytest.fixture
def deployment() -> Deployment:
    etl(1)
    with get_client(sync_client=True) as client:
        flow_id = client.read_flow_by_name("etl").id
        client.create_work_pool(WorkPoolCreate(name="local"))
        return client._office.create_deployment(  # pyright: ignore[reportPrivateUsage]
            DeploymentCreate(name="daily", flow_id=flow_id, work_pool_name="local", entrypoint="flows.py:etl")
        )


def test_deployments(ask: Ask, deployment: Deployment) -> None:
    assert ask("read_deployment_by_name", "etl/daily").id == deployment.id
    assert ask("read_deployment", deployment.id).name == "daily"
    with pytest.raises(UsageError, match="named with its flow, flow/deployment, not 'daily'"):
        ask("read_deployment_by_name", "daily")
    named = DeploymentFilter(name=TextFilter(any_=["daily"]))
    assert [each.id for each in ask("read_deployments", deployment_filter=named)] == [deployment.id]
    assert ask("count_deployments", deployment_filter=named) == 1
    ask("update_deployment", deployment.id, DeploymentUpdate(description="Each day"))
    ask("pause_deployment", deployment.id)
    paused = ask("read_deployment", deployment.id)
    assert (paused.description, paused.paused) == ("Each day", True)
    ask("resume_deployment", deployment.id)
    assert not ask("read_deployment", deployment.id).paused
    (made,) = ask("create_deployment_schedules", deployment.id, [(Schedule(cron="@daily"), False)])
    ask("update_deployment_schedule", deployment.id, made.id, active=True)
    assert [each.active for each in ask("read_deployment_schedules", deployment.id)] == [True]
    ask("delete_deployment_schedule", deployment.id, made.id)
    assert ask("read_deployment_schedules", deployment.id) == []
    ask("delete_deployment", deployment.id)
    assert ask("count_deployments") == 0


def test_runs_of_deployments_are_made(ask: Ask, deployment: Deployment) -> None:
    due = datetime.now(UTC) + timedelta(days=1)
    run = ask(
        "create_flow_run_from_deployment",
        deployment.id,
        parameters={"x": 1},
        name="tomorrow",
        tags=["a"],
        scheduled_time=due,
        idempotency_key="once",
    )
    assert (run.name, run.parameters, run.tags, run.state.name) == ("tomorrow", {"x": 1}, ["a"], "Scheduled")
    assert run.state.state_details.scheduled_time == due
    again = ask("create_flow_run_from_deployment", deployment.id, idempotency_key="once")
    assert again.id == run.id
    assert ask("create_flow_run_from_deployment", deployment.id).id != run.id


def test_work_pools_and_queues(ask: Ask) -> None:
    made = ask("create_work_pool", WorkPoolCreate(name="local"))
    assert ask("read_work_pool", "local").id == made.id
    ask("update_work_pool", "local", WorkPoolUpdate(is_paused=True))
    assert [(pool.name, pool.is_paused) for pool in ask("read_work_pools")] == [("local", True)]
    queue = ask("create_work_queue", "urgent", priority=1, work_pool_name="local")
    assert ask("read_work_queue", queue.id).name == "urgent"
    ask("update_work_queue", queue.id, WorkQueueUpdate(concurrency_limit=2))
    assert ask("read_work_queue_by_name", "urgent", "local").concurrency_limit == 2
    assert {each.name for each in ask("read_work_queues", "local")} == {"default", "urgent"}
    ask("delete_work_queue_by_id", queue.id)
    assert [each.name for each in ask("read_work_queues")] == ["default"]
    assert ask("read_workers_for_work_pool", "local") == []
    ask("delete_work_pool", "local")
    assert ask("read_work_pools") == []


# what is kept


def test_logs_and_artifacts(ask: Ask) -> None:
    run_id = etl(1)
    ask(
        "create_logs",
        [LogCreate(name="own", level=20, message="hello", timestamp=datetime.now(UTC), flow_run_id=run_id)],
    )
    assert "hello" in [line.message for line in ask("read_logs", LogFilter(flow_run_id=only(run_id)))]
    (report,) = ask("read_artifacts", artifact_filter=ArtifactFilter(key=TextFilter(any_=["report"])))
    assert ask("read_artifact", report.id).data == "# Report"
    assert [each.latest_id for each in ask("read_latest_artifacts")] == [report.id]
    ask("update_artifact", report.id, ArtifactUpdate(description="June"))
    assert ask("read_artifact", report.id).description == "June"
    ask("delete_artifact", report.id)
    assert ask("read_artifacts", flow_run_filter=FlowRunFilter(id=only(run_id))) == []


def test_variables(ask: Ask) -> None:
    assert ask("read_variable_by_name", "city") is None
    ask("create_variable", VariableCreate(name="city", value="lisbon"))
    with pytest.raises(ObjectAlreadyExists):
        ask("create_variable", VariableCreate(name="city", value="porto"))
    ask("update_variable", "city", value="porto", tags=["geo"])
    assert [(each.name, each.value, each.tags) for each in ask("read_variables")] == [("city", "porto", ["geo"])]
    ask("delete_variable_by_name", "city")
    with pytest.raises(ObjectNotFound):
        ask("delete_variable_by_name", "city")


def test_limits(ask: Ask) -> None:
    made = ask("create_global_concurrency_limit", ConcurrencyLimitCreate(name="database", limit=2))
    assert ask("read_global_concurrency_limit_by_name", "database").id == made
    ask("update_global_concurrency_limit", "database", ConcurrencyLimitUpdate(active=False))
    ask("upsert_global_concurrency_limit_by_name", "database", 3)
    ask("upsert_global_concurrency_limit_by_name", "other", 1)
    limits = ask("read_global_concurrency_limits")
    assert [(each.name, each.limit, each.active) for each in limits] == [("database", 3, False), ("other", 1, True)]
    ask("create_concurrency_limit", "slow", 1)
    assert ask("read_concurrency_limit_by_tag", "slow").limit == 1
    assert [each.name for each in ask("read_concurrency_limits")] == ["tag:slow"]
    ask("reset_concurrency_limit_by_tag", "slow")
    ask("delete_concurrency_limit_by_tag", "slow")
    ask("delete_global_concurrency_limit_by_name", "other")
    assert [each.name for each in ask("read_global_concurrency_limits")] == ["database"]


def test_a_client_may_be_used_within_a_coroutine_flow() -> None:
    @flow
    async def looks() -> int:
        async with get_client() as client:
            await client.set_flow_run_name(UUID(flow_run.id), "mine")
            return await client.count_flow_runs()

    assert asyncio.run(looks()) == 1
