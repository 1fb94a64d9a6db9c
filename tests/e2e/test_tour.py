"""The newcomer's path from the first command to a pipeline that runs by itself, as typed and clicked: real processes, a real
repository, a real browser, real trips.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEADRACE = Path(sys.executable).with_name("headrace")
TRIPS = 4_000
"""Of each month: enough to learn from, and few enough to train on again and again."""

pytestmark = [
    pytest.mark.example,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        find_spec("xgboost") is None and os.environ.get("CI") != "true",
        reason="the libraries that the taxi example trains with are not installed; `make setup` brings them",
    ),
]

FEWER_TRIPS = """
import sys
from pathlib import Path
import pandas
sys.path.insert(0, sys.argv[1])
from data import find_trips
for path in find_trips(Path(sys.argv[2])):
    pandas.read_parquet(path).head(int(sys.argv[4])).to_parquet(Path(sys.argv[3]) / path.name)
"""

TWO_DEPLOYMENTS = """
name: taxi
pull:
  - headrace.deployments.steps.git_clone:
      repository: {repository}
deployments:
  - name: taxi_local_data1
    entrypoint: orchestrate.py:main_flow
    work_pool:
      name: zoompool
  - name: taxi_local_data2
    entrypoint: orchestrate.py:main_flow
    tags: [tour]
    work_pool:
      name: zoompool
    schedule:
      cron: "* * * * *"
      timezone: Europe/Berlin
      active: false
"""


class Newcomer:
    """Somebody at a terminal, in a folder of their own, on a machine that has never seen Headrace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_CONFIG_GLOBAL": os.devnull}
        # Threads of several trainings at once would wait for each other more than they compute.
        self.environ = {**os.environ, **quiet, "OMP_NUM_THREADS": "1"}
        self.services: list[subprocess.Popen[str]] = []

    def type(self, *command: object) -> str:
        """What a command prints. One that fails shows all it said."""
        words = [str(HEADRACE), *map(str, command[1:])] if command[0] == "headrace" else [*map(str, command)]
        result = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def read(self, *command: object) -> Any:
        return json.loads(self.type("headrace", *command, "-o", "json"))

    def leave_running(self, *command: object, log: str) -> None:
        with (self.folder / log).open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                [*map(str, command)], cwd=self.folder, env=self.environ, stdout=file, stderr=file, text=True
            )
        self.services.append(process)

    def go_home(self) -> None:
        while self.services:
            service = self.services.pop()
            service.terminate()
            service.terminate()  # what its schedules have begun meanwhile is not waited for
            service.wait(60)
        self.type("headrace", "server", "stop")

    def await_end(self, flow_run_id: str) -> dict[str, Any]:
        """The run, once it has ended well."""
        self.type("headrace", "flow-run", "watch", flow_run_id, "--timeout", "300")
        run = self.read("flow-run", "inspect", flow_run_id)
        assert run["state_type"] == "COMPLETED"
        return run


@pytest.fixture
def newcomer(tmp_path: Path, home: Path) -> Iterator[Newcomer]:
    folder = tmp_path / "tour"
    folder.mkdir()
    somebody = Newcomer(folder)
    yield somebody
    somebody.go_home()


@contextmanager
def serving_facts(failure_rate: float) -> Generator[str]:
    """A facts server; with this seed one that refuses half of all requests answers the third."""
    words = ["--port", "0", "--failure-rate", str(failure_rate), "--seed", "1"]
    command = [sys.executable, str(EXAMPLES / "facts_server.py"), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[3].rstrip(",")
        server.terminate()


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    """Real trips where there are any, else made up; fewer of them."""
    folder = tmp_path / "trips"
    folder.mkdir()
    command = [sys.executable, "-c", FEWER_TRIPS, str(EXAMPLES / "taxi"), str(tmp_path / "found"), str(folder)]
    subprocess.run([*command, str(TRIPS)], check=True, stdout=subprocess.DEVNULL)
    return folder


def make_repository(folder: Path, trips: Path) -> Path:
    """A bare repository with the pipeline and its data."""
    work, bare = folder / "work", folder / "taxi.git"
    (work / "data").mkdir(parents=True)
    for path in trips.iterdir():
        shutil.copy(path, work / "data")
    code = (EXAMPLES / "taxi" / "orchestrate.py").read_text(encoding="utf-8")
    (work / "orchestrate.py").write_text(code.replace("@flow\n", '@flow(name="main-flow-35")\n'), encoding="utf-8")
    identity = ["-c", "user.name=Newcomer", "-c", "user.email=newcomer@example.org"]
    for words in (["init", "--quiet", "-b", "main"], ["add", "."], [*identity, "commit", "--quiet", "-m", "Taxi"]):
        subprocess.run(["git", *words], cwd=work, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(work), str(bare)], check=True)
    return bare


