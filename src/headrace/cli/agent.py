"""The older spelling of `headrace worker start`."""

from __future__ import annotations

from cyclopts import App

from headrace.cli.invocation import Injected
from headrace.cli.worker import AtOnce, Name, Pool, Queues, become_worker

app = App(name="agent", help_flags=["--help"])


@app.command
def start(
    *, pool: Pool, work_queue: Queues = (), limit: AtOnce = None, name: Name = None, invocation: Injected
) -> None:
    """Start a worker on a pool, which is created as a pool of processes if there is none: as `headrace worker start`.

    Parameters
    ----------
    pool
        The work pool to serve.
    work_queue
        Only runs from this queue of the pool; may be repeated.
    limit
        How many runs it executes at the same time.
    name
        What the worker is called; by default after its machine and process.
    """
    options = [f"--pool={pool}", "--type=process", "--create-pool", *(f"--queue={queue}" for queue in work_queue)]
    options += [f"--limit={limit}"] if limit is not None else []
    options += [f"--name={name}"] if name is not None else []
    become_worker(invocation, options)
