"""P1, P3, P4, P6, P9: what a server has acknowledged holds, whatever is killed, stopped or cut; and each test can fail.

`HEADRACE_CHAOS_POINTS` makes more of each: 50 unless said.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from headrace.base.clock import now
from headrace.base.errors import StaleEpoch
from headrace.base.ids import uuid7
from headrace.schema.checkpoint import Reopening
from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Beat, ClaimRequest, Presence, Proposal
from headrace.schema.run import FlowRunCreate, Page
from headrace.schema.state import StateCreate, StateDetails, StateType
from tests.acceptance.serving import SERVER, STEPS, ServerProcess
from tests.chaos.proxy import Proxy

POINTS = int(os.environ.get("HEADRACE_CHAOS_POINTS", "50"))
RUNNING, COMPLETED, CRASHED = StateType.RUNNING, StateType.COMPLETED, StateType.CRASHED

FORGETFUL = """
from headrace.engine.journal import Journal
Journal._outage = lambda self, error: self.take_out()
"""
"""What cannot be delivered at once is forgotten."""

HOLDING = """
import ctypes
from headrace import flow

@flow
def hold():
    print("begun", flush=True)
    # PyDLL keeps the interpreter's lock: no thread of this process runs until something can be read.
    ctypes.PyDLL(None).read(0, ctypes.create_string_buffer(1), 1)

