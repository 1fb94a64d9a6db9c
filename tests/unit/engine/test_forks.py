"""Forked children: each has a session of its own, and none hangs on a lock that another thread of the parent held."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headrace.connect import open_session
from headrace.engine import forks, loop, session, task_calls
from headrace.engine.commands import Lifecycle, call
from headrace.engine.context import FlowContext, current
from headrace.engine.flow_definition import Flow
from headrace.engine.logs import get_run_logger
from headrace.engine.opening import set_opener
from headrace.engine.session import close_session, current_session
from headrace.engine.task_definition import Task
from headrace.testing import RecordingRun
from tests.unit.engine.conftest import Stage

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def in_child(work: Callable[[], Any]) -> None:
    """Do the work in a forked child; whatever it raises fails the test, and so does a child that hangs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the threads are the point
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(60)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing may get out of the child
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "the child failed or hung"


def double(x: int) -> int:
    return 2 * x


@contextmanager
def held(*locks: Any) -> Generator[None]:
    """Other threads hold these locks."""
    taken, let_go = threading.Barrier(len(locks) + 1), threading.Event()

    def hold(lock: Any) -> None:
        with lock:
            taken.wait()
            let_go.wait()

    threads = [threading.Thread(target=hold, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    taken.wait()
    try:
        yield
    finally:
        let_go.set()
        for thread in threads:
            thread.join()


def test_a_child_has_a_session_of_its_own(stage: Stage) -> None:
    set_opener(open_session)
    task, flow = Task(double), Flow(double)
    assert task(1) == 2

    def work() -> None:
        assert flow(2) == 4
        assert current_session() is not stage.session
        close_session()

    in_child(work)
    assert current_session() is stage.session
    assert flow(3) == 6
    stage.settle()
    names = [event.states[-1].name for event in stage.recorder.gateway.read_events(_beginning()).events]
    assert names.count("Completed") == 3


def _beginning() -> Any:
    from headrace.schema.event import Cursor

    return Cursor()


def test_a_child_runs_flows_while_the_parents_threads_hold_every_lock(stage: Stage) -> None:
    set_opener(open_session)
    task = Task(double)

    def work() -> list[int]:
        return [task(1), task.submit(2).result()]

    flow = Flow(work)
    journal = stage.session.journal
    runner: Any = task_calls._loose_runner  # pyright: ignore[reportPrivateUsage]
    with held(journal._lock, journal._delivery, session._lock, runner._lock):  # pyright: ignore[reportPrivateUsage]

        def in_the_child() -> None:
            assert flow() == [2, 4]
            assert task.submit(4).result() == 8
            close_session()

        in_child(in_the_child)


def test_a_child_goes_on_within_its_parents_run(stage: Stage) -> None:
    """Tasks, log lines and futures in a child forked by a flow belong to that flow's run, under its attempt."""
    set_opener(open_session)
    task = Task(double)

    def work() -> int:
        task(1)
        context = current.get()
        assert isinstance(context, FlowContext)
        pool = context.runner()
        assert pool is context.runner()

        def in_the_child() -> None:
            get_run_logger().info("from the child")
            assert task(5) == 10
            assert task.submit(6).result() == 12
            close_session()

        with held(context._lock, context.lineage._lock):  # pyright: ignore[reportPrivateUsage]
            in_child(in_the_child)
        return task(2)

    assert Flow(work)() == 4
    stage.settle()
    (run,) = stage.recorder.flow_runs()
    events = stage.recorder.gateway.read_events(_beginning()).events
    made = {event.subject_id for event in events if event.kind == "task-run"}
    assert len(made) == 4
    keys = {stage.recorder.gateway.read_task_run(task_run).dynamic_key for task_run in made}
    assert len(keys) == 4
    assert {stage.recorder.gateway.read_task_run(task_run).flow_run_id for task_run in made} == {run}


def test_a_process_of_multiprocessing_delivers_before_it_ends(stage: Stage, tmp_path: Path) -> None:
    set_opener(open_session)
    task = Task(double)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = multiprocessing.get_context("fork").Process(target=task, args=(3,))
        process.start()
    process.join()
    assert process.exitcode == 0
    events = stage.recorder.gateway.read_events(_beginning()).events
    assert [state.name for event in events for state in event.states] == ["Pending", "Running", "Completed"]


def test_requests_in_a_child_have_an_executor_of_their_own(home: object) -> None:
    def lifecycle() -> Lifecycle[Any]:
        return (yield from call(double, 4))

    before = loop._threads  # pyright: ignore[reportPrivateUsage]

    def work() -> None:
        assert loop._threads is not before  # pyright: ignore[reportPrivateUsage]
        assert loop.drive_in_own_loop(lifecycle(), RecordingRun()).value == 8

    in_child(work)


def test_what_a_child_renews_is_renewed_here_as_well(stage: Stage) -> None:
    """The same functions, called in this process, whose lines are counted."""
    from headrace.engine import context, logs

    def work() -> str | None:
        here = current.get()
        assert isinstance(here, FlowContext)
        context._fork_contexts()  # pyright: ignore[reportPrivateUsage]
        return here.next_call("key")

    assert Flow(work)() == f"{os.getpid()}-0"
    before = task_calls._loose_runner, logs._configuring  # pyright: ignore[reportPrivateUsage]
    task_calls._renew_runner()  # pyright: ignore[reportPrivateUsage]
    logs._fork()  # pyright: ignore[reportPrivateUsage]
    loop._renew_threads()  # pyright: ignore[reportPrivateUsage]
    after = task_calls._loose_runner, logs._configuring  # pyright: ignore[reportPrivateUsage]
    assert all(old is not new for old, new in zip(before, after, strict=True))
    stage.session.attempts[stage.recorder.flow_runs()[0]] = 3
    session._fork()  # pyright: ignore[reportPrivateUsage]
    try:
        assert stage.session.inherited
        session._fork()  # pyright: ignore[reportPrivateUsage]
        set_opener(lambda: heir)
        heir = stage.use()
        stage.session = heir
        session.swap_session(None)
        assert current_session().attempts == {stage.recorder.flow_runs()[0]: 3}
    finally:
        session._inherited.clear()  # pyright: ignore[reportPrivateUsage]
        set_opener(open_session)


def test_what_is_emitted_through_the_parents_session_goes_to_the_childs(stage: Stage) -> None:
    parent = stage.session
    child = stage.use()
    parent.inherited = True
    from headrace.base.ids import uuid7
    from headrace.schema.fact import TaskNameFact

    parent.emit(TaskNameFact(uuid7(), "x"))
    child.journal.flush()
    assert len(stage.recorder.facts) == 1


def test_a_system_without_fork_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    forks.after_fork(lambda: pytest.fail("nobody forks here"))
