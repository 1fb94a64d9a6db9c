"""A server as it is run: a real process, real sockets, real signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from headrace.base.ids import uuid7
from tests.acceptance.serving import ServerProcess

PREFECT = [Subprotocol("prefect")]
HEADRACE = str(Path(sys.executable).with_name("headrace"))

SCRIPT = """
from headrace import flow, task

@task
def double(x):
    return 2 * x

@flow(name="script", log_prints=True)
def main():
    print("working", double(4))

main()
"""


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(home, tmp_path / "server.log")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def server_of_each(database_url: str, home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server on each kind of database."""
    process = ServerProcess(home, tmp_path / "server.log", HEADRACE_DATABASE_URL=database_url)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def ask_each(server_of_each: ServerProcess) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server_of_each.url, trust_env=False) as client:
        yield client


@pytest.fixture
def guarded(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(home, tmp_path / "server.log", HEADRACE_SERVER_API_KEY="admin:pass")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def ask(server: ServerProcess) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


@contextmanager
def open_socket(server: ServerProcess, path: str, token: str | None = None) -> Generator[ClientConnection]:
    """A websocket of the contract after its handshake."""
    url = server.url.replace("http", "ws", 1) + path
    with connect(url, subprotocols=PREFECT, proxy=None) as opened:
        assert opened.subprotocol == "prefect"
        opened.ping().wait(10)
        opened.send(json.dumps({"type": "auth", "token": token}))
        assert json.loads(opened.recv(10)) == {"type": "auth_success"}
        yield opened


def receipt(opened: ClientConnection) -> None:
    """Wait for the pong that says all frames before it are dealt with."""
    assert opened.ping().wait(20)


def make_run(ask: httpx2.Client, name: str = "etl") -> dict[str, Any]:
    flow = ask.post("/flows/", json={"name": name}).json()
    return ask.post("/flow_runs/", json={"flow_id": flow["id"]}).json()


def task_event(flow_run_id: str, run_id: UUID, type_: str, seconds: float = 0, event_id: UUID | None = None) -> str:
    time = datetime.now(UTC) + timedelta(seconds=seconds)
    return json.dumps(
        {
            "id": str(event_id or uuid7()),
            "occurred": time.isoformat(),
            "event": f"prefect.task-run.{type_.capitalize()}",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{run_id}",
                "prefect.state-timestamp": time.isoformat(),
            },
            "related": [
                {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"}
            ],
            "payload": {
                "validated_state": {"type": type_, "name": type_.capitalize(), "message": "", "data": None},
                "task_run": {"name": "t-0", "task_key": "t", "dynamic_key": "0", "run_count": 1, "tags": []},
            },
        }
    )


def follow(response: httpx2.Response) -> Iterator[tuple[str, Any]]:
    """The messages of a stream of server-sent events."""
    kind = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


# events in


def test_events_become_task_runs(server: ServerProcess, ask: httpx2.Client) -> None:
    run, task_run = make_run(ask), uuid7()
    with open_socket(server, "/events/in") as opened:
        repeated = task_event(run["id"], task_run, "RUNNING", 1)
        opened.send(task_event(run["id"], task_run, "COMPLETED", 2))
        opened.send("nonsense")
        opened.send(repeated)
        opened.send(repeated)
        opened.send(task_event(run["id"], task_run, "PENDING"))
        receipt(opened)
        found = ask.get(f"/task_runs/{task_run}").json()
    assert (found["state_type"], found["flow_run_id"], found["name"]) == ("COMPLETED", run["id"], "t-0")
    states = ask.get("/task_run_states/", params={"task_run_id": str(task_run)}).json()
    assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]


def test_what_was_receipted_survives_the_servers_death(server_of_each: ServerProcess, ask_each: httpx2.Client) -> None:
    run = make_run(ask_each)
    task_runs = [uuid7() for _ in range(200)]
    with open_socket(server_of_each, "/events/in") as opened:
        for task_run in task_runs:
            opened.send(task_event(run["id"], task_run, "RUNNING"))
        receipt(opened)
        server_of_each.kill()
    server_of_each.start()
    wanted = {"task_runs": {"flow_run_id": {"any_": [run["id"]]}}}
    assert ask_each.post("/task_runs/count", json=wanted).json() == len(task_runs)