hold()
"""


@contextmanager
def serving(folder: Path, bug: str | None = None, **environ: str) -> Generator[ServerProcess]:
    """A server, with a planted bug if one is named."""
    program = SERVER if bug is None else (str(Path(__file__).with_name("faulty.py")), bug)
    server = ServerProcess(folder / "server", folder / "server.log", program, **environ)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def start_script(server: ServerProcess, folder: Path, bug: str = "", **settings: str) -> subprocess.Popen[str]:
    """The flow of steps, when it has come half way; with a planted bug, if one is written."""
    script = server.start_script(folder / "script.py", bug + STEPS, **settings)
    assert script.stdout is not None
    assert script.stdout.readline() == "half\n"
    return script


def steps_of(administration: Any, run_id: UUID) -> list[str]:
    wanted = LogFilter(flow_run_id=IdFilter(any_=[run_id]))
    lines = [
        line.message for start in (0, 200, 400) for line in administration.list_logs(wanted, page=Page(200, start))
    ]
    return [line for line in lines if line.startswith("step")]


# P1: a 2xx on create means that the run is there, and comes to its end.


def create_under_fire(folder: Path, kills: int, bug: str | None = None) -> None:
    """Create runs from several sides while the server is killed again and again; every one acknowledged is found and ends."""
    acknowledged: list[str] = []
    enough = threading.Event()

    def create(url: str, flow_id: str) -> None:
        with httpx2.Client(base_url=url, trust_env=False) as client:
            while not enough.is_set():
                with suppress(httpx2.HTTPError):
                    body = {"flow_id": flow_id, "state": {"type": "SCHEDULED"}}
                    answer = client.post("/flow_runs/", json=body)
                    if answer.status_code < 300:
                        acknowledged.append(answer.json()["id"])

    with serving(folder, bug) as server:
        flow_id = str(server.open_execution().register_flow(FlowCreate(name="etl")).id)
        threads = [threading.Thread(target=create, args=(server.url, flow_id)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for kill in range(1, kills + 1):
            while len(acknowledged) < 20 * kill:
                enough.wait(0.01)
            server.kill()
            server.start()
        enough.set()
        for thread in threads:
            thread.join()
        execution = server.open_execution()
        ended: set[str] = set()
        presence = Presence(kind="none")
        while claims := execution.claim_flow_runs(
            ClaimRequest(claimant="w", presence=presence, before=now(), limit=100)
        ):
            for claim in claims:
                for state in (RUNNING, COMPLETED):
                    proposal = Proposal(flow_run_id=claim.flow_run.id, state=StateCreate(type=state), epoch=claim.epoch)
                    execution.propose_flow_run_state(proposal)
                ended.add(str(claim.flow_run.id))
        assert len(acknowledged) >= 20 * kills
        lost = {*acknowledged} - ended
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged runs are gone"


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    create_under_fire(tmp_path, kills=max(POINTS // 10, 2))


def test_a_server_that_acknowledges_early_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="acknowledged runs are gone"):
        create_under_fire(tmp_path, kills=2, bug="acknowledges-early")


# P3: one live attempt. What slept beyond its lease is refused, and ends itself.


def sleep_beyond_the_lease(folder: Path, bug: str | None = None) -> None:
    """Stop a script for so long that another takes its run, and wake it while that one is at work."""
    with serving(folder, bug) as server:
        script = start_script(server, folder, HEADRACE_HEARTBEAT_SECONDS="0.5")
        execution = server.open_execution()
        administration: Any = server.open_administration()
        try:
            (run,) = administration.list_flow_runs()
            sleepers = [script.pid, *descendants(script.pid)]
            for pid in sleepers:
                os.kill(pid, signal.SIGSTOP)
            server.wait_until(run.id, lambda seen: seen.state_type is CRASHED)
            claim = execution.reopen_flow_run(Reopening(flow_run_id=run.id, presence=Presence(kind="none")))
            start = Proposal(flow_run_id=run.id, state=StateCreate(type=RUNNING), epoch=claim.epoch)
            execution.propose_flow_run_state(start)
            for pid in sleepers:
                os.kill(pid, signal.SIGCONT)
            _, said = script.communicate("\n", timeout=60)
            found = administration.read_flow_run(run.id)
            assert found.state_type is RUNNING, f"the old attempt has moved the run: {found.state_name}"
            assert script.returncode != 0, said
            end = Proposal(flow_run_id=run.id, state=StateCreate(type=COMPLETED), epoch=claim.epoch)
            assert execution.propose_flow_run_state(end).written
        finally:
            script.kill()
            script.communicate()
            administration.close()


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those have."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    children = [int(child) for child in listed]
    return [each for child in children for each in (child, *descendants(child))]


def test_an_attempt_that_slept_beyond_its_lease_is_refused(tmp_path: Path) -> None:
    sleep_beyond_the_lease(tmp_path)


def test_a_server_that_forgets_epochs_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the old attempt has moved the run"):
        sleep_beyond_the_lease(tmp_path, "forgets-epochs")


# P4: the dead are crashed, and nobody else: not even who holds the interpreter.


def hold_the_interpreter(folder: Path, bug: str = "") -> None:
    """Kill one of two scripts that hold the interpreter: it is crashed, by looks that see the other as well."""
    with serving(folder) as server:
        administration: Any = server.open_administration()
        scripts: list[subprocess.Popen[str]] = []
        try:
            scripts.extend(start_holding(server, folder, bug) for _ in range(2))
            first, second = sorted(administration.list_flow_runs(), key=lambda run: run.created)
            scripts[1].kill()
            server.wait_until(second.id, lambda run: run.state_type is CRASHED)
            assert administration.read_flow_run(first.id).state_type is RUNNING, "a living script was taken for dead"
            scripts[0].communicate("\n", timeout=60)
            names = [state.name for state in administration.list_flow_run_states(first.id)]
            assert names == ["Pending", "Running", "Completed"], "a living script was taken for dead"
        finally:
            for script in scripts:
                script.kill()
                script.communicate()
            administration.close()


def start_holding(server: ServerProcess, folder: Path, bug: str) -> subprocess.Popen[str]:
    script = server.start_script(folder / "holding.py", bug + HOLDING, HEADRACE_HEARTBEAT_SECONDS="0.5")
    assert script.stdout is not None
    assert script.stdout.readline() == "begun\n"
    return script


def test_the_dead_are_crashed_and_who_holds_the_interpreter_is_not(tmp_path: Path) -> None:
    hold_the_interpreter(tmp_path)


def test_beats_that_come_from_a_thread_of_the_script_are_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a living script was taken for dead"):
        hold_the_interpreter(tmp_path, 'import headrace.client.heart\nheadrace.client.heart.SHELL = "/nowhere"\n')


# P6: terminal is final.


def insist_on_ended_runs(folder: Path, count: int, bug: str | None = None) -> None:
    """Ask from several sides for other states of runs that have ended, and beat for them."""
    with serving(folder, bug) as server:
        execution = server.open_execution()
        flow_id = execution.register_flow(FlowCreate(name="etl")).id
        ends = (COMPLETED, StateType.FAILED, StateType.CANCELLED, CRASHED)
        runs = {uuid7(): ends[number % len(ends)] for number in range(count)}
        for run_id, end in runs.items():
            execution.create_flow_run(FlowRunCreate(id=run_id, flow_id=flow_id))
            execution.propose_flow_run_state(Proposal(flow_run_id=run_id, state=StateCreate(type=RUNNING)))
            execution.propose_flow_run_state(Proposal(flow_run_id=run_id, state=StateCreate(type=end)))

        def insist(state: StateType) -> None:
            asking = server.open_execution()
            for run_id in runs:
                for epoch in (None, 1):
                    details = StateDetails(transition_id=uuid7())
                    told = Proposal(
                        flow_run_id=run_id, state=StateCreate(type=state, state_details=details), epoch=epoch
                    )
                    with suppress(StaleEpoch):
                        asking.propose_flow_run_state(told)
                asking.beat([Beat(flow_run_id=run_id, epoch=1)])
                asking.end_attempt(run_id, 1, "late")

        threads = [threading.Thread(target=insist, args=(state,)) for state in StateType]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        moved = {run_id for run_id, end in runs.items() if execution.read_flow_run(run_id).state_type is not end}
        assert not moved, f"{len(moved)} runs have moved on from their ends"


def test_an_end_is_an_end(tmp_path: Path) -> None:
    insist_on_ended_runs(tmp_path, POINTS)


def test_a_server_that_reopens_ends_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="have moved on from their ends"):
        insist_on_ended_runs(tmp_path, 8, "reopens-ends")


# P9: an outage of the API or of the database crashes nobody, and everything arrives in order.


def kill_the_server(folder: Path, bug: str = "") -> None:
    """Kill the server for several leases while a script is at work; what it did meanwhile arrives, and in order."""
    with serving(folder) as server:
        script = start_script(server, folder, bug, HEADRACE_HEARTBEAT_SECONDS="0.5")
        try:
            server.kill()
            assert script.stdin is not None
            assert script.stdout is not None
            script.stdin.write("\n")
            script.stdin.flush()
            assert script.stdout.readline() == "whole\n"
            outage = threading.Event()
            outage.wait(5)
            server.start()
            finish(server, script)
        finally:
            script.kill()
            script.communicate()


def test_an_outage_of_the_api_crashes_nobody(tmp_path: Path) -> None:
    kill_the_server(tmp_path)


def test_a_journal_that_forgets_in_an_outage_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="what was told in the outage is gone"):
        kill_the_server(tmp_path, FORGETFUL)


def cut_the_database(folder: Path, url: str, bug: str | None = None) -> None:
    """Cut the way to PostgreSQL for several leases while a script is at work; its run ends well, and in order."""
    proxy = Proxy(url)
    with serving(folder, bug, HEADRACE_DATABASE_URL=proxy.url) as server:
        script = start_script(server, folder, HEADRACE_HEARTBEAT_SECONDS="2")
        try:
            pid = server.pid
            # The reaper has seen the script beat, and looks again after the cut.
            outage = threading.Event()
            outage.wait(6)
            proxy.cut()
            outage.wait(8)
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=5) as client:
                assert client.get("/health").status_code == 200, "the server itself goes on"
            proxy.mend()
            outage.wait(6)
            finish(server, script)
            assert server.pid == pid
        finally:
            script.kill()
            script.communicate()
    proxy.close()


def finish(server: ServerProcess, script: subprocess.Popen[str]) -> None:
    """Let the script go on to its end, and look at what has arrived."""
    administration: Any = server.open_administration()
    try:
        _, said = script.communicate("\n", timeout=100)
        (run,) = administration.list_flow_runs()
        names = [state.name for state in administration.list_flow_run_states(run.id)]
        assert names == ["Pending", "Running", "Completed"], f"the outage has crashed it: {names}"
        assert script.returncode == 0, said
        steps = [f"step {number}" for number in range(200)]
        assert steps_of(administration, run.id) == steps, "what was told in the outage is gone, or out of order"
    finally:
        administration.close()


@pytest.mark.postgresql
def test_an_outage_of_the_database_crashes_nobody(tmp_path: Path, postgresql_url: str) -> None:
    cut_the_database(tmp_path, postgresql_url)


@pytest.mark.postgresql
def test_a_reaper_that_judges_outages_is_found_out(tmp_path: Path, postgresql_url: str) -> None:
    with pytest.raises(AssertionError, match="the outage has crashed it"):
        cut_the_database(tmp_path, postgresql_url, "judges-outages")


@pytest.mark.postgresql
def test_a_server_ends_although_its_database_is_away(tmp_path: Path, postgresql_url: str) -> None:
    proxy = Proxy(postgresql_url)
    with serving(tmp_path, HEADRACE_DATABASE_URL=proxy.url) as server:
        proxy.cut()
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait() == 0
    proxy.close()


@pytest.mark.postgresql
def test_backends_that_are_ended_are_followed_by_others(tmp_path: Path, postgresql_url: str) -> None:
    """Every connection of a server under load is ended by the database, again and again: nothing is lost, nobody falls."""
    import psycopg

    acknowledged: list[str] = []
    enough = threading.Event()
    odd: list[int] = []
    with serving(tmp_path, HEADRACE_DATABASE_URL=postgresql_url) as server:
        pid = server.pid
        flow_id = str(server.open_execution().register_flow(FlowCreate(name="etl")).id)

        def create() -> None:
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as client:
                while not enough.is_set():
                    answer = client.post("/flow_runs/", json={"flow_id": flow_id})
                    if answer.status_code < 300:
                        acknowledged.append(answer.json()["id"])
                    elif answer.status_code != 503:
                        odd.append(answer.status_code)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            for round_number in range(1, 6):
                while len(acknowledged) < 20 * round_number and all(thread.is_alive() for thread in threads):
                    enough.wait(0.01)
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'headrace' AND datname = current_database()"
                )
        enough.set()
        for thread in threads:
            thread.join()
        assert odd == []
        assert server.pid == pid
        execution = server.open_execution()
        for run_id in acknowledged:
            assert execution.read_flow_run(UUID(run_id)).state_type is StateType.PENDING
