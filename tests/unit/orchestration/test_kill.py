"""A process that is killed: its run is Crashed as soon as anyone looks."""

import subprocess
import sys

import pytest

from headrace.orchestration.administration import OrchestratedAdministration
from headrace.schema.state import StateType
from headrace.storage.databases import open_database

SCRIPT = """
import sys
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.storage.databases import open_database

execution = OrchestratedExecution(open_database(sys.argv[1]))
flow = execution.register_flow(FlowCreate(name="etl"))
run = execution.create_flow_run(FlowRunCreate(flow_id=flow.id))
running = StateCreate(type=StateType.RUNNING)
execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=running, presence=execution.presence()))
print("running", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_run_of_a_killed_process_is_crashed_as_soon_as_anyone_looks(database_url: str) -> None:
    command = [sys.executable, "-c", SCRIPT, database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "running\n"
        with open_database(database_url) as database:
            assert [run.state_type for run in OrchestratedAdministration(database).list_flow_runs()] == [
                StateType.RUNNING
            ]
            process.kill()
            process.wait()
            (run,) = OrchestratedAdministration(database).list_flow_runs()
            assert run.state
            assert (run.state.type, run.state.message) == (
                StateType.CRASHED,
                "The process that executed this run has died.",
            )