def test_a_heartbeat_is_taken(server: ServerProcess, ask: httpx2.Client) -> None:
    run = make_run(ask)
    ask.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}})
    event = {
        "id": str(uuid7()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run['id']}"},
    }
    with open_socket(server, "/events/in") as opened:
        opened.send(json.dumps(event))
        receipt(opened)
    assert ask.get(f"/flow_runs/{run['id']}").json()["state_type"] == "RUNNING"


# events and logs out


def test_events_are_sent_from_before_and_as_they_happen(server_of_each: ServerProcess, ask_each: httpx2.Client) -> None:
    before = make_run(ask_each)
    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    wanted = {
        "occurred": {"since": since, "until": (datetime.now(UTC) + timedelta(days=365)).isoformat()},
        "event": {"prefix": ["prefect.flow-run."]},
    }
    with open_socket(server_of_each, "/events/out") as opened:
        opened.send(json.dumps({"type": "filter", "filter": wanted}))
        message = json.loads(opened.recv(20))
        assert message["type"] == "event"
        assert message["event"]["resource"]["prefect.resource.id"] == f"prefect.flow-run.{before['id']}"
        ask_each.post(f"/flow_runs/{before['id']}/set_state", json={"state": {"type": "RUNNING"}})
        event = json.loads(opened.recv(20))["event"]
    assert (event["event"], event["follows"]) == ("prefect.flow-run.Running", message["event"]["id"])


def test_only_events_that_were_asked_for_are_sent(server: ServerProcess, ask: httpx2.Client) -> None:
    one, two = make_run(ask), make_run(ask)
    wanted = {
        "event": {"name": ["prefect.flow-run.Cancelling", "prefect.flow-run.Running"]},
        "resource": {"id": [f"prefect.flow-run.{two['id']}"]},
    }
    with open_socket(server, "/events/out") as opened:
        opened.send(json.dumps({"type": "filter", "filter": wanted, "backfill": False}))
        receipt(opened)
        for run in (one, two):
            ask.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}})
            ask.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "CANCELLING"}})
        events = [json.loads(opened.recv(20))["event"] for _ in range(2)]
    assert [event["event"] for event in events] == ["prefect.flow-run.Running", "prefect.flow-run.Cancelling"]
    assert {event["resource"]["prefect.resource.id"] for event in events} == {f"prefect.flow-run.{two['id']}"}


def test_log_lines_are_sent_as_they_are_written(server_of_each: ServerProcess, ask_each: httpx2.Client) -> None:
    run = make_run(ask_each)

    def line(message: str, **more: Any) -> dict[str, Any]:
        return {"name": "flow", "level": 20, "message": message, "timestamp": datetime.now(UTC).isoformat(), **more}

    ask_each.post("/logs/", json=[line("before", flow_run_id=run["id"])])
    with open_socket(server_of_each, "/logs/out") as opened:
        opened.send(json.dumps({"type": "filter", "filter": {"flow_run_id": {"any_": [run["id"]]}}}))
        receipt(opened)
        ask_each.post(
            "/logs/", json=[line("other"), line("one", flow_run_id=run["id"]), line("two", flow_run_id=run["id"])]
        )
        messages = [json.loads(opened.recv(20)) for _ in range(2)]
    assert [message["log"]["message"] for message in messages] == ["one", "two"]
    assert {message["type"] for message in messages} == {"log"}


