"""The task worker, on a session of the test's own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any, cast

import pytest

from headrace import flow, task
from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine.distributed import DistributedFuture
from headrace.engine.session import Session, current_session, swap_session
from headrace.schema.presence import Presence
from headrace.schema.state import StateType
from headrace.schema.task_worker import TaskClaimRequest
from headrace.task_worker import aserve, serve
from headrace.workers import task_worker
from headrace.workers.status import showing_status
from headrace.workers.task_worker import TaskWorker

LIMIT = 60.0


@task
def add(left: int, right: int = 1) -> int:
    return left + right


class Gatekeeper:
    """A task whose runs say that they have begun and wait to be let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()

        @task
        def wait(number: int) -> int:
            with self._lock:
                self.at_once += 1
                self.most = max(self.most, self.at_once)
            self.begun.release()
            assert self.go.wait(LIMIT)
            with self._lock:
                self.at_once -= 1
            return number

        self.task = wait


class Failing:
    """A gateway some of whose verbs fail for as long as they are told to."""

    def __init__(self, session: Session) -> None:
        self.gateway: Any = session.gateway
        self.failing: set[str] = set()
        self.failed = threading.Event()

    def __getattr__(self, verb: str) -> Any:
        perform = getattr(self.gateway, verb)

        def ask(*arguments: Any) -> Any:
            if verb in self.failing:
                self.failed.set()
                raise errors.Unavailable("down")
            return perform(*arguments)

        return ask


@pytest.fixture
def session(home: object, quiet_logging: None) -> Iterator[Session]:
    opened = current_session()
    yield opened
    swap_session(None)
    opened.close()


@pytest.fixture
def gatekeeper() -> Iterator[Gatekeeper]:
    made = Gatekeeper()
    yield made
    made.go.set()


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def state_of(future: DistributedFuture[Any]) -> StateType:
    return future.state.type


def test_what_is_due_is_executed_once(session: Session) -> None:
    futures = [add.delay(number) for number in range(20)]
    worker = TaskWorker(add, limit=3)
    assert not worker.started
    assert worker.run_once() == 20
    assert worker.started
    assert [future.result(0) for future in futures] == list(range(1, 21))
    assert worker.run_once() == 0
    assert (worker.current_tasks, worker.available_tasks) == (0, 3)
    assert session.administration.list_task_workers() == []


def test_a_worker_hears_of_what_is_delayed(session: Session) -> None:
    worker = TaskWorker(add, limit=None)
    thread = started(worker.start)
    assert [add.delay(number).result(LIMIT) for number in range(3)] == [1, 2, 3]
    (listed,) = session.administration.list_task_workers([add.task_key])
    assert (listed.identifier, listed.task_keys) == (worker.name, [add.task_key])
    assert worker.available_tasks is None
    worker.stop()
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_no_more_than_the_limit_are_executed_at_once(session: Session, gatekeeper: Gatekeeper) -> None:
    futures = [gatekeeper.task.delay(number) for number in range(5)]
    worker = TaskWorker(gatekeeper.task, limit=2)
    thread = started(worker.run_once)
    for _ in range(2):
        assert gatekeeper.begun.acquire(timeout=LIMIT)
    assert (worker.current_tasks, worker.available_tasks) == (2, 0)
    gatekeeper.go.set()
    assert sorted(future.result(LIMIT) for future in futures) == list(range(5))
    thread.join(LIMIT)
    assert gatekeeper.most == 2


def test_a_worker_that_stops_finishes_what_it_has(session: Session, gatekeeper: Gatekeeper) -> None:
    first, second = gatekeeper.task.delay(1), gatekeeper.task.delay(2)
    worker = TaskWorker(gatekeeper.task, limit=1)
    thread = started(worker.start)
    assert gatekeeper.begun.acquire(timeout=LIMIT)
    worker.stop()
    gatekeeper.go.set()
    thread.join(LIMIT)
    assert (state_of(first), state_of(second)) == (StateType.COMPLETED, StateType.SCHEDULED)
    assert TaskWorker(gatekeeper.task).run_once() == 1
    assert second.result(0) == 2


def test_a_worker_that_is_told_twice_gives_back_what_it_has(session: Session, gatekeeper: Gatekeeper) -> None:
    future = gatekeeper.task.delay(1)
    worker = TaskWorker(gatekeeper.task)
    thread = started(worker.start)
    assert gatekeeper.begun.acquire(timeout=LIMIT)
    worker.stop()
    worker.stop()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert state_of(future) is StateType.SCHEDULED
    worker._stirred.clear()  # pyright: ignore[reportPrivateUsage]
    gatekeeper.go.set()
    assert worker._stirred.wait(LIMIT)  # pyright: ignore[reportPrivateUsage]
    assert state_of(future) is StateType.SCHEDULED  # what was given back is not its to end any more
    assert TaskWorker(gatekeeper.task).run_once() == 1
    assert future.result(0) == 1
    names = [state.name for state in session.administration.list_task_run_states(future.task_run_id)]
    assert names[:4] == ["Scheduled", "Pending", "Running", "Scheduled"]
    assert names[-3:] == ["Pending", "Running", "Completed"]


