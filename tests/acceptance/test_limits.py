"""Limits with several processes: never more at once than allowed, and a dead holder's slot comes back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.base.settings import load_settings
from headrace.concurrency.sync import concurrency
from headrace.connect import open_administration, open_session
from headrace.engine.session import close_session, swap_session
from headrace.gateway.administration import Administration
from headrace.schema.orchestration import ConcurrencyLimitCreate
from tests.acceptance.serving import ServerProcess

PROCESSES, ROUNDS, LIMIT = 8, 10, 2

BLOCKS = """
import os
import sys
from headrace.concurrency.sync import concurrency

journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
for _ in range(10):
    with concurrency("db"):
        os.write(journal, b"+")
        for _ in range(50_000):
            pass
        os.write(journal, b"-")
"""

TASKS = """
import os
import sys
from headrace import flow, task

journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)

@task(tags=["db"])
def work():
    os.write(journal, b"+")
    for _ in range(50_000):
        pass
    os.write(journal, b"-")

@flow
def main():
    for future in [work.submit() for _ in range(10)]:
        future.result()

main()
"""

HOLDER = """
import sys
from headrace.concurrency.sync import concurrency

with concurrency("db", occupy=2, lease_duration=2):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def administration(database_url: str) -> Iterator[Administration]:
    opened: Any = open_administration(load_settings())
    make_limits(opened)
    yield opened
    opened.close()


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(home, tmp_path / "server.log")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def remote(server: ServerProcess) -> Iterator[Administration]:
    opened: Any = server.open_administration()
    make_limits(opened)
    yield opened
    opened.close()


def make_limits(administration: Administration) -> None:
    for name in ("db", "tag:db"):
        administration.create_concurrency_limit(ConcurrencyLimitCreate(name=name, limit=LIMIT))


def run_at_once(text: str, folder: Path, **environ: str) -> str:
    """Run a script in several processes at once, and give what they wrote: + for a slot in use, - for one given back."""
    script, journal = folder / "script.py", folder / "journal"
    script.write_text(text)
    journal.touch()
    command = [sys.executable, str(script), str(journal)]
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    untraced |= {"HEADRACE_LOGGING_LEVEL": "ERROR", **environ}
    processes = [subprocess.Popen(command, env=untraced, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    shown = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, shown
    assert set(shown) == {""}
    return journal.read_text()


def most_at_once(journal: str) -> int:
    using, most = 0, 0
    for mark in journal:
        using += 1 if mark == "+" else -1
        most = max(most, using)
    assert using == 0
    return most


@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", [BLOCKS, TASKS], ids=["blocks", "tasks of a tag"])
def test_eight_processes_never_hold_more_than_the_limit(
    administration: Administration, text: str, tmp_path: Path
) -> None:
    journal = run_at_once(text, tmp_path)
    assert journal.count("+") == PROCESSES * ROUNDS
    assert most_at_once(journal) <= LIMIT
    assert [limit.active_slots for limit in administration.list_concurrency_limits()] == [0, 0]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", [BLOCKS, TASKS], ids=["blocks", "tasks of a tag"])
def test_eight_processes_on_a_server_never_hold_more_than_the_limit(
    server: ServerProcess, remote: Administration, text: str, tmp_path: Path
) -> None:
    journal = run_at_once(text, tmp_path, HEADRACE_API_URL=server.url)
    assert journal.count("+") == PROCESSES * ROUNDS
    assert most_at_once(journal) <= LIMIT
    assert [limit.active_slots for limit in remote.list_concurrency_limits()] == [0, 0]


def test_the_slots_of_a_killed_process_come_back_when_its_lease_has_run_out(
    administration: Administration, tmp_path: Path
) -> None:
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    holder = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert administration.read_concurrency_limit("db").active_slots == 2
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    swap_session(open_session())
    with concurrency("db", occupy=2, timeout_seconds=60):
        assert administration.read_concurrency_limit("db").active_slots == 2
    close_session()
    assert administration.read_concurrency_limit("db").active_slots == 0
