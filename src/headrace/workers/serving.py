"""Serving: a process that makes deployments of its own and executes their runs itself, without a work pool.

Without a server it is the orchestrator as well: the loops that make scheduled runs go on in this process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress

from headrace.base.errors import ObjectNotFound
from headrace.base.settings import load_settings
from headrace.connect import open_service
from headrace.gateway.administration import Administration
from headrace.projects.blueprints import Deployed, Plan, make_deployment
from headrace.workers.process import ProcessInfrastructure
from headrace.workers.worker import Worker, WorkerOptions, make_name

log = logging.getLogger("headrace.worker")


class Service:
    """Serves deployments, from `run` until `stop`. `limit` is how many runs it executes at once.

    With `pause` their schedules rest from then on, until somebody serves them again or resumes them.
    """

    def __init__(self, plans: Sequence[Plan], limit: int | None, pause: bool, environ: Mapping[str, str]) -> None:
        self._plans = plans
        self._limit = limit
        self._pause = pause
        self._environ = environ
        self._stops = 0
        self._worker: Worker | None = None

    def stop(self) -> None:
        """Take no more runs, and return from `run` when those under way have ended; called again, have them end.

        May be called from a signal's handler.
        """
        self._stops += 1
        if self._worker is not None:
            self._worker.stop()

    def run(self, tell: Callable[[Sequence[Deployed]], None]) -> None:
        """Make the deployments, `tell` what was made, and execute their runs until told to stop.

        Raises `HeadraceError` in one line when that cannot be.
        """
        settings = load_settings(self._environ)
        with ExitStack() as stack:
            orchestrator = stack.enter_context(closing(open_service(settings)))
            infrastructure = stack.enter_context(closing(ProcessInfrastructure(environ=self._environ)))
            infrastructure.warm_up()
            execution, administration = orchestrator.execution, orchestrator.administration
            made = [make_deployment(plan, administration, execution) for plan in self._plans]
            if orchestrator.loops is not None:
                orchestrator.loops.start()
                stack.callback(orchestrator.loops.stop)
            served = tuple(each.deployment.id for each in made)
            options = WorkerOptions(name=make_name("serve"), deployment_ids=served, limit=self._limit)
            worker = Worker(
                options,
                execution,
                administration,
                infrastructure,
                self._environ,
                lambda: self._leave(administration, made),
            )
            self._worker = worker
            tell(made)
            if self._stops:
                worker.stop()
            worker.run()

    def _leave(self, administration: Administration, made: Sequence[Deployed]) -> None:
        if not self._pause:
            return
        paused: list[str] = []
        for each in made:
            with suppress(ObjectNotFound):  # somebody has deleted it
                deployment = administration.read_deployment(each.deployment.id)
                if deployment.schedules and not deployment.paused:
                    administration.pause_deployment(deployment.id)
                    paused.append(each.full_name)
        if paused:
            log.info("Schedules rest until they are served again or resumed: %s.", ", ".join(paused))