def test_the_tour(newcomer: Newcomer, browser: Browser, trips: Path, tmp_path: Path) -> None:
    page = start_server(newcomer, browser)
    see_retries(newcomer, page)
    see_subflows(newcomer, page)
    repository = make_repository(tmp_path, trips)
    start_project(newcomer, repository)
    newcomer.leave_running(HEADRACE, "worker", "start", "-p", "zoompool", log="worker.log")
    run_from_the_browser(newcomer, page)
    deploy_two(newcomer, repository)
    run_from_the_terminal(newcomer, page)
    run_every_minute(newcomer, page)


def start_server(newcomer: Newcomer, browser: Browser) -> Page:
    newcomer.type("headrace", "server", "start", "--background", "--port", "0")
    url = newcomer.read("server", "status")[0]["url"]
    newcomer.type("headrace", "config", "set", f"HEADRACE_API_URL={url}/api")
    assert "server" in newcomer.type("headrace", "version")
    page = browser.new_page(base_url=url, viewport={"width": 1440, "height": 900})
    page.goto("/")
    return page


def see_retries(newcomer: Newcomer, page: Page) -> None:
    """The exception and the retry that succeeded are told at the terminal and in the browser."""
    with serving_facts(0.5) as url:
        newcomer.type(sys.executable, EXAMPLES / "cat_facts.py", f"{url}/fact")
    (run,) = newcomer.read("flow-run", "ls", "--flow-name", "fetch")
    told = newcomer.type("headrace", "flow-run", "logs", run["id"])
    page.goto(f"/runs/{run['id']}?tab=logs")
    for words in ("HTTPStatusError", "answered 500", "answered 200"):
        assert words in told
        expect(page.get_by_text(words).first).to_be_visible()


def see_subflows(newcomer: Newcomer, page: Page) -> None:
    with serving_facts(0.0) as url:
        newcomer.type(sys.executable, EXAMPLES / "animal_facts.py", f"{url}/fact", f"{url}/api/v2/facts?limit=1")
    newest = newcomer.read("flow-run", "ls", "--limit", "3")
    names = {flow["id"]: flow["name"] for flow in newcomer.read("flow", "ls")}
    assert sorted(names[run["flow_id"]] for run in newest) == ["animal-facts", "fetch-cat-fact", "fetch-dog-fact"]
    page.goto("/runs")
    for name in ("animal-facts", "fetch-cat-fact", "fetch-dog-fact"):
        expect(page.get_by_role("link", name=name)).to_be_visible()


def start_project(newcomer: Newcomer, repository: Path) -> None:
    newcomer.type("headrace", "project", "init")
    for name in ("headrace.yaml", "deployment.yaml", ".headraceignore", ".headrace"):
        assert (newcomer.folder / name).exists()
    newcomer.type("headrace", "work-pool", "create", "zoompool", "--type", "process")
    subprocess.run(["git", "clone", "--quiet", str(repository), "code"], cwd=newcomer.folder, check=True)
    (newcomer.folder / "headrace.yaml").write_text(
        f"pull:\n  - headrace.deployments.steps.git_clone:\n      repository: {repository}\n", encoding="utf-8"
    )
    (newcomer.folder / "deployment.yaml").unlink()
    shutil.copy(newcomer.folder / "code" / "orchestrate.py", newcomer.folder)
    newcomer.type("headrace", "deploy", "orchestrate.py:main_flow", "-n", "taxi1", "-p", "zoompool")


