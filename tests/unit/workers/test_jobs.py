"""From a claim and its deployment to what a process is told."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.blocks.system import Secret
from headrace.connect import open_session
from headrace.engine.session import Session, close_session, swap_session
from headrace.schema.orchestration import Claim, ClaimRequest
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.schema.variable import VariableCreate
from headrace.workers.charge import Charge, receive_charge, send_charge
from headrace.workers.jobs import GRACE, draw_up
from tests.unit.workers.conftest import Pool


@pytest.fixture
def session(pool: Pool) -> Iterator[Session]:
    opened = open_session()
    swap_session(opened)
    yield opened
    close_session()


def claim(pool: Pool) -> Claim:
    return pool.execution.claim_flow_runs(
        ClaimRequest(before=clock.now(), limit=1, work_pool_name=pool.name, claimant="me")
    )[0]


def test_a_charge_says_all_that_is_needed(pool: Pool) -> None:
    pool.deploy(entrypoint="flows.py:etl", path="/srv/code", job_variables={"env": {"A": 1, "B": None}, "image": "x"})
    pool.run(parameters={"x": 1}, job_variables={"grace_seconds": 5})
    charge = draw_up(claim(pool), pool.administration, {"PATH": "/bin", "A": "0"})
    assert charge.entrypoint == "flows.py:etl"
    assert charge.pull_steps == [{"headrace.deployments.steps.set_working_directory": {"directory": "/srv/code"}}]
    assert charge.environ == {"PATH": "/bin", "A": "1"}
    assert (charge.grace, charge.working_dir) == (5, None)
    assert charge.claim.flow_run.parameters == {"x": 1}
    Path(charge.folder).rmdir()


def test_placeholders_are_filled_in_where_the_run_is_executed(pool: Pool, session: Session) -> None:
    Secret(value="s3cret").save("token")
    pool.administration.create_variable(VariableCreate(name="rate", value=3))
    env = {
        "TOKEN": "{{ headrace.blocks.secret/token }}",
        "OLD": "key={{ prefect.blocks.secret.token }}",
        "RATE": "{{ headrace.variables.rate }}",
        "OWN": "{{ something.else }}",
    }
    pool.deploy(entrypoint="flows.py:etl", job_variables={"env": env})
    run = pool.run()
    charge = draw_up(claim(pool), pool.administration, {})
    assert charge.environ == {"TOKEN": "s3cret", "OLD": "key=s3cret", "RATE": "3", "OWN": "{{ something.else }}"}
    assert "s3cret" not in repr((pool.execution.read_flow_run(run.id), charge.claim))
    Path(charge.folder).rmdir()


def test_pull_steps_say_more_than_a_path(pool: Pool) -> None:
    steps = [{"git_clone": {"repository": "somewhere"}}]
    pool.deploy(entrypoint="flows.py:etl", path="/srv/code", pull_steps=steps)
    pool.run()
    charge = draw_up(claim(pool), pool.administration, {})
    assert charge.pull_steps == steps
    assert charge.grace == GRACE
    Path(charge.folder).rmdir()


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"entrypoint": None}, "no entrypoint"),
        ({"job_variables": {"env": "A=1"}}, "env"),
        ({"job_variables": {"working_dir": 3}}, "working_dir"),
        ({"job_variables": {"working_dir": "{{ headrace.blocks.secret/x }}"}}, "there is no block secret/x"),
        ({"job_variables": {"grace_seconds": -1}}, "grace_seconds"),
        ({"job_variables": {"env": {"HEADRACE_HEARTBEAT_SECONDS": "often"}}}, "HEADRACE_HEARTBEAT_SECONDS"),
    ],
)
def test_what_cannot_be_executed_is_said_in_a_sentence(pool: Pool, told: dict[str, Any], says: str) -> None:
    pool.deploy(**{"entrypoint": "flows.py:etl", **told})
    pool.run()
    with pytest.raises(errors.ConfigurationError, match=says):
        draw_up(claim(pool), pool.administration, {})


def test_a_run_without_a_deployment_says_so(pool: Pool) -> None:
    flow = pool.deploy(entrypoint="flows.py:etl").flow_id
    state = StateCreate(type=StateType.SCHEDULED)
    pool.execution.create_flow_run(FlowRunCreate(flow_id=flow, id=uuid7(), state=state, work_pool_name=pool.name))
    with pytest.raises(errors.ConfigurationError, match="belongs to no deployment"):
        draw_up(claim(pool), pool.administration, {})


def test_a_charge_travels_over_a_stream(pool: Pool) -> None:
    pool.deploy(entrypoint="flows.py:etl")
    pool.run(parameters={"text": "x" * 500_000})
    charge = Charge(
        claim=claim(pool),
        deployment_name="d",
        entrypoint="flows.py:etl",
        pull_steps=[],
        environ={},
        folder="/tmp/x",
        working_dir=None,
        grace=1,
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=send_charge, args=(ours, charge))
        sender.start()
        assert receive_charge(theirs) == charge
        sender.join()


def test_a_stream_that_ends_brings_no_charge() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.send(b"\0\0")
        ours.close()
        with pytest.raises(EOFError):
            receive_charge(theirs)
