"""Task runners on real processes and real local clusters: a flow means the same on each, and a killed worker loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration
from headrace.schema.filters import FlowRunFilter, IdFilter, LogFilter, RunSelection
from headrace.schema.run import Page

RUNNERS = """
import os, sys
def make_runner(name):
    if name == "processes":
        from headrace.task_runners import ProcessPoolTaskRunner
        return ProcessPoolTaskRunner(max_workers=2)
    if name == "dask":
        from headrace.integrations.dask import DaskTaskRunner
        return DaskTaskRunner(cluster_kwargs={"n_workers": 2, "threads_per_worker": 2})
    if name == "ray":
        from headrace.integrations.ray import RayTaskRunner
        return RayTaskRunner(init_kwargs={"num_cpus": 2, "object_store_memory": 100_000_000})
    from headrace.task_runners import ThreadPoolTaskRunner
    return ThreadPoolTaskRunner()
"""

THOUSAND = (
    RUNNERS
    + """
import signal
from headrace import flow, task

@task
def double(number, mark):
    if number == 400 and not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number

@flow(task_runner=make_runner(sys.argv[1]))
def thousand(mark):
    return sum(double.map(range(1000), mark=mark).result())

if __name__ == "__main__":
    print(thousand(sys.argv[2]))
"""
)

MEANING = (
    RUNNERS
    + """
import asyncio, json, subprocess, threading
from headrace import allow_failure, flow, get_run_logger, tags, task
from headrace.cache_policies import INPUTS
from headrace.runtime import flow_run, task_run

class Own:
    def __init__(self, number):
        self.number = number

class OwnError(Exception):
    pass

@task(log_prints=True, tags=["own"])
def look(number):
    print(f"looking at {number}")
    get_run_logger().warning("a warning")
    return Own([number, flow_run.name, flow_run.parameters, task_run.name, task_run.tags, task_run.run_count])

@task(retries=2, on_failure=[lambda task, run, state: get_run_logger().info(f"hook: {state.name}")], log_prints=True)
def fail():
    raise OwnError(f"try {task_run.run_count}")

@task(retries=1)
def recover():
    if task_run.run_count == 1:
        raise OwnError("once")
    return "recovered"

@task
def show(*values):
    return [value.number if isinstance(value, Own) else repr(value) for value in values]

@task(timeout_seconds=0.3)
def late():
    for _ in range(600):
        threading.Event().wait(0.1)

@task
async def later(number):
    await asyncio.sleep(0)
    return number

@task
def count(number):
    yield from range(number)

@task
def leave():
    sys.exit(3)

@task(cache_policy=INPUTS)
def keep(number):
    return number * 3

@task
def inner(number):
    get_run_logger().info(f"inner {number}")
    return number + 1

@flow
def below(number):
    return inner(number) + inner.submit(number).result()

@task
def outer(number):
    return below(number) + inner(number)

@task(retries=1, retry_delay_seconds=600)
def stuck():
    raise OwnError("never again")

def tell(future):
    future.wait()
    state = future.state
    return [state.type, state.name, state.message if not state.is_crashed() else "crashed"]

@flow(task_runner=make_runner(sys.argv[1]), name="meaning", flow_run_name="the-run", log_prints=True)
def meaning(size=3):
    told = {}
    with tags("around"):
        looked = look.map(range(size))
    told["looked"] = [own.number for own in looked.result()]
    told["shown"] = show.submit(looked[0], looked, wait_for=[looked[1]]).result()[:1]
    failed = fail.submit()
    told["failed"] = tell(failed)
    told["own error"] = type(failed.result(raise_on_failure=False)) is OwnError
    told["not ready"] = tell(show.submit(failed))
    told["allowed"] = show.submit(allow_failure(failed)).result()
    told["recovered"] = recover.submit().result()
    told["late"] = tell(late.submit())
    told["later"] = later.submit(5).result()
    told["count"] = count.submit(3).result()
    told["left"] = tell(leave.submit())
    told["kept"] = [tell(keep.submit(7)), tell(keep.submit(7)), keep.submit(7).result()]
    told["outer"] = sorted(outer.map([1, 10]).result())
    waiting = stuck.submit()
    cancel = [sys.argv[2], "flow-run", "cancel", str(flow_run.id)]
    subprocess.run(cancel, check=True, capture_output=True)
    told["stuck"] = tell(waiting)
    print("told", file=sys.stderr)
    sys.stdout.write(json.dumps({"id": flow_run.id, "told": told}) + "\\n")
    return told