@pytest.mark.parametrize(
    "frame", ["nonsense", "{}", '{"type": "filter", "filter": {"colour": 1}}', '{"type": "other"}']
)
@pytest.mark.parametrize("path", ["/events/out", "/logs/out"])
def test_a_bad_frame_closes_with_a_protocol_error(server: ServerProcess, path: str, frame: str) -> None:
    with open_socket(server, path) as opened:
        opened.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            opened.recv(20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1002


# who may


@pytest.mark.parametrize("path", ["/events/in", "/events/out", "/logs/out"])
def test_a_wrong_token_is_told_to_go(guarded: ServerProcess, path: str) -> None:
    url = guarded.url.replace("http", "ws", 1) + path
    with open_socket(guarded, path, "admin:pass"):
        pass
    frames: list[object] = [{"type": "auth", "token": "wrong"}, {"type": "auth", "token": None}, {"type": "hello"}, []]
    for frame in frames:
        with connect(url, subprotocols=PREFECT, proxy=None) as opened:
            opened.send(json.dumps(frame))
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert closed.value.rcvd.reason
    with pytest.raises(InvalidStatus):
        connect(url, proxy=None).close()
    with connect(url, proxy=None, additional_headers={"authorization": "bearer admin:pass"}) as opened:
        assert opened.subprotocol is None
        receipt(opened)


def test_without_a_key_a_socket_needs_no_frames(server: ServerProcess) -> None:
    with connect(server.url.replace("http", "ws", 1) + "/events/in", proxy=None) as opened:
        receipt(opened)


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_foreign_page_opens_no_socket(server: ServerProcess, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(server.url.replace("http", "ws", 1) + "/events/out", origin=origin, proxy=None)  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


def test_a_key_is_asked_for(guarded: ServerProcess) -> None:
    with httpx2.Client(base_url=guarded.url, trust_env=False) as ask:
        assert ask.get("/health").status_code == 200
        assert ask.get("/admin/version").json() == {"exception_message": "Unauthorized"}
        assert ask.get("/live").status_code == 401
        assert ask.get("/admin/version", auth=("admin", "pass")).json() == "3.9.1"
        assert ask.get("/admin/version", headers={"Authorization": "Bearer admin:pass"}).json() == "3.9.1"


# live


def test_a_script_beside_the_server_is_seen_live(
    server_of_each: ServerProcess, ask_each: httpx2.Client, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with ask_each.stream("GET", "/live", timeout=60) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        messages = follow(response)
        assert next(messages) == ("hello", {})
        subprocess.run([sys.executable, script], check=True, env={**os.environ}, capture_output=True)
        seen: set[tuple[str, str]] = set()
        for kind, data in messages:
            for run in data if kind == "states" else ():
                seen |= {(run["kind"], state["type"]) for state in run["states"]}
            if ("flow-run", "COMPLETED") in seen:
                break
    assert {("flow-run", "RUNNING"), ("task-run", "COMPLETED")} <= seen
    (run,) = ask_each.post("/flow_runs/filter").json()
    lines = ask_each.post("/logs/filter", json={"logs": {"flow_run_id": {"any_": [run["id"]]}}}).json()
    assert "working 8" in [line["message"] for line in lines]


def test_a_stream_goes_on_where_it_was_lost(server: ServerProcess, ask: httpx2.Client) -> None:
    with ask.stream("GET", "/live", timeout=60) as response:
        lines = response.iter_lines()
        cursor = next(line for line in lines if line.startswith("id: ")).removeprefix("id: ")
    run = make_run(ask)
    for headers, path in (({"Last-Event-ID": cursor}, "/live"), ({}, f"/live?after={cursor}")):
        with ask.stream("GET", path, timeout=60, headers=headers) as response:
            messages = follow(response)
            states = next(data for kind, data in messages if kind == "states")
            assert states[0]["id"] == run["id"]
    assert ask.get("/live", params={"after": "x"}).status_code == 422


# beginning and end


def test_requests_under_way_are_finished(server: ServerProcess, ask: httpx2.Client) -> None:
    """The body of a request comes only after the server was told to stop."""
    asked = threading.Event()

    def body() -> Iterator[bytes]:
        yield b'{"name": '
        asked.set()
        assert told.wait(20)
        yield b'"late"}'

    told = threading.Event()
    answers: list[httpx2.Response] = []
    thread = threading.Thread(target=lambda: answers.append(ask.post("/flows/", content=body())))
    thread.start()
    assert asked.wait(20)
    assert ask.get("/health").status_code == 200  # what came before it has been taken up by now
    os.kill(server.pid, signal.SIGTERM)
    told.set()
    thread.join(30)
    assert [answer.status_code for answer in answers] == [201]
    assert server.wait() == 0


def test_streams_and_sockets_end_with_the_server(server: ServerProcess, ask: httpx2.Client) -> None:
    with open_socket(server, "/events/out") as opened, ask.stream("GET", "/live", timeout=60) as response:
        opened.send(json.dumps({"type": "filter", "filter": {}}))
        messages = follow(response)
        next(messages)
        os.kill(server.pid, signal.SIGTERM)
        assert [*messages] == []
        with pytest.raises(ConnectionClosed):
            opened.recv(20)
    assert server.wait() == 0


def run_cli(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEADRACE, *arguments], env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_command_line_starts_shows_and_stops_a_server(home: Path) -> None:
    assert run_cli("server", "status").returncode == 1
    started = run_cli("server", "start", "--background", "--port", "0")
    assert started.returncode == 0, started.stderr
    try:
        (told,) = json.loads(run_cli("server", "status", "-o", "json").stdout)
        assert told["healthy"] is True
        port = told["url"].rpartition(":")[2]
        again = run_cli("server", "start", "--port", port)
        assert (again.returncode, "running already" in again.stdout) == (0, True)
        other = run_cli("server", "start", "--port", port, HEADRACE_DATABASE_URL=f"sqlite:///{home}/other.db")
        assert other.returncode == 1
        assert "another database" in other.stderr
    finally:
        stopped = run_cli("server", "stop")
    assert "has stopped" in stopped.stdout
    assert run_cli("server", "stop").stdout == "No server is running.\n"


def test_a_taken_port_is_said_in_one_line(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for more in ([], ["--background"]):
            refused = run_cli("server", "start", "--port", port, *more)
            assert refused.returncode == 1
            assert refused.stderr.startswith(f"Error: Port {port} of 127.0.0.1 is taken")
            assert refused.stderr.count("\n") == 1


def test_other_machines_are_let_in_only_with_a_key(home: Path) -> None:
    refused = run_cli("server", "start", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 1
    assert "HEADRACE_SERVER_API_KEY" in refused.stderr
    started = run_cli("server", "start", "--host", "0.0.0.0", "--port", "0", "-b", HEADRACE_SERVER_API_KEY="s3cret")
    assert started.returncode == 0, started.stderr
    assert "has stopped" in run_cli("server", "stop").stdout


def test_a_database_that_cannot_be_used_is_said_in_one_line(home: Path) -> None:
    home.mkdir()
    (home / "headrace.db").write_text("this is no database, but a text that is long enough to look like something else")
    refused = run_cli("server", "start", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1


def test_a_process_that_dies_is_crashed_by_the_servers_loop(
    server: ServerProcess, ask: httpx2.Client, tmp_path: Path
) -> None:
    script = tmp_path / "sleeper.py"
    script.write_text(
        SCRIPT.replace("double(4))", "double(4)); import signal, sys; sys.stdout.flush(); signal.pause()")
    )
    with ask.stream("GET", "/live", timeout=60) as response:
        messages = follow(response)
        next(messages)
        process = subprocess.Popen([sys.executable, script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen: set[str] = set()
        for kind, data in messages:
            seen |= {
                state["type"]
                for run in data
                if kind == "states"
                for state in run["states"]
                if run["kind"] == "task-run"
            }
            if "COMPLETED" in seen:
                break
        process.kill()
        process.wait()
        for kind, data in messages:
            seen |= {state["type"] for run in data if kind == "states" for state in run["states"]}
            if "CRASHED" in seen:
                break
    (run,) = ask.post("/flow_runs/filter").json()
    assert run["state_type"] == "CRASHED"
    assert "died" in run["state"]["message"]
