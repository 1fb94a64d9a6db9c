"""P10: more than can be taken makes who tells it wait, and say so; what is refused is told why. Nothing is dropped silently."""

import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from headrace.schema.filters import IdFilter, LogFilter
from headrace.schema.run import Page
from headrace.schema.state import StateType
from tests.chaos.test_servers import serving

THREADS, LINES = 3, 1_000

FLOOD = """
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from headrace import flow, get_run_logger
{bug}
def tell(thread):
    logger = get_run_logger()
    for number in range({lines}):
        logger.info("%d %s %d", thread, "." * 1_000, number)

@flow
def flood():
    print("begun", flush=True)
    input()
    with ThreadPoolExecutor({threads}) as pool:
        for told in [pool.submit(copy_context().run, tell, thread) for thread in range({threads})]:
            told.result()

if __name__ == "__main__":
    flood()
"""
DROPPING = """
from headrace.engine.journal import Journal, log

def drop(self):
    log.warning("The journal is full.")
    self.take_out()

Journal._wait_for_room = drop
"""
"""What there is no room for is dropped, instead of waiting for room."""


def flood_with_lines(folder: Path, bug: str = "") -> None:
    """Tell more than there is room for after the server was killed; everything arrives once it is back, in order."""
    text = FLOOD.format(bug=bug, threads=THREADS, lines=LINES)
    with serving(folder) as server:
        script = server.start_script(folder / "script.py", text, HEADRACE_JOURNAL_MEMORY_MIB="1")
        administration: Any = server.open_administration()
        try:
            assert script.stdin is not None
            assert script.stdout is not None
            assert script.stderr is not None
            assert script.stdout.readline() == "begun\n"
            server.kill()
            script.stdin.write("\n")
            script.stdin.flush()
            said = iter(script.stderr.readline, "")
            heard = next((line for line in said if "is full" in line or f" {LINES - 1}\n" in line), "")
            assert "The journal is full" in heard, "nobody said that there was no room"
            rest = threading.Thread(target=lambda: [*said], daemon=True)
            rest.start()
            server.start()
            assert script.wait(100) == 0
            rest.join()
            (run,) = administration.list_flow_runs()
            assert run.state_type is StateType.COMPLETED
            told = read_lines(administration, LogFilter(flow_run_id=IdFilter(any_=[run.id])))
            for thread in range(THREADS):
                own = [line for line in told if line.startswith(f"{thread} ")]
                assert own == [f"{thread} {'.' * 1_000} {number}" for number in range(LINES)], (
                    "lines were dropped silently"
                )
        finally:
            script.kill()
            script.communicate()
            administration.close()


def read_lines(administration: Any, wanted: LogFilter) -> list[str]:
    lines: list[str] = []
    while page := administration.list_logs(wanted, page=Page(200, len(lines))):
        lines += [line.message for line in page]
    return lines


def test_a_flood_of_lines_waits_for_room_and_arrives(tmp_path: Path) -> None:
    flood_with_lines(tmp_path)


def test_a_journal_that_drops_what_it_has_no_room_for_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="lines were dropped"):
        flood_with_lines(tmp_path, DROPPING)


REFUSED: list[tuple[str, Any, str]] = [
    ("/flow_runs/", {}, "flow_id"),
    ("/flow_runs/", {"flow_id": "no id"}, "flow_id"),
    ("/flows/", {"name": 5}, "name"),
    ("/deployments/", {"name": "d", "flow_id": "x"}, "flow_id"),
    ("/work_pools/", {"name": "p", "concurrency_limit": -1}, "concurrency_limit"),
    ("/variables/", {"name": "v", "value": 1, "tags": "a"}, "tags"),
    ("/flow_runs/filter", {"limit": 1_000}, "limit"),
    ("/flow_runs/filter", {"flow_runs": {"state": {"type": {"any_": ["DONE"]}}}}, "state"),
    ("/logs/", [{"message": "m"}], "name"),
    ("/automations/", {"name": "a", "trigger": {"type": "event", "posture": "Lazy"}, "actions": []}, "posture"),
    ("/events/filter", {"filter": {"order": "UP"}}, "order"),
    ("/v2/concurrency_limits/", {"name": "l", "limit": "many"}, "limit"),
]
"""What is wrong with a request, and which word of it whoever asked has to be told."""


def flood_with_nonsense(folder: Path, rounds: int, bug: str | None = None) -> None:
    """Ask for what cannot be, from several sides and beside what can; each answer says what is wrong."""
    odd: list[str] = []
    with serving(folder, bug) as server:

        def ask() -> None:
            with httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as client:
                for _ in range(rounds):
                    for path, body, word in REFUSED:
                        answer = client.post(path, json=body)
                        if answer.status_code != 422 or word not in str(answer.json().get("exception_detail")):
                            odd.append(f"{path} {body}: {answer.status_code} {answer.text}")
                    if client.post("/flows/", json={"name": "sense"}).status_code >= 300:
                        odd.append("what could be was refused")

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.open_execution().last_cursor().sequence >= 0, "the server goes on"
    assert not odd, f"{len(odd)} were refused without saying why, such as {odd[0]}"


def test_what_is_refused_is_told_why(tmp_path: Path) -> None:
    flood_with_nonsense(tmp_path, rounds=20)


def test_a_server_that_refuses_mutely_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="were refused without saying why"):
        flood_with_nonsense(tmp_path, 1, "refuses-mutely")
