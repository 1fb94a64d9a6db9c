"""Scenarios (b) to (e), (g) and (h) of the contract: pools, deployments, workers, waiting, serving, local commands."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

import pytest

from headrace.gateway.administration import Administration
from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess
from tests.judge.official import HERE, Official, Program

COMPLETED = StateType.COMPLETED
pytestmark = pytest.mark.timeout(400)


@contextmanager
def running(program: Program) -> Generator[Program]:
    try:
        yield program
    finally:
        program.interrupt()


@pytest.fixture
def deployed(official: Official) -> Official:
    """A user who has a process pool, and a deployment in it."""
    (official.folder / "flows.py").write_text((HERE / "official_deployed.py").read_text())
    assert "Created work pool 'local'" in official.command("work-pool", "create", "local", "-t", "process")
    said = official.command("deploy", "flows.py:doubling", "-n", "daily", "-p", "local", "--cron", "0 6 * * *")
    assert "successfully created" in said
    return official


def find_run(official: Official, said: str) -> UUID:
    """The run that a command made, by what it says of it."""
    found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", said)
    assert found is not None, said
    return UUID(found[0])


def await_run(server: ServerProcess, run_id: UUID, wanted: Callable[[FlowRun], bool]) -> FlowRun:
    return server.wait_until(run_id, wanted)


def has_ended(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def test_a_pool_a_deployment_and_its_schedule(
    deployed: Official, server: ServerProcess, administration: Administration
) -> None:
    deployment = administration.read_deployment_by_name("doubling", "daily")
    (schedule,) = deployment.schedules
    assert (schedule.schedule.cron, schedule.active) == ("0 6 * * *", True)
    assert (deployment.work_pool_name, deployment.entrypoint) == ("local", "flows.py:doubling")
    execution = server.open_execution()
    while administration.count_flow_runs() < 3:  # the runs that the server makes ahead
        execution.last_cursor()
        execution.wait_for_events(5)
    assert {run.auto_scheduled for run in administration.list_flow_runs()} == {True}

    assert "doubling/daily" in deployed.command("deployment", "ls")
    assert "local" in deployed.command("work-pool", "ls")
    assert "0 6 * * *" in deployed.command("deployment", "schedule", "ls", "doubling/daily")
    assert "default" in deployed.command("work-queue", "ls", "-p", "local")
    assert "SCHEDULED" in deployed.command("flow-run", "ls")
    deployed.command("deployment", "schedule", "create", "doubling/daily", "--interval", "3600")
    deployed.command("work-pool", "set-concurrency-limit", "local", "4")
    deployed.command("work-pool", "pause", "local")
    assert len(administration.read_deployment(deployment.id).schedules) == 2
    pool = administration.read_work_pool("local")
    assert (pool.concurrency_limit, pool.is_paused) == (4, True)
    deployed.command("deployment", "delete", "doubling/daily")
    assert administration.count_deployments() == 0


def test_a_worker_executes_what_is_asked_of_a_deployment(
    deployed: Official, server: ServerProcess, administration: Administration
) -> None:
    with running(deployed.start_command("worker", "start", "-p", "local", "-t", "process", "-n", "w1")):
        said = deployed.command("deployment", "run", "doubling/daily", "-p", "x=5", "--watch", "--watch-interval", "1")
        run = await_run(server, find_run(deployed, said), has_ended)
        assert (run.state_type, run.parameters, run.run_count) == (COMPLETED, {"x": 5}, 1)
        (worker,) = administration.list_workers("local")
        assert (worker.name, worker.status.value) == ("w1", "ONLINE")
    lines = {log.message for log in administration.list_logs(LogFilter(flow_run_id=IdFilter(any_=[run.id])))}
    assert {"given 5", "doubled 10"} <= lines
    assert run.infrastructure_pid is not None
    assert {task.state_type for task in administration.list_task_runs()} == {COMPLETED}
    assert "doubled 10" in deployed.command("flow-run", "logs", str(run.id))
    assert "Completed" in deployed.command("flow-run", "inspect", str(run.id))


def test_variables_secrets_and_limits(official: Official, administration: Administration) -> None:
    official.command("gcl", "create", "lim", "--limit", "1")
    official.command("gcl", "create", "pace", "--limit", "5", "--slot-decay-per-second", "1.0")
    official.command("concurrency-limit", "create", "db", "2")
    said = official.run("official_everyday.py")
    assert said.splitlines() == ["Bonn", "True False", "pssst", "in"]
    assert administration.read_variable_by_name("city").value == {"name": "Bonn"}
    limits = {limit.name: (limit.limit, limit.active_slots) for limit in administration.list_concurrency_limits()}
    assert limits["lim"] == (1, 0)
    assert limits["tag:db"] == (2, 0)
    (run,) = administration.list_flow_runs()
    assert run.state_type is COMPLETED
    assert {tag for task in administration.list_task_runs() for tag in task.tags} == {"db", "nightly"}
    assert "city" in official.command("variable", "ls")
    assert "word" in official.command("block", "ls")
    assert "secret" in official.command("block", "type", "ls")
    assert "lim" in official.command("gcl", "ls")
    assert "db" in official.command("concurrency-limit", "ls")
    assert "db" in official.command("concurrency-limit", "inspect", "db")


def test_a_run_that_pauses_goes_on_when_it_is_told(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    for how, word in (("pausing", "resume"), ("asking", "answer")):
        program = official.start("official_waiting.py", how)
        run_id = UUID(program.read_line().strip())
        await_run(server, run_id, lambda run: run.state_type is StateType.PAUSED)
        official.run("official_waiting.py", word, str(run_id))
        program.finish()
        run = administration.read_flow_run(run_id)
        assert (run.state_type, run.run_count) == (COMPLETED, 1)


def test_a_served_flow_is_run_and_paused_at_the_end(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    with running(official.start("official_deployed.py", "doubling")):
        deployment = await_deployment(server, administration, "doubling")
        said = official.command("deployment", "run", "doubling/served", "-p", "x=2")
        run = await_run(server, find_run(official, said), has_ended)
        assert (run.state_type, run.deployment_id) == (COMPLETED, deployment)
    assert administration.read_deployment(deployment).paused


def test_a_run_is_cancelled_while_it_runs_and_before(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    with running(official.start("official_deployed.py", "lasting")):
        await_deployment(server, administration, "lasting")
        run_id = find_run(official, official.command("deployment", "run", "lasting/served"))
        await_run(server, run_id, lambda run: run.state_type is StateType.RUNNING)
        assert "was successfully scheduled for cancellation" in official.command("flow-run", "cancel", str(run_id))
        assert await_run(server, run_id, has_ended).state_type is StateType.CANCELLED
        later = official.command("deployment", "run", "lasting/served", "--start-in", "2 hours")
        run_id = find_run(official, later)
        official.command("flow-run", "cancel", str(run_id))
        assert administration.read_flow_run(run_id).state_type is StateType.CANCELLED
        official.command("flow-run", "delete", str(run_id))


def test_a_suspended_run_starts_again_and_keeps_what_was_done(
    official: Official, server: ServerProcess, administration: Administration
) -> None:
    with running(official.start("official_deployed.py", "halting")):
        await_deployment(server, administration, "halting")
        run_id = find_run(official, official.command("deployment", "run", "halting/served"))
        await_run(server, run_id, lambda run: run.state_type is StateType.PAUSED)
        official.run("official_waiting.py", "resume", str(run_id))
        run = await_run(server, run_id, has_ended)
        assert (run.state_type, run.run_count) == (COMPLETED, 1)  # the same run goes on
    names = [state.name for state in administration.list_flow_run_states(run_id)]
    assert "Suspended" in names
    assert "Resuming" in names


def test_commands_about_this_machine(official: Official, server: ServerProcess) -> None:
    assert "3.8.8" in official.command("version")
    official.command("profile", "create", "work")
    assert "work" in official.command("profile", "ls")
    official.command("profile", "use", "work")
    official.command("config", "set", "PREFECT_LOGGING_LEVEL=DEBUG")
    assert "PREFECT_LOGGING_LEVEL='DEBUG'" in official.command("config", "view")
    assert "PREFECT_LOGGING_LEVEL='DEBUG'" in official.command("profile", "inspect", "work")
    official.command("config", "unset", "-y", "PREFECT_LOGGING_LEVEL")
    assert server.url in official.command("config", "view")


def await_deployment(server: ServerProcess, administration: Administration, flow: str) -> UUID:
    """The deployment that a process which serves has made, as soon as it looks for runs."""
    execution = server.open_execution()
    while True:
        execution.last_cursor()
        for deployment in administration.list_deployments():
            if deployment.last_polled is not None:
                return deployment.id
        execution.wait_for_events(1)
