"""Loading tasks from where they stand: `path/to/file.py:task`, or all of a file or module."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from headrace.base.errors import ConfigurationError
from headrace.engine.task_definition import Task
from headrace.projects.entrypoints import load_place

AnyTask = Task[..., Any]


def load_tasks(entrypoint: str, folder: Path) -> list[AnyTask]:
    """The task that an entrypoint names; without `:task`, all that its file or module defines.

    Raises `ConfigurationError` in one line; where the file itself raised, that is the cause.
    """
    place, _, name = entrypoint.rpartition(":") if ":" in entrypoint else (entrypoint, "", "")
    if not place:
        raise ConfigurationError(f"Entrypoint {entrypoint!r} names no file: write path/to/file.py:task.")
    place, module = load_place(place, folder.absolute())
    tasks = _tasks_of(module)
    if not name:
        if not tasks:
            raise ConfigurationError(f"There is no task in {place}: decorate a function with @task.")
        return [*tasks.values()]
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        nearest = get_close_matches(name, [*tasks, *vars(module)], n=1)
        advice = f"; did you mean {place}:{nearest[0]}?" if nearest else "."
        raise ConfigurationError(f"There is no {name!r} in {place}{advice}")
    if not isinstance(found, Task):
        raise ConfigurationError(f"{place}:{name} is no task: decorate the function with @task.")
    return [cast("AnyTask", found)]


def _tasks_of(module: ModuleType) -> dict[str, AnyTask]:
    """The tasks that are defined in a module, by the names they have there."""
    return {
        name: cast("AnyTask", value)
        for name, value in vars(module).items()
        if isinstance(value, Task) and getattr(cast("Any", value), "__module__", None) == module.__name__
    }