if __name__ == "__main__":
    meaning(return_state=True)
"""
)


def needs(runner: str) -> None:
    """Skip on a laptop without the library, saying so; fail where CI=true, unless it has no wheels for this Python."""
    module = {"dask": "distributed", "ray": "ray"}.get(runner)
    if module is None or find_spec(module) is not None:
        return
    reason = f"{module} is not installed for Python {sys.version_info.major}.{sys.version_info.minor}"
    if os.environ.get("CI") == "true" and not (module == "ray" and sys.version_info >= (3, 15)):
        pytest.fail(reason)
    pytest.skip(reason)


def run(tmp_path: Path, code: str, *args: str) -> str:
    script = tmp_path / "script.py"
    script.write_text(code)
    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    process = subprocess.run(
        [sys.executable, str(script), *args], capture_output=True, text=True, check=False, env=untraced, cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("runner", ["processes", "dask", "ray"])
def test_a_thousand_tasks_are_all_recorded_although_a_worker_is_killed(home: Path, tmp_path: Path, runner: str) -> None:
    needs(runner)
    mark = tmp_path / "killed"
    assert "999000" in run(tmp_path, THOUSAND, runner, str(mark)).splitlines()
    assert mark.exists()
    administration = open_administration(load_settings())
    (flow_run,) = administration.list_flow_runs()
    assert flow_run.state_name == "Completed"
    counts: dict[str | None, int] = {}
    for offset in range(0, 1200, 200):
        for task_run in administration.list_task_runs(page=Page(limit=200, offset=offset)):
            counts[task_run.state_name] = counts.get(task_run.state_name, 0) + 1
            assert task_run.start_time is not None
    assert counts == {"Completed": 1000}


def mean(home: Path, tmp_path: Path, runner: str) -> dict[str, Any]:
    """What the flow told on this runner, and what is recorded of it."""
    headrace = str(Path(sys.executable).with_name("headrace"))
    shown = run(tmp_path, MEANING, runner, headrace).splitlines()  # clusters have something to say as well
    answer = json.loads(next(line for line in shown if line.startswith("{")))
    administration = open_administration(load_settings())
    selection = RunSelection(flow_runs=FlowRunFilter(id=IdFilter(any_=[UUID(answer["id"])])))
    task_runs = administration.list_task_runs(selection, page=Page(limit=200))
    lines = administration.list_logs(LogFilter(), page=Page(limit=200))
    (flow_run,) = administration.list_flow_runs(selection)
    keys = {task_run.id: task_run.task_key for task_run in administration.list_task_runs(page=Page(limit=200))}
    return {
        "told": answer["told"],
        "flow": [flow_run.state_type, flow_run.name],
        "tasks": sorted(
            [run.task_key, run.state_type, run.state_name, run.run_count, run.tags, *sorted(run.task_inputs)]
            for run in task_runs
        ),
        "lines": sorted(
            [keys[line.task_run_id], line.level, line.message.partition("\n")[0]]
            for line in lines
            if line.task_run_id is not None
        ),
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("runner", ["processes", "dask", "ray"])
def test_a_flow_means_the_same_as_on_threads(
    home: Path, tmp_path: Path, runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(runner)
    on_threads = mean(home, tmp_path, "threads")
    assert on_threads["flow"] == ["CANCELLED", "the-run"]
    assert on_threads["told"]["stuck"][0] == "CANCELLED"
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "other"))
    assert mean(home, tmp_path, runner) == on_threads
