"""What the task runners have in common that execute runs in other processes.

A run leaves this process when the runs it depends on have ended, with their values in place of the futures, and its future
ends when the answer has arrived. What is never sent is executed here, in a thread: a run whose upstream failed, which has
nothing to execute, and one within a transaction, which may have to be undone here.
"""

from __future__ import annotations

import pickle
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import Future as Expected
from functools import partial
from typing import Any, cast

from headrace.base import errors
from headrace.engine.delegates import DIED
from headrace.engine.drivers import drive_sync
from headrace.engine.futures import Future
from headrace.engine.logs import describe_error
from headrace.engine.parcels import Answer, Ending, open_ending, pack_flows, pack_task_run
from headrace.engine.results import Result
from headrace.engine.runner import TaskRunner, Work
from headrace.engine.runners.threads import ThreadPoolTaskRunner
from headrace.engine.submissions import Submission
from headrace.engine.task_lifecycle import bury, refuse
from headrace.schema.state import State

PATIENCE = 1.0
"""Seconds that what was interrupted has to say how it ended."""

GAP = 1_000
"""How many states of a run nobody may have heard of when the process that executed it died."""

LEFT = "The flow run has ended before the task run did."

MOST_EXECUTIONS = 3
"""How often a run is executed at most when the process that executes it dies each time."""


