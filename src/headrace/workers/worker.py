"""The worker: takes runs of a pool, or of deployments, that are due, has each executed, and passes on who is to end.

One thread decides, from messages: that something has happened, that a run has ended, that it is to stop. Another reads the
event log, which wakes the first; a third shows that the worker is there. Whatever fails for want of an orchestrator is tried
again for as long as it takes.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct

from headrace.base import clock, errors
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import Claim, ClaimRequest, DueRequest
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkerBeat
from headrace.workers.charge import Ending
from headrace.workers.infrastructure import Infrastructure, Launched
from headrace.workers.jobs import draw_up
from headrace.workers.news import News

log = logging.getLogger("headrace.worker")

LOOK = 10.0
"""The most seconds between two looks for work, whether or not anything is heard."""

BEAT = 10.0
"""Seconds between two signs that the worker is there."""

RECOVERY = 2.0
"""Seconds before it is tried again when the orchestrator cannot be asked."""

AHEAD = 20
"""How many of the next runs are looked at to know when the first of them is due."""

AT_ONCE = 50
"""How many runs are claimed in one request."""

SERVERS_OWN = ("HEADRACE_SERVER_API_KEY", "HEADRACE_SERVER_SMTP_PASSWORD")
"""Secrets in a worker's environment that are no business of its runs'."""


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """What a worker is told: its name, its pool and the queues of it that it serves (all, if none is named), and limits.

    Without a pool it serves deployments by their ids. `limit` is how many runs it executes at once; `once` has it end when
    all that was due at its start has been executed.
    """

    name: str
    pool: str | None = None
    queues: tuple[str, ...] = ()
    deployment_ids: tuple[UUID, ...] | None = None
    limit: int | None = None
    once: bool = False


class Running(Struct):
    """A run that this worker has launched."""

    claim: Claim
    launched: Launched


class Worker:
    """Serves a pool, or deployments, from `run` until `stop`. `leave` is called once, when it is to take no more."""

    def __init__(
        self,
        options: WorkerOptions,
        execution: Execution,
        administration: Administration,
        infrastructure: Infrastructure,
        environ: Mapping[str, str],
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        self._options = options
        self._leave = leave
        self._execution = execution
        self._administration = administration
        self._infrastructure = infrastructure
        self._environ = {name: value for name, value in environ.items() if name not in SERVERS_OWN}
        # What wakes the thread that decides: something to do, or None for a look.
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._claims: deque[Claim] = deque()
        # By run and attempt: a run that is resumed may be launched again before the end of its last attempt is heard of.
        self._running: dict[tuple[UUID, int], Running] = {}
        self._taking = True
        self._stops = 0
        self._reached = True
        self._news = News(execution, self._hear)
        self._gone = threading.Event()

    def stop(self) -> None:
        """Take no more, and return from `run` when what is being executed has ended; called again, have it end.

        May be called from a signal's handler.
        """
        self._inbox.put(self._on_stop)

    def run(self) -> None:
        """Serve until told to stop."""
        if self._options.pool is not None:
            beats = threading.Thread(
                target=self._beat, args=(self._options.pool,), name="headrace-worker-beat", daemon=True
            )
            beats.start()
        self._news.start()
        try:
            self._serve()
        finally:
            self._gone.set()
            self._news.stop()

    def _serve(self) -> None:
        """Look for work, then do what messages ask for, and again."""
        patience = self._look()
        while not self._is_done():
            for message in self._receive(patience):
                if message is not None:
                    message()
            patience = self._look()

    def _is_done(self) -> bool:
        return not (self._taking or self._running or self._claims)

    def _receive(self, patience: float) -> list[Callable[[], None] | None]:
        """The messages that have come, once one has, or none has for so many seconds."""
        messages: list[Callable[[], None] | None] = []
        with suppress(queue.Empty):
            messages.append(self._inbox.get(timeout=patience))
            while True:
                messages.append(self._inbox.get_nowait())
        return messages

    def _look(self) -> float:
        """Take what is due and launch it; return how many seconds until there is reason to look again."""
        try:
            self._launch_claims()
            while self._taking and (room := self._room()):
                claims = self._execution.claim_flow_runs(self._request(room))
                self._claims += claims
                self._launch_claims()
                if self._options.once or not claims:
                    break
            self._taking = self._taking and not self._options.once
            self._say_reached()
            return self._until_next() if self._taking and self._room() else LOOK
        except errors.GatewayError as error:
            self._say_unreached(error)
            return RECOVERY

    def _room(self) -> int:
        """How many more runs may be taken at once."""
        limit = self._options.limit
        return AT_ONCE if limit is None else min(max(limit - len(self._running), 0), AT_ONCE)

    def _request(self, room: int) -> ClaimRequest:
        return ClaimRequest(
            before=clock.now(),
            limit=room,
            **self._narrowing(),
            claimant=self._options.name,
            presence=self._execution.presence(),
        )

    def _narrowing(self) -> dict[str, Any]:
        """Whose runs this worker takes."""
        options = self._options
        return {
            "work_pool_name": options.pool,
            "work_queue_names": [*options.queues] or None,
            "deployment_ids": None if options.deployment_ids is None else [*options.deployment_ids],
        }

    def _until_next(self) -> float:
        """Seconds until the next run that is known already is due."""
        now = clock.now()
        coming = self._execution.list_due_flow_runs(
            DueRequest(before=now + timedelta(seconds=LOOK), limit=AHEAD, **self._narrowing())
        )
        times = [run.next_scheduled_start_time for run in coming if run.next_scheduled_start_time is not None]
        return min(max((min(times) - now).total_seconds(), 0.01), LOOK) if times else LOOK

    def _launch_claims(self) -> None:
        """Launch what is claimed. A claim stays one of ours until it is launched, given back or given up."""
        while self._claims:
            if self._stops:
                claim = self._claims[0]
                self._execution.release_claim(claim.flow_run.id, claim.epoch)
            else:
                self._launch(self._claims[0])
            self._claims.popleft()

    def _launch(self, claim: Claim) -> None:
        """Have a claimed run executed; one that cannot be is given up or given back."""
        run = claim.flow_run
        try:
            charge = draw_up(claim, self._administration, self._environ)
        except (errors.ObjectNotFound, errors.ConfigurationError) as error:
            log.error("Flow run %r cannot be executed: %s", run.name, error)  # noqa: TRY400 - one sentence
            self._execution.end_attempt(run.id, claim.epoch, f"The run cannot be executed: {error}")
            return
        try:
            launched = self._infrastructure.launch(charge, partial(self._on_end, (run.id, claim.epoch)))
        except (OSError, errors.ConfigurationError) as error:
            shutil.rmtree(charge.folder, ignore_errors=True)
            log.error("Flow run %r cannot be launched, and is given back: %s", run.name, error)  # noqa: TRY400 - as above
            self._execution.release_claim(run.id, claim.epoch)
            self._gone.wait(RECOVERY)
            return
        self._running[run.id, claim.epoch] = Running(claim, launched)
        log.info("Flow run %r of deployment %r begins.", run.name, charge.deployment_name)

    def _on_end(self, attempt: tuple[UUID, int], ending: Ending | None) -> None:
        """Called on the thread that hears how runs end."""
        self._inbox.put(partial(self._end, attempt, ending))

    def _end(self, attempt: tuple[UUID, int], ending: Ending | None) -> None:
        """A run has ended, or its supervisor has without a word: then the run has died with it."""
        running = self._running.pop(attempt)
        run, epoch = running.claim.flow_run, running.claim.epoch
        if ending is None:
            log.error("The supervisor of flow run %r has died, and the run with it.", run.name)
            self._tell(lambda: self._execution.end_attempt(run.id, epoch, "The supervisor of this run has died."))
        elif ending.crashed:
            log.error("Flow run %r has crashed: its process ended with %d.", run.name, ending.code)
        else:
            log.info("Flow run %r has ended.", run.name)

    def _tell(self, ask: Callable[[], Any]) -> None:
        """Ask something that others would find out as well, only later."""
        try:
            ask()
        except errors.GatewayError as error:
            log.warning("%s", error)

    def _hear(self, flow_run_id: UUID | None, state: StateType | None) -> None:
        """Something has happened to a flow run; called on the thread that reads the news."""
        if state is StateType.CANCELLING and flow_run_id is not None:
            self._inbox.put(partial(self._cancel, flow_run_id))
        elif state is StateType.PAUSED and flow_run_id is not None:
            self._inbox.put(partial(self._suspend, flow_run_id))
        elif state in {StateType.SCHEDULED, None}:
            self._inbox.put(None)

    def _find(self, flow_run_id: UUID) -> Running | None:
        """The last attempt of a run that this worker has launched and not heard the end of."""
        epochs = [epoch for run_id, epoch in self._running if run_id == flow_run_id]
        return self._running[flow_run_id, max(epochs)] if epochs else None

    def _cancel(self, flow_run_id: UUID) -> None:
        running = self._find(flow_run_id)
        if running is not None:
            log.info("Flow run %r is cancelled.", running.claim.flow_run.name)
            running.launched.end()

    def _suspend(self, flow_run_id: UUID) -> None:
        """End a run that somebody else has suspended, and so taken out of its hands; one that pauses knows what it does."""
        running = self._find(flow_run_id)
        if running is None:
            return

        def end_if_over() -> None:
            if self._execution.read_flow_run(flow_run_id).epoch != running.claim.epoch:
                log.info("Flow run %r is suspended.", running.claim.flow_run.name)
                running.launched.end()

        self._tell(end_if_over)

    def _on_stop(self) -> None:
        self._stops += 1
        self._taking = False
        if self._stops == 1:
            self._tell(self._leave)
        count = len(self._running)
        if count and self._stops == 1:
            log.warning("Taking no more runs; %d of them are still being executed. Stop once more to end them.", count)
        elif count:
            log.warning("Ending %d flow runs.", count)
            for running in self._running.values():
                running.launched.end()

    def _beat(self, pool: str) -> None:
        """Show every so often that the worker is there."""
        beat = WorkerBeat(work_pool_name=pool, name=self._options.name, heartbeat_interval_seconds=BEAT)
        while True:
            try:
                self._execution.beat_worker(beat)
            except errors.GatewayError as error:
                log.debug("The worker cannot show that it is there: %s", error)
            if self._gone.wait(BEAT):
                return

    def _say_reached(self) -> None:
        if not self._reached:
            log.info("The orchestrator answers again.")
            self._reached = True

    def _say_unreached(self, error: errors.GatewayError) -> None:
        if self._reached:
            log.warning("No runs can be taken just now, and it is tried again: %s", error)
            self._reached = False


def make_name(kind: str) -> str:
    """A name for a worker that was given none: where it runs, and as which process."""
    return f"{os.uname().nodename}-{kind}-{os.getpid()}"
