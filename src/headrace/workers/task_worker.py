"""The task worker: takes background runs of its tasks as they are due, and executes them in threads of this process.

One thread decides. The live channel wakes it when a run is due, a run's thread when it has ended. What it has taken is under
one lease, the worker's own: when its process dies, others get what it had.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.engine.claimed_task import execute_claim
from headrace.engine.session import Session, current_session
from headrace.engine.task_definition import Task
from headrace.schema.task_worker import TaskClaim, TaskClaimRequest, TaskClaims
from headrace.workers.worker import make_name

log = logging.getLogger("headrace.task_worker")

LOOK = 5.0
"""The most seconds between two looks for work, whether or not anything is heard."""

RECOVERY = 1.0
"""Seconds before it is tried again when the orchestrator cannot be asked."""

AT_ONCE = 100
"""How many runs are claimed in one request."""

AnyTask = Task[..., Any]


class TaskWorker:
    """Executes background runs of some tasks, `limit` of them at once; all that are due, without one.

    `start` serves until `stop`; `run_once` executes what is due now. Raises `UsageError` for what it cannot serve.
    """

    def __init__(self, *tasks: AnyTask, limit: int | None = 10, name: str | None = None) -> None:
        self.tasks = check_tasks(tasks)
        if limit is not None and (not isinstance(limit, int) or limit < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise errors.UsageError(f"limit is how many runs are executed at once, at least 1, not {limit!r}.")
        self.limit = limit
        self.name = name or make_name("task")
        self.started_at: datetime | None = None
        self._by_key = {task.task_key: task for task in self.tasks}
        self._id = uuid7()
        self._running: dict[UUID, TaskClaim] = {}
        # Claims on runs that this worker, having been taken for dead, is still executing: they begin when that has ended.
        self._again: dict[UUID, TaskClaim] = {}
        self._lock = threading.Lock()
        self._stirred = threading.Event()
        self._stops = 0
        self._taking = True
        self._reached = True
        self._known = False

    @property
    def started(self) -> bool:
        """Whether it has begun to serve."""
        return self.started_at is not None

    @property
    def current_tasks(self) -> int:
        """How many runs it is executing."""
        return len(self._running)

    @property
    def available_tasks(self) -> int | None:
        """How many more runs it may execute at once; None when there is no limit."""
        return None if self.limit is None else max(self.limit - len(self._running), 0)

    def stop(self) -> None:
        """Take no more, and return from `start` when what is being executed has ended; called again, give that back.

        May be called from a signal's handler.
        """
        self._stops += 1
        self._stirred.set()

    def start(self) -> None:
        """Serve until told to stop."""
        self._work(once=False)

    def run_once(self) -> int:
        """Execute what is due now, and return how many runs that were."""
        return self._work(once=True)

    def _work(self, once: bool) -> int:
        session = current_session()
        self._taking = True
        self._stops = 0 if self.started else self._stops
        self.started_at = clock.now()
        try:
            with session.live.listen(self._hear):
                return self._serve(session, once)
        finally:
            self._leave(session)

    def _serve(self, session: Session, once: bool) -> int:
        """Take runs and have them executed, until there is nothing more to do; how many were taken."""
        taken = 0
        while self._taking or self._running or self._again:
            self._stirred.clear()
            if self._stops > 1 and self._running:
                return taken
            self._taking = self._taking and not self._stops
            room = self._room()
            claims, patience = self._take(session, room)
            for claim in [*self._again.values(), *(claims or ())]:
                self._begin(session, claim)
            taken += len(claims or ())
            if once and claims == [] and room:
                self._taking = False
            if not claims and (self._taking or self._running):
                self._stirred.wait(patience)
        return taken

    def _room(self) -> int:
        """How many runs may be claimed now."""
        room = self.available_tasks if self._taking else 0
        return AT_ONCE if room is None else min(room, AT_ONCE)

    def _take(self, session: Session, room: int) -> tuple[list[TaskClaim] | None, float]:
        """Claim what there is room for, None when nobody answers; and how many seconds until there is reason to look again."""
        try:
            if session.gateway.presence().kind == "lock":
                session.gateway.crash_if_dead()  # nobody else looks, where there is no server
            answer = session.gateway.claim_task_runs(self._request(session, room))
        except errors.GatewayError as error:
            self._say_unreached(error)
            return None, RECOVERY
        self._say_reached(answer)
        if answer.next_due is None:
            return answer.claims, LOOK
        return answer.claims, min(max((answer.next_due - clock.now()).total_seconds(), 0.01), LOOK)

    def _request(self, session: Session, room: int) -> TaskClaimRequest:
        """A request for so many runs. One for nothing shows that the worker is still there."""
        return TaskClaimRequest(
            worker_id=self._id,
            name=self.name,
            task_keys=[*self._by_key],
            limit=room,
            presence=session.gateway.presence(),
        )

    def _begin(self, session: Session, claim: TaskClaim) -> None:
        run = claim.task_run
        with self._lock:
            waits = run.id in self._running
            (self._again if waits else self._running)[run.id] = claim
        if waits:
            return
        self._again.pop(run.id, None)
        log.info("Task run %r begins.", run.name)
        # A thread and a context of its own: nothing that a run leaves behind in them is met by the next one.
        work = partial(contextvars.Context().run, self._execute, session, claim)
        threading.Thread(target=work, name=f"headrace-run-{run.name}", daemon=True).start()

    def _execute(self, session: Session, claim: TaskClaim) -> None:
        """Execute a run on this thread. Never raises: there is nobody to raise to."""
        run = claim.task_run
        try:
            state = execute_claim(session, self._by_key[run.task_key], claim)
            log.info("Task run %r has ended: %s.", run.name, state)
        except BaseException:
            log.exception("Task run %r could not be brought to its end", run.name)
        finally:
            with self._lock:
                self._running.pop(run.id, None)
            self._stirred.set()

    def _hear(self, task_key: str) -> None:
        if task_key in self._by_key and self.available_tasks != 0:
            self._stirred.set()

    def _leave(self, session: Session) -> None:
        """Give back what is not finished, and be gone."""
        with self._lock:
            count = len(self._running)
        if count:
            log.warning("%d task runs that have not ended are given back.", count)
        try:
            session.gateway.end_task_worker(self._id)
        except errors.GatewayError as error:
            log.warning("What this worker has comes back to the others when its lease ends: %s", error)
        self._id, self._known = uuid7(), False

    def _say_reached(self, answer: TaskClaims) -> None:
        if self._known and not answer.recognised:
            log.warning("This worker was taken for dead: what it is executing is executed once more elsewhere.")
        self._known = True
        if not self._reached:
            log.info("The orchestrator answers again.")
            self._reached = True

    def _say_unreached(self, error: errors.GatewayError) -> None:
        if self._reached:
            log.warning("No runs can be taken just now, and it is tried again: %s", error)
            self._reached = False


def check_tasks(tasks: Sequence[AnyTask]) -> tuple[AnyTask, ...]:
    """The tasks, each once. Raises `UsageError` for none, for what is no task, and for two that cannot be told apart."""
    if not tasks:
        raise errors.UsageError("There is nothing to serve: name at least one task.")
    by_key: dict[str, AnyTask] = {}
    for task in tasks:
        if not isinstance(task, Task):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise errors.UsageError(f"Only tasks can be served, not {task!r}: decorate the function with @task.")
        known = by_key.setdefault(task.task_key, task)
        if known.fn is not task.fn:
            raise errors.UsageError(
                f"Two tasks are called {task.fn.__qualname__} in files of the same name: their runs cannot be told apart."
            )
    return tuple(by_key.values())
