"""Durable flows that are killed at random points, and what must hold afterwards."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from uuid import UUID

from headrace.schema.state import StateType
from tests.acceptance.serving import ServerProcess

TASKS = 50

PROGRAM = """
import asyncio, hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from headrace import flow, task

PROGRESS = int(os.environ["PROGRESS"])

@task(task_run_name="{label}")
def step(label: str, before: str) -> str:
    os.write(PROGRESS, b"<")
    with open("side", "a") as side:
        side.write(label + "\\n")
    value = hashlib.sha256(f"{before} {label}".encode()).hexdigest()[:12]
    os.write(PROGRESS, b">")
    return value

@task(task_run_name="{label}")
async def astep(label: str, before: str) -> str:
    os.write(PROGRESS, b"<")
    with open("side", "a") as side:
        side.write(label + "\\n")
    await asyncio.sleep(0)
    value = hashlib.sha256(f"{before} {label}".encode()).hexdigest()[:12]
    os.write(PROGRESS, b">")
    return value

def chain(branch: str, length: int) -> str:
    value = branch
    for number in range(length):
        value = step(f"{branch}{number}", value)
    return value

@task
def chain_of_steps(branch: str, length: int) -> str:
    return chain(branch, length)

async def achain(branch: str, length: int) -> str:
    value = branch
    for number in range(length):
        value = await astep(f"{branch}{number}", value)
    return value

def tell(value: str) -> str:
    with open("value", "w") as file:
        file.write(value)
    return value

@flow(durable=True)
def sequential() -> str:
    return tell(chain("a", 50))

@flow(durable=True)
async def gathered() -> str:
    return tell(" ".join(await asyncio.gather(achain("a", 17), achain("b", 17), achain("c", 16))))

@flow(durable=True)
def threaded() -> str:
    with ThreadPoolExecutor(3) as threads:
        ways = [threads.submit(copy_context().run, chain, *way) for way in (("a", 17), ("b", 17), ("c", 16))]
        return tell(" ".join(way.result() for way in ways))

@flow(durable=True)
def submitted() -> str:
    ways = [chain_of_steps.submit(*way) for way in (("a", 17), ("b", 17), ("c", 16))]
    return tell(" ".join(way.result() for way in ways))

if __name__ == "__main__":
    chosen = globals()[sys.argv[1]]
    value = chosen()
    if asyncio.iscoroutine(value):
        asyncio.run(value)
"""

SHAPES = ("sequential", "gathered", "sequential", "threaded", "sequential", "submitted")
"""Half of the runs go one step after another, half in three branches at once that share the names of their tasks."""


class Killing:
    """One run, its folder, and the processes that execute it until they are killed."""

    def __init__(self, folder: Path, shape: str, server: ServerProcess | None = None) -> None:
        self.folder = folder
        self.shape = shape
        self.server = server
        self.environ = {**os.environ, "HEADRACE_HOME": str(folder / "home")}
        if server is not None:
            self.environ |= {"HEADRACE_API_URL": server.url, "HEADRACE_HEARTBEAT_SECONDS": "1"}
        folder.mkdir()
        (folder / "program.py").write_text(PROGRAM, encoding="utf-8")

    def run(self) -> str:
        """Run it from the beginning to its end, and return its value."""
        self._finish([sys.executable, "program.py", self.shape])
        return self.value()

    def value(self) -> str:
        """What the run came to."""
        return (self.folder / "value").read_text(encoding="utf-8")

    def kill_at(self, point: int, later: float, flow_run_id: UUID | None = None) -> None:
        """Run it, or resume the run, and kill it `later` seconds after so many signs of progress, and the server with it."""
        command = [sys.executable, "program.py", self.shape]
        if flow_run_id is not None:
            command = [sys.executable, "-m", "headrace", "flow-run", "resume", str(flow_run_id)]
        progress, writing = os.pipe()
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environ, "PROGRESS": str(writing)},
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        seen = 0
        while seen < point and (signs := os.read(progress, point - seen)):
            seen += len(signs)
        threading.Event().wait(later)
        if self.server is not None:
            self.server.kill()
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(progress)
        if self.server is not None:
            self.server.start()

    def await_death(self, flow_run_id: UUID) -> None:
        """Wait until a server knows that nobody executes the run; without one, whoever looks sees it at once."""
        if self.server is not None:
            self.server.wait_until(flow_run_id, lambda run: run.state is not None and run.state.is_final())

    def resume(self, flow_run_id: UUID) -> None:
        """Resume it and let it come to its end."""
        self._finish([sys.executable, "-m", "headrace", "flow-run", "resume", str(flow_run_id)])

    def _finish(self, command: list[str]) -> None:
        with Path(os.devnull).open("wb") as nothing:
            ended = subprocess.run(
                command,
                cwd=self.folder,
                env={**self.environ, "PROGRESS": str(nothing.fileno())},
                pass_fds=[nothing.fileno()],
                capture_output=True,
                text=True,
                check=False,
            )
        assert ended.returncode == 0, ended.stderr

    def ask(self, query: str) -> list[tuple[str, ...]]:
        """What the database holds."""
        home = self.folder / "home" if self.server is None else self.server.home
        database = sqlite3.connect(home / "headrace.db")
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:  # killed before the database was made
            return []
        finally:
            database.close()

    def find_run(self) -> UUID | None:
        """The run, if it came to be."""
        runs = self.ask("SELECT hex(id) FROM flow_runs")
        return UUID(runs[0][0]) if runs else None

    def finished(self) -> set[str]:
        """The steps that the database holds as finished."""
        rows = self.ask("SELECT name FROM task_runs WHERE state_type = 'COMPLETED' AND task_key LIKE '%step%'")
        return {row[0] for row in rows if not row[0].startswith("chain")}

    def executed(self) -> Counter[str]:
        """How often each step was executed."""
        side = self.folder / "side"
        return Counter(side.read_text(encoding="utf-8").split() if side.exists() else ())

    def state(self) -> str:
        """The state of the run."""
        return self.ask("SELECT state_type FROM flow_runs")[0][0]


def kill_and_resume(killing: Killing, chance: random.Random, expected: str) -> str:
    """Kill a run at a random point, perhaps twice, resume it, and check what must hold; return what happened."""
    point, later = chance.randrange(2 * TASKS), chance.random() * 0.002
    killing.kill_at(point, later)
    run_id = killing.find_run()
    if run_id is None:
        return "killed before the run came to be"
    killing.await_death(run_id)
    held = killing.finished()
    once = {label: killing.executed()[label] for label in held}
    if chance.random() < 0.25 and killing.state() != StateType.COMPLETED:
        killing.kill_at(chance.randrange(max(2 * (TASKS - len(held)), 1)), later, run_id)
        killing.await_death(run_id)
    if killing.state() == StateType.COMPLETED:
        return "had completed when it was killed"
    killing.resume(run_id)
    assert killing.state() == StateType.COMPLETED
    after = killing.executed()
    twice = {label for label in held if after[label] != once[label]}
    assert not twice, f"finished before the kill at {point}, and executed again: {sorted(twice)}"
    assert len(after) == TASKS, f"never executed: {TASKS - len(after)} steps"
    assert killing.value() == expected
    return f"{len(held)} steps restored"
