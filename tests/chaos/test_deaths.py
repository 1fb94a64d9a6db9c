"""P4: a dead process is crashed, however far it came: also one that never started its run, or never showed that it lives."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from headrace.base.settings import load_settings
from headrace.orchestration.loops import reaper
from headrace.rules.liveness import PATIENCE
from headrace.schema.flow import FlowCreate
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from tests.chaos.test_servers import serving

WAYS = ("never-started", "never-beaten", "beaten")
"""How far a process comes before it is killed; the last one is known to whoever waits for a first beat."""

WORKER = """
import sys
from headrace.base.clock import now
from headrace.base.settings import load_settings
from headrace.connect import open_execution
from headrace.schema.orchestration import Beat, ClaimRequest, Proposal
from headrace.schema.presence import Presence
from headrace.schema.state import StateCreate, StateType

way = sys.argv[1]
execution = open_execution(load_settings(), supervised=True)  # so that nothing beats but what this script does
presence = Presence(kind="beat", interval=0.5)
(claim,) = execution.claim_flow_runs(ClaimRequest(claimant=way, presence=presence, before=now(), limit=1))
run = claim.flow_run.id
if way != "never-started":
    state = StateCreate(type=StateType.RUNNING)
    execution.propose_flow_run_state(Proposal(flow_run_id=run, state=state, epoch=claim.epoch, presence=presence))
if way == "beaten":
    execution.beat([Beat(flow_run_id=run, epoch=claim.epoch)])
print(run, flush=True)
sys.stdin.readline()
"""


def bury(folder: Path, bug: str | None = None) -> None:
    """Kill a process of each way; once the last is crashed, which was heard of last, all are."""
    (folder / "worker.py").write_text(WORKER)
    with serving(folder, bug) as server:
        execution = server.open_execution()
        administration: Any = server.open_administration()
        try:
            flow_id = execution.register_flow(FlowCreate(name="etl")).id
            for _ in WAYS:
                scheduled = StateCreate(type=StateType.SCHEDULED)
                execution.create_flow_run(FlowRunCreate(flow_id=flow_id, state=scheduled))
            runs = {way: claim_and_die(server.url, folder, way) for way in WAYS}
            server.wait_until(runs["beaten"], lambda run: run.state_type is StateType.CRASHED)
            names = {
                way: [state.name for state in administration.list_flow_run_states(run_id)]
                for way, run_id in runs.items()
            }
            assert names == {
                "never-started": ["Scheduled", "Pending", "Crashed"],
                "never-beaten": ["Scheduled", "Pending", "Running", "Crashed"],
                "beaten": ["Scheduled", "Pending", "Running", "Crashed"],
            }, f"dead ones are taken for living: {names}"
        finally:
            administration.close()


def claim_and_die(url: str, folder: Path, way: str) -> UUID:
    """The run that a process has claimed, which was killed when it had come so far."""
    with subprocess.Popen(
        [sys.executable, str(folder / "worker.py"), way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HEADRACE_API_URL": url},
    ) as process:
        assert process.stdout is not None
        run_id = UUID(process.stdout.readline().strip())
        process.kill()
    return run_id


def test_the_dead_are_crashed_however_far_they_came(tmp_path: Path) -> None:
    bury(tmp_path)


def test_a_reaper_that_waits_for_a_first_beat_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="dead ones are taken for living"):
        bury(tmp_path, "waits-for-a-first-beat")


def test_a_minute_is_enough_by_default() -> None:
    """A beat that was just given, a look that just missed it, and the patience that everybody has."""
    interval = load_settings({}).heartbeat_seconds
    assert interval + PATIENCE * interval + 2 * reaper.INTERVAL <= 60
