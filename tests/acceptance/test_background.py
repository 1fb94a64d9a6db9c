"""Background tasks as people use them: a script that delays, workers in processes of their own, with a server and without."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from headrace.base.settings import load_settings
from headrace.connect import open_administration
from headrace.gateway.administration import Administration
from headrace.schema.run import Page, TaskRun, TaskRunCreate
from headrace.schema.state import StateCreate, StateDetails, StateType
from tests.acceptance.serving import ServerProcess
from tests.acceptance.working import await_line, end_left_behind

HEADRACE = str(Path(sys.executable).with_name("headrace"))

JOBS = """
    import fcntl
    import os
    import signal
    from pathlib import Path
    from headrace import task

    HERE = Path(__file__).parent

    @task
    def count(number):
        '''Number 60 kills its worker the first time; two executions of one run at the same time would fail.'''
        with open(HERE / f"{number}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if number == 60 and not (HERE / "killed").exists():
                (HERE / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return number

    @task
    def ask(pipe, answer):
        with open(pipe, "w") as told:
            print("begun", file=told)
        with open(answer) as heard:
            return heard.readline()

    @task
    def poison():
        os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        futures = [count.delay(number) for number in range(200)]
        print("delayed", flush=True)
        print(sorted(future.result() for future in futures) == list(range(200)))
"""


class Yard:
    """A folder with tasks, workers of them, and a way to look."""

    def __init__(self, folder: Path, environ: dict[str, str], administration: Administration) -> None:
        self.folder = folder
        self.environ = {**os.environ, **environ}
        self.administration = administration
        self.workers: list[subprocess.Popen[str]] = []

    def start(self, *command: str) -> subprocess.Popen[str]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True,
            )  # fmt: skip

    def serve(self, *arguments: str) -> subprocess.Popen[str]:
        """Return when the worker takes runs."""
        worker = self.start(HEADRACE, "task", "serve", *arguments)
        self.workers.append(worker)
        assert worker.stdout
        assert worker.stdout.readline().startswith("Serving"), self.log
        return worker

    def say(self, code: str) -> str:
        """What a script prints that succeeds."""
        said = subprocess.run(
            [sys.executable, "-c", dedent(code)], cwd=self.folder, env=self.environ, capture_output=True, text=True,
            check=False, timeout=100,
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        return said.stdout

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def names(self, run: TaskRun) -> list[str | None]:
        return [state.name for state in self.administration.list_task_run_states(run.id)]

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.communicate()
        end_left_behind(self.environ["HEADRACE_HOME"])


@pytest.fixture
def server(home: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(home, tmp_path / "server.log")
    yield process
    process.stop()


@pytest.fixture(params=["embedded", "server"])
def yard(request: pytest.FixtureRequest, home: Path, tmp_path: Path, server: ServerProcess) -> Iterator[Yard]:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "jobs.py").write_text(dedent(JOBS), encoding="utf-8")
    environ = {"HEADRACE_HOME": str(home), "HEADRACE_HEARTBEAT_SECONDS": "0.5"}
    if request.param == "server":
        server.start()
        environ["HEADRACE_API_URL"] = server.url
    with closing(cast("Any", open_administration(load_settings({**os.environ, **environ})))) as administration:
        opened = Yard(folder, environ, administration)
        yield opened
        opened.close()


def all_runs(administration: Administration) -> list[TaskRun]:
    pages = [administration.list_task_runs(page=Page(200, offset)) for offset in (0, 200)]
    return [run for page in pages for run in page]


@pytest.mark.timeout(240)
def test_of_many_runs_none_is_lost_when_a_worker_is_killed(yard: Yard) -> None:
    workers = [yard.serve("jobs.py", "--limit", "5") for _ in range(2)]
    script = yard.start(sys.executable, "jobs.py")
    assert script.communicate(timeout=200)[0] == "delayed\nTrue\n", yard.log
    assert sorted(worker.poll() is None for worker in workers) == [False, True]
    runs = all_runs(yard.administration)
    assert len(runs) == 200
    assert {run.state_type for run in runs} == {StateType.COMPLETED}
    again = [run for run in runs if yard.names(run).count("Pending") > 1]
    assert 1 <= len(again) <= 5
    assert all(yard.names(run)[-3:] == ["Pending", "Running", "Completed"] for run in again)
    (left,) = yard.administration.list_task_workers()
    assert len(left.task_keys) == 3


@pytest.mark.timeout(240)
def test_a_run_that_kills_its_workers_is_given_up(yard: Yard) -> None:
    yard.say("from jobs import poison; poison.delay()")
    for _ in range(3):
        worker = yard.serve("jobs.py:poison")
        assert worker.wait(100) == -signal.SIGKILL
    yard.serve("jobs.py:poison")
    said = yard.say(
        """
        from headrace.engine.distributed import DistributedFuture
        from headrace.connect import open_session
        from headrace.engine.session import current_session
        import headrace.tasks
        (run,) = current_session().administration.list_task_runs()
        print(repr(DistributedFuture(run.id, run.name).result(100, raise_on_failure=False)))
        """
    )
    assert said.startswith("CrashedRun('The worker that had it is gone: ")


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(yard: Yard, tmp_path: Path) -> None:
    pipe, answer = tmp_path / "pipe", tmp_path / "answer"
    os.mkfifo(pipe)
    os.mkfifo(answer)
    worker = yard.serve("-m", "jobs", "--limit", "1")
    yard.say(f"from jobs import ask; ask.delay({str(pipe)!r}, {str(answer)!r})")
    assert await_line(pipe) == "begun"
    worker.send_signal(signal.SIGTERM)
    answer.write_text("go on\n", encoding="utf-8")
    assert worker.wait(100) == 0
    (run,) = yard.administration.list_task_runs()
    assert (run.state_type, yard.names(run)) == (StateType.COMPLETED, ["Scheduled", "Pending", "Running", "Completed"])
    assert yard.administration.list_task_workers() == []
    assert "Traceback" not in yard.log


@pytest.mark.parametrize("yard", ["server"], indirect=True)
def test_an_outage_of_the_server_loses_nothing(yard: Yard, server: ServerProcess, tmp_path: Path) -> None:
    pipe, answer = tmp_path / "pipe", tmp_path / "answer"
    os.mkfifo(pipe)
    os.mkfifo(answer)
    yard.serve("jobs.py")
    code = f"from jobs import ask; print(ask.delay({str(pipe)!r}, {str(answer)!r}).result(), end='')"
    script = yard.start(sys.executable, "-c", code)
    assert await_line(pipe) == "begun"
    server.kill()
    answer.write_text("go on\n", encoding="utf-8")
    server.start()
    assert script.communicate(timeout=100)[0] == "go on\n", yard.log
    assert yard.say("from jobs import count; print(count.delay(1).result(100))") == "1\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "There is nothing to serve: name an entrypoint such as jobs.py:send, or a module with -m."),
        (["jobs.py:coun"], "There is no 'coun' in jobs.py; did you mean jobs.py:count?"),
        (["jobs.py:count", "--limit", "0"], "limit is how many runs are executed at once, at least 1, not 0."),
        (["none.py"], "There is no file none.py in"),
    ],
)
@pytest.mark.parametrize("yard", ["embedded"], indirect=True)
def test_what_cannot_be_served_is_told_in_one_line(yard: Yard, arguments: list[str], says: str) -> None:
    worker = yard.start(HEADRACE, "task", "serve", *arguments)
    assert worker.communicate(timeout=100)[0] == ""
    (line,) = yard.log.splitlines()
    assert (worker.returncode, line.startswith(f"Error: {says}")) == (1, True), line


# The contract's websocket, frame by frame.


@contextmanager
def subscribed(server: ServerProcess, first: object) -> Generator[ClientConnection]:
    url = f"{server.url.replace('http', 'ws', 1)}/task_runs/subscriptions/scheduled"
    with connect(url, subprotocols=[Subprotocol("prefect")]) as socket:
        socket.send(json.dumps({"type": "auth", "token": None}))
        assert json.loads(socket.recv())["type"] == "auth_success"
        socket.send(json.dumps(first))
        yield socket


SUBSCRIBE = {"type": "subscribe", "keys": ["add-1"], "client_id": "one"}


def defer(server: ServerProcess, key: str = "add-1") -> TaskRun:
    state = StateCreate(type=StateType.SCHEDULED, state_details=StateDetails(deferred=True))
    execution = server.open_execution()
    return execution.create_task_run(TaskRunCreate(task_key=key, dynamic_key=os.urandom(8).hex(), state=state))


def closing_code(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=60)
    return closed.value.rcvd.code if closed.value.rcvd else None


def test_runs_are_given_out_by_websocket_one_at_a_time(server: ServerProcess) -> None:
    server.start()
    first = defer(server)
    defer(server, "other-1")
    with closing(cast("Any", server.open_administration())) as administration, subscribed(server, SUBSCRIBE) as socket:
        assert json.loads(socket.recv(timeout=60))["id"] == str(first.id)
        (worker,) = administration.list_task_workers(["add-1"])
        assert (worker.identifier, worker.task_keys) == ("one", ["add-1"])
        socket.send(json.dumps({"type": "ack"}))
        second = defer(server)  # while the client waits
        told = json.loads(socket.recv(timeout=60))
        assert (told["id"], told["state"]["type"]) == (str(second.id), "SCHEDULED")
        socket.close()
        with subscribed(server, SUBSCRIBE) as other:  # what was not acknowledged is given to another
            assert json.loads(other.recv(timeout=60))["id"] == str(second.id)
            other.send(json.dumps({"type": "quit"}))
            assert closing_code(other) == 1000
        with subscribed(server, SUBSCRIBE) as other:
            assert json.loads(other.recv(timeout=60))["id"] == str(second.id)
            other.send(json.dumps({"type": "what"}))
            assert closing_code(other) == 4001


@pytest.mark.parametrize("frame", [{"type": "ack"}, {"type": "subscribe"}, {"type": "subscribe", "keys": [1]}, 7])
def test_who_subscribes_to_nothing_is_refused(server: ServerProcess, frame: object) -> None:
    server.start()
    with subscribed(server, frame) as socket:
        assert closing_code(socket) == 4001


def test_a_client_may_leave_while_it_waits(server: ServerProcess) -> None:
    server.start()
    with subscribed(server, SUBSCRIBE) as socket:
        socket.send(json.dumps({"type": "quit"}))
        assert closing_code(socket) == 1000
    with subscribed(server, SUBSCRIBE) as socket:
        server.stop()
        assert closing_code(socket) in {1001, 1012}
