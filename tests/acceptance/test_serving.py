"""Flows served and deployed from scripts, as people do it: real processes, without a server and with one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from textwrap import dedent
from typing import Any, cast
from uuid import UUID

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.gateway.administration import Administration
from headrace.schema.deployment import Deployment, DeploymentFlowRunCreate
from headrace.schema.filters import IdFilter, RunSelection, TaskRunFilter
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkPoolCreate
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import await_line, end_left_behind

HEADRACE = str(Path(sys.executable).with_name("headrace"))

ETL = """
    from headrace import flow, serve
    from rows import START

    @flow(persist_result=True)
    def etl(rows: int = 0):
        return START + rows

    @flow
    def asking(pipe: str, answer: str):
        with open(pipe, "w") as told:
            print("begun", file=told)
        with open(answer) as heard:
            return heard.readline()

    if __name__ == "__main__":
        serve(etl.to_deployment("often", interval=1), asking.to_deployment("now"), limit=4)
"""

PARENT = """
    import asyncio
    from headrace import flow
    from headrace.deployments import run_deployment

    @flow
    def parent():
        return run_deployment("etl/often", {"rows": 2}).state.result()

    @flow
    async def aparent():
        runs = await asyncio.gather(*(run_deployment("etl/often", {"rows": n}) for n in (3, 4)))
        return [run.state.result() for run in runs]

    print(parent(), asyncio.run(aparent()))
