"""One worker, in this process: `python -m headrace.workers`. People use `headrace worker start`, which checks first."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any, cast

import msgspec

from headrace.base import errors
from headrace.base.settings import Settings, load_settings
from headrace.connect import open_administration, open_execution
from headrace.gateway.administration import Administration
from headrace.schema.work_pool import WorkPoolCreate
from headrace.workers.process import ProcessInfrastructure
from headrace.workers.signals import stopping_at_signals
from headrace.workers.worker import Worker, WorkerOptions, make_name

log = logging.getLogger("headrace.worker")

PROCESS = "process"


def serve_pool(
    settings: Settings,
    options: WorkerOptions,
    kind: str | None,
    preload: tuple[str, ...],
    wanted: WorkPoolCreate | None = None,
) -> None:
    """Serve a pool until a signal comes; `wanted` is made if there is none of its name.

    Raises `HeadraceError`, in one sentence, when it cannot be served.
    """
    if options.limit is not None and options.limit < 1:
        raise errors.ConfigurationError(
            f"A worker that may execute {options.limit} runs would execute none: --limit 1 or more."
        )
    assert options.pool is not None
    with ExitStack() as stack:
        # A protocol says nothing of how its implementations end; every one of them closes.
        administration = stack.enter_context(closing(cast("Any", open_administration(settings))))
        execution = stack.enter_context(closing(open_execution(settings, supervised=True)))
        prepare_pool(administration, options.pool, kind, wanted)
        warn_of_missing_queues(administration, options.pool, options.queues)
        infrastructure = stack.enter_context(closing(ProcessInfrastructure(preload)))
        infrastructure.warm_up()
        serve(Worker(options, execution, administration, infrastructure, os.environ), options)


def serve(worker: Worker, options: WorkerOptions) -> None:
    """Have the worker at work until a signal comes."""
    log.info("Worker %r serves the work pool %r. Ctrl-C stops it.", options.name, options.pool)
    with stopping_at_signals(worker.stop):
        worker.run()
    log.info("Worker %r has stopped.", options.name)


def prepare_pool(administration: Administration, name: str, kind: str | None, wanted: WorkPoolCreate | None) -> None:
    """See that there is such a pool, of a kind that a worker can serve. Raises `ConfigurationError`."""
    try:
        pool = administration.read_work_pool(name)
    except errors.ObjectNotFound:
        if wanted is None:
            raise errors.ConfigurationError(
                f"There is no work pool {name!r}: create it with `headrace work-pool create {name} --type process`, or "
                "say --type process here."
            ) from None
        try:
            pool = administration.create_work_pool(wanted)
            log.info("The work pool %r has been created.", name)
        except errors.ObjectAlreadyExists:  # another worker was faster
            pool = administration.read_work_pool(name)
    if pool.type != (kind or PROCESS):
        raise errors.ConfigurationError(
            f"The work pool {name!r} is of the type {pool.type}: this worker serves {kind or PROCESS} pools."
        )


def warn_of_missing_queues(administration: Administration, pool: str, queues: Sequence[str]) -> None:
    """Say which queues there are not, from which nothing will come. They may be made later, so that is no error."""
    for queue in dict.fromkeys(queues):
        try:
            administration.read_work_queue_by_name(pool, queue)
        except errors.ObjectNotFound:
            log.warning(
                "Work pool %r has no queue %r, so nothing comes from it until there is: "
                "`headrace work-queue create %s --pool %s` makes it.",
                pool,
                queue,
                shlex.quote(queue),
                shlex.quote(pool),
            )


def configure_logging(level: str) -> None:
    """Say on stderr what the worker has to say."""
    logger = logging.getLogger("headrace")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s | %(levelname)-7s | %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(level)


def main() -> int:
    """Serve as the command line says; 1 with one sentence on stderr when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m headrace.workers", description=__doc__)
    parser.add_argument("--pool", required=True)
    parser.add_argument("--name")
    parser.add_argument("--type", choices=[PROCESS])
    parser.add_argument("--create-pool", action="store_true")
    parser.add_argument("--base-job-template", default="{}", help="that of a pool that is made, as a JSON object")
    parser.add_argument("--queue", action="append", default=[])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--preload", action="append", default=[])
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--log-level", default="INFO")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
        configure_logging(arguments.log_level)
        options = WorkerOptions(
            pool=arguments.pool,
            name=arguments.name or make_name(PROCESS),
            queues=tuple(arguments.queue),
            limit=arguments.limit,
            once=arguments.once,
        )
        wanted = WorkPoolCreate(
            name=arguments.pool,
            type=arguments.type or PROCESS,
            base_job_template=msgspec.json.decode(arguments.base_job_template),
        )
        made = wanted if arguments.create_pool else None
        serve_pool(settings, options, arguments.type, tuple(arguments.preload), made)
    except errors.HeadraceError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
