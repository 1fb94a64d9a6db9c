"""Every example, run as a user would run it, and what the command line says about it afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEADRACE = Path(sys.executable).with_name("headrace")

pytestmark = pytest.mark.example

with_demo_libraries = pytest.mark.skipif(
    find_spec("xgboost") is None and os.environ.get("CI") != "true",
    reason="the libraries that the taxi example trains with are not installed; `make setup` brings them",
)


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """What the command prints; a failure shows all it said."""
    result = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def read_back(*arguments: str, folder: Path) -> Any:
    return json.loads(run(HEADRACE, *arguments, "-o", "json", folder=folder))


def flow_runs_by_name(folder: Path) -> dict[str, dict[str, Any]]:
    """All flow runs there are, each under the name of its flow."""
    names = {flow["id"]: flow["name"] for flow in read_back("flow", "ls", folder=folder)}
    listed = read_back("flow-run", "ls", folder=folder)
    found = {names[flow_run["flow_id"]]: flow_run for flow_run in listed}
    assert len(found) == len(listed)
    return found


@pytest.fixture
def facts_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A facts server in a process of its own; the seed says which requests it refuses."""
    failure_rate, seed = getattr(request, "param", (0.0, 1))
    command = [EXAMPLES / "facts_server.py", "--port", "0", "--failure-rate", str(failure_rate), "--seed", str(seed)]
    with subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[3].rstrip(",")
        server.terminate()


# With this seed the server refuses the first two requests and answers the third.
@pytest.mark.parametrize("facts_url", [(0.5, 1)], indirect=True)
def test_cat_facts_are_retried_until_the_server_answers(database_url: str, facts_url: str, tmp_path: Path) -> None:
    run(sys.executable, EXAMPLES / "cat_facts.py", f"{facts_url}/fact", folder=tmp_path)

    listed = flow_runs_by_name(tmp_path)["fetch"]
    flow_run = read_back("flow-run", "inspect", listed["id"], folder=tmp_path)
    assert flow_run["parameters"] == {"url": f"{facts_url}/fact"}
    assert [state["type"] for state in flow_run["states"]] == ["PENDING", "RUNNING", "COMPLETED"]

    (task_run,) = read_back("task-run", "ls", "--flow-run", listed["id"], folder=tmp_path)
    assert task_run["name"].startswith("fetch_cat_fact-")
    assert (task_run["state_type"], task_run["run_count"]) == ("COMPLETED", 3)

    lines = [log["message"] for log in read_back("flow-run", "logs", listed["id"], folder=tmp_path)]
    answers = [line for line in lines if " answered " in line]
    assert [line.split()[-1] for line in answers] == ["500", "500", "200"]


@pytest.mark.parametrize("facts_url", [(1.0, 1)], indirect=True)
def test_cat_facts_fail_when_no_try_succeeds(database_url: str, facts_url: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="500 Internal Server Error"):
        run(sys.executable, EXAMPLES / "cat_facts.py", f"{facts_url}/fact", folder=tmp_path)

    assert flow_runs_by_name(tmp_path)["fetch"]["state_type"] == "FAILED"
    (task_run,) = read_back("task-run", "ls", folder=tmp_path)
    assert (task_run["state_type"], task_run["run_count"]) == ("FAILED", 5)


def test_animal_facts_are_three_flow_runs(database_url: str, facts_url: str, tmp_path: Path) -> None:
    urls = f"{facts_url}/fact", f"{facts_url}/api/v2/facts?limit=1"
    run(sys.executable, EXAMPLES / "animal_facts.py", *urls, folder=tmp_path)

    listed = flow_runs_by_name(tmp_path)
    assert listed.keys() == {"animal-facts", "fetch-cat-fact", "fetch-dog-fact"}
    assert {flow_run["state_type"] for flow_run in listed.values()} == {"COMPLETED"}

    logs = read_back("flow-run", "logs", listed["animal-facts"]["id"], folder=tmp_path)
    messages = [log["message"] for log in logs]
    assert any(message.startswith("🐱: ") for message in messages)
    assert any(message.startswith("🐶: ") for message in messages)


@with_demo_libraries
@pytest.mark.timeout(300)
def test_a_taxi_model_is_trained_and_reported(home: Path, tmp_path: Path) -> None:
    run(sys.executable, EXAMPLES / "taxi" / "generate.py", "./data", "--trips", "3000", folder=tmp_path)
    run(sys.executable, EXAMPLES / "taxi" / "orchestrate.py", folder=tmp_path)

    assert (tmp_path / "models" / "preprocessor.b").is_file()
    assert (tmp_path / "mlflow.db").is_file()

    listed = flow_runs_by_name(tmp_path)["main-flow"]
    assert listed["state_type"] == "COMPLETED"
    task_runs = read_back("task-run", "ls", "--flow-run", listed["id"], folder=tmp_path)
    names = sorted(task_run["name"].rsplit("-", 1)[0] for task_run in task_runs)
    assert names == ["add_features", "read_data", "read_data", "train_best_model"]
    assert {task_run["state_type"] for task_run in task_runs} == {"COMPLETED"}

    lines = [log["message"] for log in read_back("flow-run", "logs", listed["id"], folder=tmp_path)]
    assert any(line.startswith("RMSE: ") for line in lines)

    artifact = read_back("artifact", "inspect", "duration-model-report", folder=tmp_path)
    assert artifact["flow_run_id"] == listed["id"]
    assert artifact["data"].startswith("# Duration prediction\n\nAn XGBoost model, trained on")
    assert "\n| New York City, green taxis | " in artifact["data"]


@with_demo_libraries
def test_the_taxi_data_comes_from_the_folder_that_is_named(tmp_path: Path) -> None:
    named = tmp_path / "named"
    run(sys.executable, EXAMPLES / "taxi" / "generate.py", named, "--trips", "50", folder=tmp_path)

    said = run(sys.executable, EXAMPLES / "taxi" / "data.py", folder=tmp_path, HEADRACE_TAXI_DATA=str(named))

    assert f"Trips from {named}" in said
    names = ["green_tripdata_2021-01.parquet", "green_tripdata_2021-02.parquet"]
    for name in names:
        assert (tmp_path / "data" / name).read_bytes() == (named / name).read_bytes()


@with_demo_libraries
def test_made_up_trips_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for folder in ("once", "twice"):
        run(sys.executable, EXAMPLES / "taxi" / "generate.py", folder, "--trips", "50", "--seed", "7", folder=tmp_path)

    name = "green_tripdata_2021-02.parquet"
    assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
