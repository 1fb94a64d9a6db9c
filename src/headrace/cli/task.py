from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import App, Parameter

from headrace.base.errors import ConfigurationError
from headrace.cli.invocation import Injected

app = App(name="task", help_flags=["--help"])

Modules = Annotated[tuple[str, ...], Parameter(name=["--module", "-m"], negative=(), show_default=False)]
AtOnce = Annotated[int, Parameter(name=["--limit", "-l"])]


@app.command
def serve(*entrypoints: str, module: Modules = (), limit: AtOnce = 10, invocation: Injected) -> None:
    """Serve tasks: execute runs of them that were asked for with `delay`, in threads of one process.

    Ctrl-C once: no more runs are taken, those under way are finished. Twice: they are given back to other workers.

    Parameters
    ----------
    entrypoints
        `path/to/file.py:task`, or a file, of which all tasks are served.
    module
        A module of which all tasks are served; may be repeated.
    limit
        How many runs are executed at the same time.
    """
    places = [*entrypoints, *module]
    if not places:
        raise ConfigurationError(
            "There is nothing to serve: name an entrypoint such as jobs.py:send, or a module with -m."
        )
    invocation.out.file.flush()
    # The worker takes this process over: what the command line has loaded would stay in memory for as long.
    command = [sys.executable, "-m", "headrace.workers.task_serving", f"--limit={limit}", "--", *places]
    os.execve(command[0], command, invocation.environ)  # noqa: S606 - an argv list of our own, no shell