def run_from_the_browser(newcomer: Newcomer, page: Page) -> None:
    """Data paths are relative to the clone; what the run reports is shown with its heading and its table."""
    deployment = newcomer.read("deployment", "inspect", "main-flow-35/taxi1")
    page.goto(f"/deployments/{deployment['id']}")
    page.get_by_role("button", name="Quick run").click()
    page.get_by_role("button", name="Open", exact=True).click()
    page.wait_for_url(re.compile("/runs/[0-9a-f-]{36}"))
    run = newcomer.await_end(page.url.rpartition("/")[2].partition("?")[0])
    see_report(newcomer, page, run["id"])


def see_report(newcomer: Newcomer, page: Page, flow_run_id: str) -> None:
    told = newcomer.type("headrace", "flow-run", "logs", flow_run_id)
    rmse = re.search(r"RMSE: ([\d.]+) minutes", told)
    assert rmse
    assert 4 < float(rmse[1]) < 9
    page.goto(f"/runs/{flow_run_id}?tab=artifacts")
    page.get_by_text("duration-model-report").first.click()
    expect(page.get_by_role("heading", name="Duration prediction")).to_be_visible()
    expect(page.get_by_role("cell", name=f"{float(rmse[1]):.2f}").first).to_be_visible()


def deploy_two(newcomer: Newcomer, repository: Path) -> None:
    text = TWO_DEPLOYMENTS.format(repository=repository)
    (newcomer.folder / "headrace.yaml").write_text(text, encoding="utf-8")
    told = newcomer.type("headrace", "deploy", "--all")
    assert "taxi_local_data1" in told
    assert "taxi_local_data2" in told
    assert {each["name"] for each in newcomer.read("deployment", "ls")} == {
        "taxi1",
        "taxi_local_data1",
        "taxi_local_data2",
    }


def run_from_the_terminal(newcomer: Newcomer, page: Page) -> None:
    newcomer.type("headrace", "deployment", "run", "main-flow-35/taxi_local_data2", "--watch")
    newest = newcomer.read("flow-run", "ls", "--limit", "1")[0]
    see_report(newcomer, page, newest["id"])


def run_every_minute(newcomer: Newcomer, page: Page) -> None:
    """A schedule from the browser, one from the terminal, one from YAML: their runs are made for every minute."""
    deployment = newcomer.read("deployment", "inspect", "main-flow-35/taxi1")
    page.goto(f"/deployments/{deployment['id']}")
    page.get_by_role("button", name="Add a schedule").first.click()
    page.get_by_text("Cron", exact=True).click()
    page.get_by_label("Cron line").fill("* * * * *")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("The schedule is added.")).to_be_visible()
    newcomer.type("headrace", "deployment", "schedule", "create", "main-flow-35/taxi_local_data1", "--interval", "60")
    (written,) = newcomer.read("deployment", "inspect", "main-flow-35/taxi_local_data2")["schedules"]
    newcomer.type("headrace", "deployment", "schedule", "resume", "main-flow-35/taxi_local_data2", written["id"])
    ids = {each["name"]: each["id"] for each in newcomer.read("deployment", "ls")}
    for name in ("taxi1", "taxi_local_data1", "taxi_local_data2"):
        started = await_scheduled_run(newcomer, ids[name])
        assert (started - started.replace(second=0, microsecond=0)).total_seconds() < 60
    for name in ids:
        newcomer.type("headrace", "deployment", "pause", f"main-flow-35/{name}")


def await_scheduled_run(newcomer: Newcomer, deployment_id: str) -> datetime:
    """When the first run that a schedule made for the deployment was begun."""
    while True:
        for run in newcomer.read("flow-run", "ls", "--limit", "200"):
            if run["deployment_id"] == deployment_id and run["auto_scheduled"] and run["start_time"]:
                return datetime.fromisoformat(run["start_time"]).astimezone(UTC)
