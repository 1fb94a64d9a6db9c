"""The session: requests after what was emitted, outages, what cannot be delivered at all, the end of a process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine import opening
from headrace.engine import session as sessions
from headrace.engine.flow_definition import Flow
from headrace.engine.opening import set_opener
from headrace.engine.requests import FindResult
from headrace.engine.session import Session, close_session, current_session, swap_session
from headrace.engine.task_definition import Task
from headrace.schema.fact import TaskNameFact
from headrace.schema.orchestration import Verb
from headrace.schema.state import State, StateType
from headrace.testing import RecordingSession, frozen_clock
from tests.unit.engine.conftest import Stage
from tests.unit.engine.recorder import Answer


def one(x: int = 0) -> int:
    return x + 1


def away(*verbs: str) -> Callable[[str, Any], None]:
    """An orchestrator that does not answer these verbs."""

    def before(verb: str, request: Any) -> None:
        if verb in verbs:
            raise errors.Unavailable(f"{verb} is not answered")

    return before


def unless_final(verb: str, request: Any) -> None:
    """An orchestrator that is away when a run ends, and takes no facts any more."""
    if verb == "deliver" or (verb == "propose_flow_run_state" and request.state.type not in {"RUNNING", "PENDING"}):
        raise errors.Unavailable("away")


# requests and what was emitted before


def test_no_request_overtakes_what_was_emitted_before_it(stage: Stage) -> None:
    stage.recorder.before = away("deliver")
    task = Task(one)

    def work() -> int:
        return task(1)

    assert Flow(work)() == 2
    assert stage.recorder.task_paths() == [["Pending", "Running", "Completed"]]


def test_a_flow_is_registered_once(stage: Stage) -> None:
    verbs: list[str] = []
    stage.recorder.before = lambda verb, request: verbs.append(verb)
    flow = Flow(one)
    assert (flow(1), flow(2)) == (2, 3)
    assert verbs.count("register_flow") == 1
    assert len(stage.settle().flow_runs()) == 2


def test_a_flow_that_was_deleted_is_registered_again(stage: Stage) -> None:
    flow = Flow(one)
    flow(1)
    deleted = [True]

    def before(verb: str, request: Any) -> None:
        if verb == "create_flow_run" and deleted.pop():
            deleted.append(False)
            raise errors.ObjectNotFound("no such flow")

    stage.recorder.before = before
    assert flow(2) == 3


def test_a_durable_task_returns_when_its_end_is_stored(stage: Stage) -> None:
    stage.recorder.has_ledger = False
    seen: list[list[list[str | None]]] = []
    task = Task(one, durable=True)

    def work() -> None:
        task(1)
        seen.append(stage.recorder.task_paths())

    Flow(work)()
    assert seen == [[["Pending", "Running", "Completed"]]]


# outages


def test_a_request_is_repeated_through_an_outage(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    failures = [2]

    def before(verb: str, request: Any) -> None:
        if verb == "create_flow_run" and failures[0]:
            failures[0] -= 1
            raise errors.Unavailable("away")

    stage.recorder.before = before
    assert Flow(one)(1) == 2
    assert len(stage.settle().flow_runs()) == 1


def test_a_flow_that_cannot_begin_raises_when_the_outage_lasts(stage: Stage) -> None:
    stage.use(outage_limit_seconds=0.0)
    stage.recorder.before = away("create_flow_run")
    with pytest.raises(errors.Unavailable):
        Flow(one)(1)


def test_a_flow_that_is_not_let_in_raises_and_leaves_nothing_in_the_spool(stage: Stage) -> None:
    session = stage.use(outage_limit_seconds=0.0)
    stage.recorder.before = away("propose_flow_run_state")
    with pytest.raises(errors.Unavailable):
        Flow(one)(1)
    assert not session.settings.spool_path.exists()


@pytest.mark.parametrize("retries", [0, 3])
def test_an_end_that_cannot_be_told_is_kept_and_told_by_the_next_process(stage: Stage, retries: int) -> None:
    session = stage.use(outage_limit_seconds=0.0)
    told: list[State] = []
    task = Task(one)

    def work() -> None:
        task(1)
        raise LookupError("its own")

    def hook(_flow: Any, _run: Any, state: State) -> None:
        told.append(state)

    stage.recorder.before = unless_final
    with pytest.raises(LookupError):
        Flow(work, on_failure=[hook], retries=retries)()
    assert [state.type for state in told] == [StateType.FAILED]
    assert len([*session.settings.spool_path.iterdir()]) == 1
    stage.recorder.before = lambda verb, request: None
    (run,) = stage.recorder.flow_runs()
    assert stage.recorder.path(run) == ["Pending", "Running"]
    assert session.spool.deliver(stage.recorder.execution) == 1
    assert stage.recorder.path(run) == ["Pending", "Running", "Failed"]
    assert stage.recorder.task_paths() == [["Pending", "Running", "Completed"]]
    assert not [*session.settings.spool_path.iterdir()]


def test_a_run_goes_on_after_its_end_went_to_the_spool(stage: Stage) -> None:
    """The journal begins anew, so what comes later leaves no gap behind what is in the spool."""
    session = stage.use(outage_limit_seconds=0.0)
    stage.recorder.before = unless_final
    flow, task = Flow(one), Task(one)
    assert flow(1) == 2
    stage.recorder.before = lambda verb, request: None
    assert task(5) == 6
    stage.settle()
    assert stage.recorder.task_paths() == [["Pending", "Running", "Completed"]]
    assert session.spool.deliver(stage.recorder.execution) >= 1


def test_an_end_that_cannot_even_be_kept_is_said_to_be_lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    session = stage.use(outage_limit_seconds=0.0)
    said: list[str] = []

    def refuse(_entry: Any) -> None:
        raise OSError("no space left")

    def listen(text: str, *values: Any) -> None:
        said.append(text % values)

    monkeypatch.setattr(session.spool, "keep", refuse)
    monkeypatch.setattr(sessions.log, "error", listen)
    stage.recorder.before = unless_final
    assert Flow(one)(1) == 2
    assert said == ["The end of a flow run cannot be kept in the spool either: no space left"]
    stage.recorder.before = lambda verb, request: None


def test_a_durable_task_in_an_outage_that_lasts_raises(stage: Stage) -> None:
    stage.recorder.has_ledger = False
    # The journal beside goes on trying: it would else keep the facts in the spool, and nothing would be left to wait for.
    stage.session.settings = structs.replace(stage.session.settings, outage_limit_seconds=0.0)
    stage.recorder.before = away("deliver")
    with pytest.raises(errors.Unavailable):
        Task(one, durable=True)(1)
    with pytest.raises(errors.Unavailable):
        Task(one, durable=True).submit(1).result()


def test_patience_ends_at_the_outage_limit(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    session = RecordingSession()
    attempts: list[float] = []
    with frozen_clock() as clock:

        def attempt() -> None:
            attempts.append(clock.elapsed)
            clock.advance(0.6 * session.settings.outage_limit_seconds)
            raise errors.Unavailable("away")

        with pytest.raises(errors.Unavailable):
            session.patiently(attempt)
    assert len(attempts) == 3


# waits


def test_a_wait_that_nothing_ends_lasts(stage: Stage) -> None:
    assert stage.session.sleep(0.001, None) is False


# cancelled runs


def test_a_run_cancelled_while_it_executes_ends_cancelled(stage: Stage) -> None:
    told: list[str | None] = []

    def work() -> None:
        stage.recorder.cancel(stage.recorder.flow_runs()[0])

    def hook(_flow: Any, _run: Any, state: State) -> None:
        told.append(state.name)

    with pytest.raises(errors.CancelledRun, match="the run itself was Completed"):
        Flow(work, on_cancellation=[hook])()
    assert stage.recorder.path(stage.recorder.flow_runs()[0]) == ["Pending", "Running", "Cancelling", "Cancelled"]
    assert told == ["Cancelled"]


def test_a_flow_that_waits_for_its_retry_is_woken_by_a_cancellation(stage: Stage) -> None:
    waiting = threading.Event()

    def before(verb: str, request: Any) -> None:
        if verb == "wait_for_events":
            waiting.set()

    stage.recorder.before = before

    def fail() -> None:
        raise LookupError("again")

    def cancel() -> None:
        waiting.wait()
        stage.recorder.cancel(stage.recorder.flow_runs()[0])

    helper = threading.Thread(target=cancel)
    helper.start()
    with pytest.raises(errors.CancelledRun):
        Flow(fail, retries=1, retry_delay_seconds=3600)()
    helper.join()
    assert stage.recorder.path(stage.recorder.flow_runs()[0])[-1] == "Cancelled"


def test_a_task_that_waits_for_its_retry_is_woken_by_a_cancellation(stage: Stage) -> None:
    waiting = threading.Event()

    def before(verb: str, request: Any) -> None:
        if verb == "wait_for_events":
            waiting.set()

    stage.recorder.before = before

    def fail() -> None:
        raise LookupError("again")

    task = Task(fail, retries=1, retry_delay_seconds=3600)

    def work() -> None:
        task()

    def cancel() -> None:
        waiting.wait()
        stage.recorder.cancel(stage.recorder.flow_runs()[0])

    helper = threading.Thread(target=cancel)
    helper.start()
    with pytest.raises(errors.CancelledRun):
        Flow(work)()
    helper.join()
    assert stage.settle().task_paths() == [["Pending", "Running", "AwaitingRetry", "Cancelled"]]


def test_a_stale_attempt_ends_itself(stage: Stage) -> None:
    def work() -> None:
        run = stage.recorder.proposals[0].flow_run_id
        newer = stage.recorder.proposals[0]
        newer = type(newer)(flow_run_id=run, state=newer.state)
        newer.state.state_details.transition_id = uuid7()
        assert stage.recorder.gateway.propose_flow_run_state(newer).verb is Verb.ACCEPT

    with pytest.raises(errors.CrashedRun, match="is over"):
        Flow(work)()
    assert stage.recorder.path(stage.recorder.flow_runs()[0]) == ["Pending", "Running", "Running"]


def test_a_run_waits_as_long_as_it_is_told_to(stage: Stage) -> None:
    stage.recorder.answers = [Answer(Verb.WAIT, delay=0.001), Answer(Verb.WAIT, delay=0.001), None]
    assert Flow(one)(1) == 2
    assert not stage.recorder.answers


# the end of a process


def test_closing_delivers_what_is_left(stage: Stage) -> None:
    Task(one)(1)
    stage.session.journal.close()
    assert stage.recorder.task_paths() == [["Pending", "Running", "Completed"]]


def test_closing_in_an_outage_keeps_what_is_left(stage: Stage) -> None:
    stage.recorder.before = away("deliver")
    Task(one)(1)
    stage.session.journal.close()
    stage.recorder.before = lambda verb, request: None
    assert stage.session.spool.deliver(stage.recorder.execution) == 1
    assert stage.recorder.task_paths() == [["Pending", "Running", "Completed"]]


def test_a_task_that_ends_when_its_session_is_closed_is_kept(stage: Stage) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait()
        raise LookupError("too late")

    future = Task(work).submit()
    begun.wait()
    stage.session.journal.close()
    assert stage.recorder.task_paths() == [["Pending", "Running"]]
    go_on.set()
    with pytest.raises(LookupError):
        future.result()
    assert stage.session.spool.deliver(stage.recorder.execution) >= 1
    assert stage.recorder.task_paths() == [["Pending", "Running", "Failed"]]


# one per process


def test_a_session_is_opened_when_first_needed_and_closed_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Session] = []
    closed: list[Session] = []
    at_exit: list[Callable[[], None]] = []

    class Closing(RecordingSession):
        def close(self) -> None:
            closed.append(self)

    def opener() -> Session:
        opened.append(Closing())
        return opened[-1]

    before = swap_session(None)
    monkeypatch.setattr(opening, "_opener", None)
    monkeypatch.setattr(sessions.atexit, "register", at_exit.append)
    try:
        with pytest.raises(errors.MissingContextError, match="import flow and task from headrace"):
            current_session()
        set_opener(opener)
        barrier = threading.Barrier(4)
        found: list[Session] = []

        def look() -> None:
            barrier.wait()
            found.append(current_session())

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == opened * 4
        assert at_exit == [close_session]
        close_session()
        close_session()
        assert closed == opened
    finally:
        swap_session(before)


def test_a_session_that_another_thread_has_just_opened_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = RecordingSession()

    class Busy:
        """A lock that another thread holds until it has opened the session."""

        def __enter__(self) -> None:
            sessions._session = opened  # pyright: ignore[reportPrivateUsage]

        def __exit__(self, *_: object) -> None: ...

    before = swap_session(None)
    monkeypatch.setattr(opening, "_opener", lambda: pytest.fail("it is open"))
    with monkeypatch.context() as patch:
        patch.setattr(sessions, "_lock", Busy())
        assert current_session() is opened
    swap_session(before)


@pytest.mark.parametrize("present", [True, False])
def test_the_end_of_a_process_of_multiprocessing_closes_the_session_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    finalizers: list[Any] = []

    class Util:
        @staticmethod
        def Finalize(*arguments: Any, **options: Any) -> None:  # noqa: N802
            finalizers.append((arguments, options))

    before = swap_session(None)
    monkeypatch.setattr(opening, "_opener", RecordingSession)
    monkeypatch.setattr(sessions.atexit, "register", lambda function: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    if present:
        monkeypatch.setitem(sessions.sys.modules, "multiprocessing.util", Util)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    else:
        monkeypatch.delitem(sessions.sys.modules, "multiprocessing.util", raising=False)
    try:
        current_session()
        assert finalizers == ([((None, close_session), {"exitpriority": 100})] if present else [])
    finally:
        swap_session(before)


def test_closing_lets_go_of_the_gateway(home: object) -> None:
    closed: list[str] = []

    class Gateway:
        def close(self) -> None:
            closed.append("gateway")

    session = RecordingSession()
    session.gateway = Gateway()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    session.close()
    assert closed == ["gateway"]


# what is asked of it


def test_a_cached_value_that_cannot_be_read_is_computed_anew(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def work(x: int) -> int:
        calls.append(x)
        return x

    task = Task(work, cache_policy=INPUTS)
    task(1)
    (file,) = [path for path in stage.settings.results_path.rglob("*") if path.is_file()]
    header, _, _ = file.read_bytes().partition(b"\n")
    file.write_bytes(header + b"\nsomething else")
    with caplog.at_level(logging.WARNING, "headrace.results"):
        logging.getLogger("headrace").propagate = True
        assert task(1) == 1
    assert calls == [1, 1]
    assert "A cached value is computed anew" in caplog.text


def test_nothing_is_found_where_nothing_was_kept(stage: Stage) -> None:
    assert FindResult("nothing").perform(stage.session) is None


def test_a_fact_of_a_session_goes_to_its_journal(stage: Stage) -> None:
    fact = TaskNameFact(uuid7(), "x")
    stage.session.emit(fact)
    assert stage.settle().facts == [fact]
