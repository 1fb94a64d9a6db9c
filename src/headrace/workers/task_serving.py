"""One task worker, in this process: `python -m headrace.workers.task_serving`. People use `headrace task serve`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from headrace.base import errors
from headrace.connect import open_session
from headrace.engine.opening import set_opener
from headrace.engine.session import current_session
from headrace.projects.task_entrypoints import AnyTask, load_tasks
from headrace.workers.signals import stopping_at_signals
from headrace.workers.task_worker import TaskWorker


def load_all(places: list[str], folder: Path) -> list[AnyTask]:
    """The tasks of several entrypoints and modules. Raises `ConfigurationError`."""
    return [task for place in places for task in load_tasks(place, folder)]


def main() -> int:
    """Serve as the command line says; 1 with one sentence on stderr when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m headrace.workers.task_serving", description=__doc__)
    parser.add_argument("places", nargs="*")
    parser.add_argument("--limit", type=int, default=10)
    arguments = parser.parse_args()
    set_opener(open_session)
    try:
        worker = TaskWorker(*load_all(arguments.places, Path.cwd()), limit=arguments.limit)
        current_session()
        sys.stdout.write(f"Serving {', '.join(task.name for task in worker.tasks)}. Ctrl-C stops it.\n")
        sys.stdout.flush()
        with stopping_at_signals(worker.stop):
            worker.start()
    except errors.HeadraceError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
