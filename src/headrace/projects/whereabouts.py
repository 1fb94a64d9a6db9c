"""Where a flow's code is for a process that is to execute it: its entrypoint, and the steps that bring the code there."""

from __future__ import annotations

import inspect
import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct

from headrace.base.errors import UsageError
from headrace.engine.flow_definition import Flow
from headrace.projects.definitions import Steps
from headrace.projects.entrypoints import AnyFlow
from headrace.projects.steps.naming import PREFIX


class EntrypointType(StrEnum):
    """How a flow is found: by its file, or by its module's name, which has to be installed where runs are executed."""

    FILE_PATH = "file_path"
    MODULE_PATH = "module_path"


class Whereabouts(Struct, frozen=True):
    """Where a flow's code is."""

    entrypoint: str
    pull_steps: Steps


def go_to(folder: Path) -> Steps:
    """The steps for code that is there already: in a folder of the machine that executes it."""
    return [{f"{PREFIX}set_working_directory": {"directory": str(folder)}}]


def locate(flow: AnyFlow, kind: EntrypointType = EntrypointType.FILE_PATH) -> Whereabouts:
    """Where a flow of this process is for other processes on this machine. Raises `UsageError` when they cannot load it.

    Its runs begin in this process's working directory if the code is below it, else where its file is.
    """
    file = _find_file(flow)
    name = _find_name(flow)
    here = Path.cwd()
    below = file.is_relative_to(here)
    if kind is EntrypointType.MODULE_PATH:
        return Whereabouts(f"{_name_module(flow)}:{name}", go_to(here) if below else [])
    folder = here if below else file.parent
    return Whereabouts(f"{file.relative_to(folder)}:{name}", go_to(folder))


def _find_file(flow: AnyFlow) -> Path:
    code = getattr(inspect.unwrap(flow.fn), "__code__", None)
    file = Path("" if code is None else code.co_filename).absolute()
    if not file.is_file():
        raise UsageError(
            f"Flow {flow.name!r} stands in no file, so no other process can load it: put it into one, path/to/file.py."
        )
    return file


def _find_name(flow: AnyFlow) -> str:
    """What the flow is called in its module: as its function, or as the name that it was given there."""
    module = sys.modules.get(flow.fn.__module__)
    name = getattr(flow.fn, "__qualname__", "")
    found = _look_up(module, name)
    if found is flow:
        return name
    own = next((known for known, value in vars(module).items() if value is flow), None) if module else None
    if own is not None:
        return own
    # One made from another with other options is loaded as that one.
    if isinstance(found, Flow) and found.fn is flow.fn:
        return name
    raise UsageError(
        f"Flow {flow.name!r} has no name at the top level of its module, so no other process can find it there: define it "
        "at the top level."
    )


def _look_up(module: ModuleType | None, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _name_module(flow: AnyFlow) -> str:
    name = flow.fn.__module__
    if name == "__main__":
        spec = getattr(sys.modules[name], "__spec__", None)
        if spec is None:
            raise UsageError(
                f"Flow {flow.name!r} stands in a script, which is no module: start it with python -m, or find it by its file."
            )
        name = spec.name
    return name