def test_a_worker_told_to_stop_before_it_starts_takes_nothing(session: Session) -> None:
    future = add.delay(1)
    worker = TaskWorker(add)
    worker.stop()
    worker.start()
    assert state_of(future) is StateType.SCHEDULED


def test_an_outage_ends_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_worker, "RECOVERY", 0.01)
    failing = Failing(session)
    monkeypatch.setattr(session, "gateway", failing)
    failing.failing = {"claim_task_runs"}
    worker = TaskWorker(add)
    thread = started(worker.start)
    assert failing.failed.wait(LIMIT)
    future = add.delay(1)
    failing.failing = set()
    assert future.result(LIMIT) == 2
    failing.failing = {"end_task_worker"}
    worker.stop()
    thread.join(LIMIT)
    assert not thread.is_alive()


def test_who_was_taken_for_dead_is_told(
    session: Session, gatekeeper: Gatekeeper, caplog: pytest.LogCaptureFixture
) -> None:
    future = gatekeeper.task.delay(1)
    worker = TaskWorker(gatekeeper.task, limit=2)
    thread = started(worker.start)
    assert gatekeeper.begun.acquire(timeout=LIMIT)
    session.journal.flush()
    asked: Any = session.gateway
    asked.end_task_worker(worker._id)  # pyright: ignore[reportPrivateUsage]
    worker._stirred.set()  # pyright: ignore[reportPrivateUsage]
    names: list[str | None] = []
    while "Scheduled" not in names[1:]:
        names = [state.name for state in session.administration.list_task_run_states(future.task_run_id)]
    gatekeeper.go.set()
    other = gatekeeper.task.delay(2)
    assert (other.result(LIMIT), future.result(LIMIT)) == (2, 1)
    worker.stop()
    thread.join(LIMIT)
    assert "taken for dead" in caplog.text
    assert session.gateway.read_task_run(future.task_run_id).run_count == 2


def test_a_run_that_cannot_be_brought_to_its_end_harms_no_other(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(task_worker, "execute_claim", fail)
    future = add.delay(1)
    assert TaskWorker(add).run_once() == 1
    assert state_of(future) is StateType.SCHEDULED
    assert "out of luck" in caplog.text
    monkeypatch.undo()


def test_what_a_dead_worker_had_is_taken_by_another(session: Session) -> None:
    future = add.delay(1)
    gone = Presence(kind="lock", name="lock-00000000deadbeef")
    request = TaskClaimRequest(worker_id=uuid7(), name="gone", task_keys=[add.task_key], limit=1, presence=gone)
    assert len(session.gateway.claim_task_runs(request).claims) == 1
    worker = TaskWorker(add)
    thread = started(worker.start)
    worker._stirred.set()  # pyright: ignore[reportPrivateUsage]
    assert future.result(LIMIT) == 2
    worker.stop()
    thread.join(LIMIT)


# what cannot be served


def test_what_cannot_be_served_is_said() -> None:
    def plain() -> None: ...

    other = task(plain)
    twin = task(cast("Any", lambda: None))
    twin.task_key = other.task_key
    for tasks, text in (
        ((), "There is nothing to serve"),
        ((plain,), "Only tasks can be served"),
        ((flow(plain),), "Only tasks can be served"),
        ((other, twin), "cannot be told apart"),
    ):
        with pytest.raises(errors.UsageError, match=text):
            TaskWorker(*cast("Any", tasks))
    for limit in (0, -1, "two"):
        with pytest.raises(errors.UsageError, match="limit is how many runs"):
            TaskWorker(other, limit=cast("Any", limit))
    assert TaskWorker(other, other).tasks == (other,)


# serving


def test_a_task_is_served_for_a_time(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    future = add.delay(1)
    add.serve(limit=2, timeout=0.2)
    assert future.result(LIMIT) == 2
    assert capsys.readouterr().out == "Serving add. Ctrl-C stops it.\n"


def test_serving_blocks_no_loop(session: Session) -> None:
    async def try_to() -> None:
        with pytest.raises(errors.UsageError, match="write `await aserve"):
            serve(add)

    asyncio.run(try_to())


def test_tasks_are_served_beside_a_loop(session: Session) -> None:
    async def work() -> int:
        serving = asyncio.ensure_future(aserve(add))
        value = await add.delay(1)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await aserve(add, timeout=0.01)
        return value

    assert asyncio.run(work()) == 2


# the status


def ask(port: int, path: str = "/status", host: str | None = None) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


def test_the_status_is_told_on_this_machine_only(session: Session) -> None:
    worker = TaskWorker(add, limit=4, name="one")
    with showing_status(worker, 0) as port:
        assert port is not None
        status, told = ask(port)
        assert (status, told["client_id"], told["limit"], told["tasks"]) == (200, "one", 4, ["add"])
        assert (told["current_tasks"], told["started_at"]) == (0, None)
        assert ask(port, "/other")[0] == 404
        assert ask(port, host=f"evil.example:{port}")[0] == 404
        with pytest.raises(errors.ConfigurationError, match="cannot be shown on port"), showing_status(worker, port):
            pass
    with showing_status(worker, None) as port:
        assert port is None
