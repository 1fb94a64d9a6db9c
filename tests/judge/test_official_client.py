"""The contract's own client, unmodified, against our server: scenario (a) of the contract, blocks, background tasks."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.filters import FlowRunFilter, IdFilter, LogFilter, RunSelection
from headrace.schema.flow import FlowCreate
from headrace.schema.run import FlowRun, FlowRunCreate, TaskRun
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.judge.official import Official

COMPLETED = StateType.COMPLETED


def of(run: FlowRun) -> RunSelection:
    return RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[run.id])))


def names_of_states(administration: Administration, run: TaskRun) -> list[str | None]:
    return [state.name for state in administration.list_task_run_states(run.id)]


@pytest.mark.timeout(300)
def test_a_flow_with_retry_subflow_logs_and_artifact(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    official.run("official_script.py")
    runs = {administration.read_flow(run.flow_id).name: run for run in administration.list_flow_runs()}
    assert {name: (run.state_type, run.run_count) for name, run in runs.items()} == {
        "etl": (COMPLETED, 1),
        "publish": (COMPLETED, 1),
    }
    etl, publish = runs["etl"], runs["publish"]
    assert etl.parameters == {"day": "monday"}
    assert publish.parameters == {"total": 6}

    tasks = {run.name.rpartition("-")[0]: run for run in administration.list_task_runs(of(etl))}
    assert {*tasks} == {"extract", "flaky", "publish"}
    assert {run.state_type for run in tasks.values()} == {COMPLETED}
    assert publish.parent_task_run_id == tasks["publish"].id
    assert tasks["flaky"].run_count == 2
    assert names_of_states(administration, tasks["extract"]) == ["Pending", "Running", "Completed"]
    retried = ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
    assert names_of_states(administration, tasks["flaky"]) == retried
    assert [run.name.rpartition("-")[0] for run in administration.list_task_runs(of(publish))] == ["load"]

    logs = administration.list_logs(LogFilter(flow_run_id=IdFilter(any_=[etl.id])))
    lines = {line.message: line.task_run_id for line in logs}
    assert lines["total is 6"] is None
    assert lines["reading monday"] == tasks["extract"].id

    artifact = administration.read_latest_artifact("report")
    assert (artifact.data, artifact.type, artifact.flow_run_id) == ("# 6", "markdown", etl.id)
    graph = administration.read_flow_run_graph(etl.id)
    assert len(graph.nodes) == 3


@pytest.mark.timeout(300)
def test_blocks_are_saved_and_loaded(official: Official, server: ServerProcess, administration: Administration) -> None:
    said = official.run("official_blocks.py")
    assert said.splitlines() == ["{'a': ['second']}", "pa55 5pare", "ValueError", "{'a': ['second']}"]
    token = administration.read_block_document_by_name("secret", "token")
    assert token.data == {"value": "********"}
    assert administration.read_block_document(token.id, include_secrets=True).data == {"value": {"a": ["second"]}}
    shop = administration.read_block_document_by_name("shop", "shop", include_secrets=True)
    assert shop.data == {"spare": {"user": "spare", "password": "5pare", "block_type_slug": "login"}}


@pytest.mark.timeout(300)
def test_a_server_killed_in_the_middle_of_a_flow(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    script = official.start("official_pausing.py")
    assert script.read_line() == "half\n"
    execution = server.open_execution()
    execution.last_cursor()
    while sum(run.state_type is COMPLETED for run in administration.list_task_runs()) < 3:
        execution.wait_for_events(5)
        execution.last_cursor()
    server.kill()
    server.start()
    assert [run.state_type for run in administration.list_task_runs()] == [COMPLETED] * 3
    script.finish("\n")
    (run,) = administration.list_flow_runs()
    assert run.state_type is COMPLETED
    tasks = administration.list_task_runs()
    assert [run.state_type for run in tasks] == [COMPLETED] * 6
    assert {tuple(names_of_states(administration, run)) for run in tasks} == {("Pending", "Running", "Completed")}


@pytest.mark.timeout(300)
def test_background_tasks(official: Official, server: ServerProcess, administration: Administration) -> None:
    script = "official_background.py"
    serving = official.start(script, "serve")
    try:
        official.run(script)
        execution = server.open_execution()
        runs = administration.list_task_runs()
        while not all(run.state is not None and run.state.is_final() for run in runs):
            execution.last_cursor()
            execution.wait_for_events(5)
            runs = administration.list_task_runs()
        (worker,) = administration.list_task_workers([runs[0].task_key])
        assert len(worker.task_keys) == 2
    finally:
        serving.process.terminate()
        serving.process.communicate(timeout=60)
    kinds = {(run.task_key.partition("-")[0], run.state_type, run.run_count) for run in runs}
    assert len(runs) == 7
    assert kinds == {("add", COMPLETED, 1), ("refuse", StateType.FAILED, 2)}
    (of_flow,) = (run for run in runs if run.flow_run_id is not None)
    assert names_of_states(administration, of_flow) == ["Scheduled", "Pending", "Running", "Completed"]
    assert administration.list_task_workers() == []


# Frames, as the client sends them.


class Reporter:
    """A client that reports the states of one task run."""

    def __init__(self, flow_run_id: UUID) -> None:
        self.flow_run_id = flow_run_id
        self.id = uuid7()
        self.began = datetime.now(UTC)
        self.events = [self._event(number, name) for number, name in enumerate(("Pending", "Running", "Completed"))]

    def _event(self, number: int, name: str) -> str:
        time = self.began + timedelta(seconds=number)
        state: dict[str, Any] = {"type": name.upper(), "name": name, "message": "", "state_details": {}, "data": None}
        return json.dumps(
            {
                "id": str(uuid7()),
                "occurred": time.isoformat(),
                "event": f"prefect.task-run.{name}",
                "resource": {
                    "prefect.resource.id": f"prefect.task-run.{self.id}",
                    "prefect.resource.name": "load-0",
                    "prefect.state-timestamp": time.isoformat(),
                    "prefect.orchestration": "client",
                },
                "related": [
                    {
                        "prefect.resource.id": f"prefect.flow-run.{self.flow_run_id}",
                        "prefect.resource.role": "flow-run",
                    }
                ],
                "payload": {
                    "validated_state": state,
                    "task_run": {"name": "load-0", "task_key": "load", "dynamic_key": "0", "run_count": min(number, 1)},
                },
            }
        )


@contextmanager
def open_socket(server: ServerProcess) -> Generator[ClientConnection]:
    url = f"{server.url.replace('http', 'ws', 1)}/events/in"
    with connect(url, subprotocols=[Subprotocol("prefect")]) as socket:
        socket.send(json.dumps({"type": "auth", "token": None}))
        assert json.loads(socket.recv())["type"] == "auth_success"
        yield socket


def test_what_was_confirmed_is_there_after_the_server_was_killed_between_frames(
    server: ServerProcess, administration: Administration
) -> None:
    execution = server.open_execution()
    flow_id = execution.register_flow(FlowCreate(name="etl")).id
    reporter = Reporter(execution.create_flow_run(FlowRunCreate(flow_id=flow_id)).id)

    with open_socket(server) as socket:
        for event in reporter.events[:2]:
            socket.send(event)
        assert socket.ping().wait(60)  # the answer to a ping is all that confirms frames
        server.kill()
    server.start()
    run = administration.read_task_run(reporter.id)
    assert (run.state_type, run.run_count, run.name) == (StateType.RUNNING, 1, "load-0")

    with open_socket(server) as socket:
        for event in reporter.events:  # a client sends again what it is not sure of
            socket.send(event)
        assert socket.ping().wait(60)
    run = administration.read_task_run(reporter.id)
    assert (run.state_type, run.run_count, run.total_run_time) == (COMPLETED, 1, 1.0)
    assert names_of_states(administration, run) == ["Pending", "Running", "Completed"]
