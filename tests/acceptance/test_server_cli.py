"""Servers as people start, watch and stop them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import structs

from headrace.base.settings import load_settings
from headrace.connect import open_execution

HEADRACE = str(Path(sys.executable).with_name("headrace"))


class Machine:
    """Somebody's machine: commands, and how they end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {**os.environ, "HEADRACE_HOME": str(home)}

    def run(self, *arguments: str, code: int = 0) -> str:
        ended = subprocess.run(
            [HEADRACE, *arguments], env=self.environ, capture_output=True, text=True, timeout=100, check=False
        )
        assert (ended.returncode, ended.stderr) == (code, ""), ended.stderr + ended.stdout
        return ended.stdout

    def start(self, *arguments: str) -> str:
        """Start a server in the background; its address."""
        said = self.run("server", "start", "--background", "--port", "0", *arguments)
        return next(word for word in said.split() if word.startswith("http://"))

    def status(self) -> list[dict[str, Any]]:
        return json.loads(self.run("server", "status", "-o", "json"))

    def loops(self) -> dict[str, str | None]:
        """Where each loop goes on."""
        told = json.loads(self.run("server", "services", "ls", "-o", "json"))
        return {each["name"]: each["place"] for each in told}


@pytest.fixture
def machine(home: Path) -> Iterator[Machine]:
    made = Machine(home)
    yield made
    made.run("server", "stop")
    made.run("server", "services", "stop")


def numbers(url: str) -> set[str]:
    """The processes that have answered, as their metrics say."""
    text = httpx2.get(f"{url}/api/metrics", trust_env=False).text
    return {part.split('"')[1] for part in text.replace(",", "{").split("{") if part.startswith("process=")}


def test_several_processes_serve_on_one_port_until_they_are_stopped(machine: Machine) -> None:
    url = machine.start("--workers", "2", "--keep-alive-timeout", "30")
    (server,) = machine.status()
    assert server["healthy"]
    assert server["url"] == url
    seen: set[str] = set()
    while len(seen) < 2:
        seen |= numbers(url)
    places = {place for place in machine.loops().values() if place}
    assert len(places) == 1, "the loops go on in one of them"
    machine.run("server", "stop")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/api/health", trust_env=False)
    for number in seen:
        assert not Path("/proc", number).exists()


def test_a_process_of_several_that_dies_is_followed_by_another(machine: Machine) -> None:
    url = machine.start("--workers", "2")
    seen: set[str] = set()
    while len(seen) < 2:
        seen |= numbers(url)
    killed = min(seen)
    os.kill(int(killed), signal.SIGKILL)
    later: set[str] = set()
    while len(later - {killed}) < 2:
        try:
            later |= numbers(url)
        except httpx2.HTTPError:
            continue  # a connection that the dead one had taken
    assert machine.status()[0]["healthy"]


def test_processes_of_a_server_that_was_killed_end_as_well(machine: Machine) -> None:
    url = machine.start("--workers", "2")
    (server,) = machine.status()
    os.kill(server["pid"], signal.SIGKILL)
    while True:
        try:
            httpx2.get(f"{url}/api/health", trust_env=False, timeout=5)
        except httpx2.ConnectError:
            break
        except httpx2.HTTPError:
            continue


def test_loops_go_on_apart_from_a_server(machine: Machine) -> None:
    url = machine.start("--no-services")
    assert machine.loops() == {}
    assert "run (process" in machine.run("server", "services", "start", "--background")
    assert "run already" in machine.run("server", "services", "start")
    loops = machine.loops()
    assert len(loops) >= 8
    assert all(place is not None and not place.startswith(url) for place in loops.values())
    assert machine.run("server", "services", "stop") == "The background loops have stopped.\n"
    assert set(machine.loops().values()) == {None}
    assert machine.status()[0]["healthy"]


def test_a_log_can_be_read_by_machines(machine: Machine) -> None:
    machine.environ["HEADRACE_SERVER_LOGGING_FORMAT"] = "json"
    url = machine.start("--log-level", "DEBUG")
    machine.run("server", "stop")
    log = machine.home / "servers"
    lines = [json.loads(line) for path in log.glob("*.log") for line in path.read_text().splitlines()]
    assert {"time", "level", "logger", "message"} <= lines[0].keys()
    assert any("looks after" in line["message"] for line in lines)
    assert url


@pytest.mark.postgresql
def test_two_servers_share_the_loops_and_one_goes_on_when_the_other_is_killed(
    postgresql_url: str, home: Path, tmp_path: Path
) -> None:
    machines = [Machine(home / name) for name in ("one", "other")]
    for machine in machines:
        machine.environ["HEADRACE_DATABASE_URL"] = postgresql_url
    urls = [machine.start() for machine in machines]
    assert all(place is not None and place.startswith(urls[0]) for place in machines[0].loops().values())
    os.kill(machines[0].status()[0]["pid"], signal.SIGKILL)
    execution = open_execution(structs.replace(load_settings(), database_url=postgresql_url))
    try:
        while not all(place is not None and place.startswith(urls[1]) for place in machines[1].loops().values()):
            execution.wait_for_events(5)
    finally:
        execution.close()
    machines[1].run("server", "stop")
