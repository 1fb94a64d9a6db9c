from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from headrace.base.errors import InvalidRequest
from headrace.cli.invocation import Flag, Injected, Invocation
from headrace.cli.work_pool import read_template
from headrace.schema.wire import encode_json

app = App(name="worker", help_flags=["--help"])

Pool = Annotated[str, Parameter(name=["--pool", "-p"])]
Queues = Annotated[tuple[str, ...], Parameter(name=["--work-queue", "-q"], negative=())]
Name = Annotated[str | None, Parameter(name=["--name", "-n"])]
Type = Annotated[Literal["process"] | None, Parameter(name=["--type", "-t"])]
AtOnce = Annotated[int | None, Parameter(name=["--limit", "-l"])]
Preload = Annotated[tuple[str, ...], Parameter(negative=())]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@app.command
def start(
    *,
    pool: Pool,
    type_: Type = None,
    name: Name = None,
    work_queue: Queues = (),
    limit: AtOnce = None,
    run_once: Flag = False,
    create_pool_if_not_found: bool | None = None,
    base_job_template: Path | None = None,
    preload: Preload = (),
    log_level: Level = "INFO",
    invocation: Injected,
) -> None:
    """Start a worker: it takes runs from a work pool as they are due and executes each in a process of its own.

    Ctrl-C once: no more runs are taken, those under way are finished. Twice: they are ended.

    Parameters
    ----------
    pool
        The work pool to serve.
    type_
        The type of the pool, which is created if there is none of this name, unless --no-create-pool-if-not-found.
    name
        What the worker is called; by default after its machine and process.
    work_queue
        Only runs from this queue of the pool; may be repeated.
    limit
        How many runs it executes at the same time.
    run_once
        End when what is due now has been executed.
    create_pool_if_not_found
        Whether the pool is created if there is none of this name. [default: where --type is given]
    base_job_template
        The JSON file with the template of a pool that is created.
    preload
        A module that most runs need, such as pandas: loaded once, before the first run; may be repeated.
    log_level
        The lowest level of what the worker says on stderr.
    """
    options = [f"--pool={pool}", f"--log-level={log_level}"]
    options += [f"--type={type_}"] if type_ is not None else []
    if create_pool_if_not_found if create_pool_if_not_found is not None else type_ is not None:
        template = read_template(base_job_template)
        options += ["--create-pool", *([f"--base-job-template={encode_json(template)}"] if template else [])]
    elif base_job_template is not None:
        raise InvalidRequest("--base-job-template is for a pool that is created: add --create-pool-if-not-found.")
    options += [f"--name={name}"] if name is not None else []
    options += [f"--limit={limit}"] if limit is not None else []
    options += ["--once"] if run_once else []
    options += [f"--queue={queue}" for queue in work_queue]
    options += [f"--preload={module}" for module in preload]
    become_worker(invocation, options)


def become_worker(invocation: Invocation, options: list[str]) -> None:
    """The worker takes this process over: what the command line has loaded would stay in memory for as long."""
    invocation.out.file.flush()
    command = [sys.executable, "-m", "headrace.workers", *options]
    os.execve(command[0], command, invocation.environ)  # noqa: S606 - an argv list of our own, no shell