"""


class Desk:
    """A folder of scripts, run with one home, with or without a server; what comes of it is looked at from here."""

    def __init__(self, folder: Path, environ: dict[str, str], administration: Administration) -> None:
        self.folder = folder
        self.environ = {**os.environ, **environ}
        self.administration = administration
        self.services: list[subprocess.Popen[str]] = []

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(dedent(text), encoding="utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False, timeout=100
        )

    def serve(self, *command: str) -> subprocess.Popen[str]:
        """Return when the runs of what it serves are executed."""
        with (self.folder / "served.log").open("ab") as log:
            service = subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True,
            )  # fmt: skip
        self.services.append(service)
        assert service.stdout
        said = [*takewhile(lambda line: line not in {"", "\n"}, iter(service.stdout.readline, None))]
        assert said[:1] == ["Serving\n"], self.log
        return service

    @property
    def log(self) -> str:
        return (self.folder / "served.log").read_text(encoding="utf-8")

    def deployment(self, full: str) -> Deployment:
        flow, _, name = full.partition("/")
        return self.administration.read_deployment_by_name(flow, name)

    def ask(self, full: str, **parameters: Any) -> UUID:
        told = DeploymentFlowRunCreate(parameters=parameters)
        return self.administration.run_deployment(self.deployment(full).id, told).id

    def wait(self, until: Callable[[FlowRun], bool]) -> FlowRun:
        """The first run that is so, once there is one."""
        while True:
            for run in self.administration.list_flow_runs():
                if until(run):
                    return run
            self.pause()

    def pause(self) -> None:
        """Until something more may have happened."""
        with closing(open_execution(load_settings(self.environ))) as execution:
            execution.wait_for_events(0.2)

    def close(self) -> None:
        for service in self.services:
            service.kill()
            service.communicate()
        end_left_behind(self.environ["HEADRACE_HOME"])


def has_completed(run: FlowRun) -> bool:
    return run.state_type is StateType.COMPLETED


@pytest.fixture(params=["embedded", "server"])
def desk(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "project"
    folder.mkdir()
    environ = {"HEADRACE_HOME": str(home)}
    server = ServerProcess(home, tmp_path / "server.log")
    if request.param == "server":
        server.start()
        environ["HEADRACE_API_URL"] = server.url
    with closing(cast("Any", open_administration(load_settings({**os.environ, **environ})))) as administration:
        opened = Desk(folder, environ, administration)
        opened.write("rows.py", "START = 40\n")
        opened.write("etl.py", ETL)
        yield opened
        opened.close()
    if request.param == "server":
        server.stop()


def test_a_script_serves_scheduled_runs_and_those_of_other_flows_until_ctrl_c(desk: Desk) -> None:
    desk.write("parent.py", PARENT)
    service = desk.serve(sys.executable, "etl.py")
    scheduled = desk.wait(lambda run: run.auto_scheduled and has_completed(run))
    assert scheduled.deployment_id == desk.deployment("etl/often").id

    said = desk.run(sys.executable, "parent.py")
    assert said.stdout.split() == ["42", "[43,", "44]"], said.stderr
    for name, count in (("parent", 1), ("aparent", 2)):
        (asked,) = [run for run in desk.administration.list_flow_runs() if run.name and is_of(desk, run, name)]
        within = RunSelection(task_runs=TaskRunFilter(flow_run_id=IdFilter(any_=[asked.id])))
        stand = desk.administration.list_task_runs(within)
        children = [run for run in desk.administration.list_flow_runs() if run.parent_task_run_id]
        assert len(stand) == count
        assert {each.id for each in stand} <= {run.parent_task_run_id for run in children}
        assert {each.state_type for each in stand} == {StateType.COMPLETED}

    service.send_signal(signal.SIGINT)
    assert service.wait(100) == 0
    assert (desk.deployment("etl/often").paused, desk.deployment("asking/now").paused) == (True, False)
    waiting = [run for run in desk.administration.list_flow_runs() if run.state_type is StateType.SCHEDULED]
    assert waiting == []
    assert "Traceback" not in desk.log


def is_of(desk: Desk, run: FlowRun, name: str) -> bool:
    return desk.administration.read_flow(run.flow_id).name == name


def test_what_is_executed_when_serving_stops_is_finished(desk: Desk, tmp_path: Path) -> None:
    pipe, answer = tmp_path / "pipe", tmp_path / "answer"
    os.mkfifo(pipe)
    os.mkfifo(answer)
    command = (HEADRACE, "flow", "serve", "etl.py:asking", "-n", "now", "--cron", "0 6 1 1 *", "--no-pause-on-shutdown")
    service = desk.serve(*command)
    run = desk.ask("asking/now", pipe=str(pipe), answer=str(answer))
    assert await_line(pipe) == "begun"
    service.send_signal(signal.SIGTERM)
    while "Taking no more runs" not in desk.log:
        desk.pause()
    answer.write_text("go on\n", encoding="utf-8")
    assert service.wait(100) == 0
    assert has_completed(desk.administration.read_flow_run(run))
    assert not desk.deployment("asking/now").paused


def test_a_script_deploys_and_a_worker_executes_it(desk: Desk) -> None:
    desk.administration.create_work_pool(WorkPoolCreate(name="local", type="process"))
    desk.write(
        "deploy.py",
        """
        from headrace.deployments import run_deployment
        from etl import etl

        if __name__ == "__main__":
            etl.deploy("daily", work_pool_name="local", parameters={"rows": 1}, cron="0 6 1 1 *")
            print(run_deployment("etl/daily", timeout=0).id)
        """,
    )
    said = desk.run(sys.executable, "deploy.py")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Deployed etl/daily to the work pool local (process).\n")
    assert desk.run(HEADRACE, "worker", "start", "-p", "local", "--run-once").returncode == 0
    assert has_completed(desk.administration.read_flow_run(UUID(said.stdout.split()[-1])))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ('etl.serve("a/b")', "Error: Deployment 'a/b': a deployment cannot be called 'a/b'"),
        (
            'etl.serve(parameters={"row": 1})',
            "Error: Deployment 'etl': flow 'etl' has no parameter 'row'; did you mean",
        ),
        ('etl.deploy("x", "nowhere")', "Error: Deployment 'x': there is no work pool 'nowhere'"),
        ('etl.deploy("x", image="a/b:1")', "Error: image: Headrace builds and pushes no images"),
    ],
)
def test_what_a_script_says_wrongly_is_told_in_one_line(desk: Desk, code: str, says: str) -> None:
    desk.write("wrong.py", f"from etl import etl\n{code}\n")
    said = desk.run(sys.executable, "wrong.py")
    (line,) = said.stderr.splitlines()
    assert (said.returncode, said.stdout) == (1, "")
    assert line.startswith(says)