class WorkerDied(errors.HeadraceError):
    """The process that executed a run has ended without an answer. `final`: it is not to be executed again."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class RemoteTaskRunner(TaskRunner):
    """A task runner that sends what is submitted to other processes.

    Subclasses say how one is made (`duplicate`, `setup`), how a parcel gets to a process that calls `execute` of
    `headrace.task_runners` with it (`send`), and how all of that is let go of (`stop`).
    """

    repeats = False
    """Whether what executes parcels may execute one again by itself when a process died."""

    def __init__(self) -> None:
        self._desk = ThreadPoolTaskRunner()
        self._here = ThreadPoolTaskRunner()
        self._changed = threading.Condition()
        self._open: dict[Submission, int] = {}
        self._ending = 0
        self._flows: bytes | None = None
        self._abandoned = False

    @abstractmethod
    def send(self, parcel: bytes, name: str) -> Expected[bytes]:
        """Have a process call `execute(parcel)`; the future is what it returns, or the `WorkerDied` that came of it.

        `name` is the run's, for people to see.
        """
        ...

    @abstractmethod
    def stop(self, *, wait: bool) -> None:
        """Let go of the processes. Without `wait`, end what they execute; nothing of it matters any more."""
        ...

    def submit(self, work: Work) -> None:
        """Send the run when those it depends on have ended."""
        submission = cast("Submission", work)
        with self._changed:
            self._open[submission] = 0
        upstream = [one for one in submission.run.upstream if isinstance(one, Future) and not one.done()]
        if upstream:
            _Countdown(upstream, partial(self._desk.submit, partial(self._begin, submission)))
        else:
            self._begin(submission)

    def teardown(self) -> None:
        """Wait until every run has ended, and let go of the processes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open and not self._ending)
            abandoned = self._abandoned
        for threads in (self._desk, self._here):
            threads.teardown()
        if not abandoned:
            self.stop(wait=True)

    def abandon(self) -> None:
        """End what is executed elsewhere, and say of what has not ended by then that nobody waited for it."""
        with self._changed:
            self._abandoned = True
        self.stop(wait=False)
        with self._changed:
            self._changed.wait_for(lambda: not self._open and not self._ending, PATIENCE)
            left = [*self._open]
        for submission in left:
            self._bury(submission, LEFT)

    def _begin(self, submission: Submission) -> None:
        run = submission.run
        if self._abandoned:
            return
        if run.transaction is not None and run.transaction.parent is not None:
            run.log.debug("It is executed in the flow's own process, since it belongs to a transaction.")
            self._here.submit(partial(self._claim, submission, submission))
            return
        if run.upstream:
            try:
                run.resolve_arguments()
            except Exception:  # noqa: BLE001 - a value that cannot be read, or whatever: its lifecycle meets it again
                self._here.submit(partial(self._claim, submission, submission))
                return
        self._send(submission)

    def _send(self, submission: Submission) -> None:
        run = submission.run
        try:
            if self._flows is None:
                assert run.context.flow_run is not None
                self._flows = pack_flows(run.context.flow_run)
            parcel = pack_task_run(submission, self._flows, self._open.get(submission, 0), again=self.repeats)
            answer = self.send(parcel, run.name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run cannot be sent
            self._desk.submit(partial(self._refuse, submission, error))
            return
        answer.add_done_callback(lambda _: self._desk.submit(partial(self._receive, submission, answer)))

    def _receive(self, submission: Submission, answered: Expected[bytes]) -> None:
        try:
            answer: Answer = pickle.loads(answered.result())  # noqa: S301 - from a process that was sent code
        except WorkerDied as death:
            self._send_again(submission, death)
        except CancelledError:
            self._bury(submission, LEFT)
        except BaseException as error:  # noqa: BLE001 - as above
            self._refuse(submission, error)
        else:
            run = submission.run
            for fact in answer.facts:
                run.session.emit(fact)
            if answer.ending is None:
                self._refuse(submission, answer.refusal or errors.UsageError("The other process gave no reason."))
            else:
                self._conclude(submission, partial(_take_over, submission, answer.ending))

    def _send_again(self, submission: Submission, death: WorkerDied) -> None:
        run = submission.run
        with self._changed:
            if submission not in self._open:  # it has been given up
                return
            self._open[submission] += 1
            executions, abandoned = self._open[submission], self._abandoned
        if abandoned or death.final or executions >= MOST_EXECUTIONS:
            times = f" {executions} times" if executions > 1 else ""
            self._bury(submission, f"The process that executed the task run died{times}: {death}")
        else:
            run.log.warning("%s It is sent to another one: %s", DIED, death)
            self._send(submission)

    def _refuse(self, submission: Submission, error: BaseException) -> None:
        run = submission.run
        if not isinstance(error, errors.HeadraceError):
            error = errors.UsageError(
                f"Task run {run.name!r} cannot be sent to another process: {describe_error(error)}."
            )
        self._conclude(submission, lambda: drive_sync(refuse(run, error), run))

    def _bury(self, submission: Submission, text: str) -> None:
        run = submission.run
        run.ordinal += GAP
        self._conclude(submission, lambda: drive_sync(bury(run, text), run))

    def _conclude(self, submission: Submission, end: Callable[[], State]) -> None:
        """Have the run ended by `end`, and its future with it."""
        self._claim(submission, partial(submission.end_by, end))

    def _claim(self, submission: Submission, end: Callable[[], None]) -> None:
        """Call `end`, which ends the run, unless that is done or being done."""
        with self._changed:
            if self._open.pop(submission, None) is None:
                return
            self._ending += 1
        try:
            end()
        finally:
            with self._changed:
                self._ending -= 1
                self._changed.notify_all()


class _Countdown:
    """Calls `then` when all futures have ended."""

    def __init__(self, futures: Sequence[Future[Any]], then: Callable[[], None]) -> None:
        self._left = len(futures)
        self._then = then
        self._lock = threading.Lock()
        for future in futures:
            future.add_done_callback(self._count)

    def _count(self, _: Future[Any]) -> None:
        with self._lock:
            self._left -= 1
            over = not self._left
        if over:
            self._then()


def _take_over(submission: Submission, ending: Ending) -> State:
    """The final state of a run that was executed elsewhere; from here on it is this process's state as well."""
    run = submission.run
    run.session.unfinished.pop(run.id, None)
    run.ordinal, run.timestamp, run.run_count = ending.ordinal, ending.timestamp, ending.run_count
    run.state_type, run.state_name, run.cache_key = ending.type, ending.name, ending.cache_key
    run.ended = state = open_ending(run, ending)
    if isinstance(state.data, Result) and state.data.in_memory:
        run.remember(state.data.load())
    return state
