"""Running a flow run that has ended again: on a worker of its deployment, else here, where its code is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from headrace.base.errors import ConfigurationError, HeadraceError, InvalidRequest
from headrace.cli.texts import one_line
from headrace.schema.checkpoint import Reopening
from headrace.schema.state import State

if TYPE_CHECKING:
    from headrace.cli.invocation import Invocation
    from headrace.engine.flow_definition import Flow
    from headrace.schema.run import FlowRun

Parameters = Annotated[
    tuple[str, ...],
    Parameter(
        ["--param", "-p"],
        negative=(),
        show_default=False,
        help="Give a parameter another value: name=value. May be repeated.",
    ),
]
Entrypoint = Annotated[
    str | None,
    Parameter(
        ["--entrypoint", "-e"], help="Where its flow is: path/to/file.py:function; by default where it was found then."
    ),
]


def begin_again(
    run: FlowRun,
    invocation: Invocation,
    message: str,
    entrypoint: str | None = None,
    from_task: str | None = None,
    parameters: dict[str, Any] | None = None,
) -> None:
    """Let a run begin another attempt. Exits with 1 when it is executed here and does not complete."""
    request = Reopening(
        flow_run_id=run.id, message=message, from_task=from_task, parameters=_check(run, parameters or {})
    )
    if run.deployment_id is not None and entrypoint is None:
        with invocation.execution() as execution:
            execution.reopen_flow_run(request)
        invocation.print_line(f"Flow run {one_line(run.name)} ({run.id}) begins again when a worker takes it.")
        return
    flow = _load(run, invocation, entrypoint)
    from headrace.engine.requests import Reopen
    from headrace.engine.session import current_session

    claim = Reopen(request).perform(current_session())
    _end(flow.execute(claim))


def replay_here(run: FlowRun, invocation: Invocation, entrypoint: str | None) -> None:
    """Execute a copy of a run here; where its code fails, the debugger opens. Exits with 1 when it does not complete."""
    flow = _load(run, invocation, entrypoint)
    state = flow.replay(run)
    error = state.data
    if isinstance(error, Exception) and not isinstance(error, HeadraceError) and sys.stdin.isatty():
        import pdb  # noqa: T100 - it is what was asked for

        traceback = error.__traceback__
        if traceback is not None:
            invocation.print_line(f"{type(error).__name__}: {error}")
            pdb.post_mortem(traceback)
    _end(state)


def _check(run: FlowRun, parameters: dict[str, Any]) -> dict[str, Any]:
    unknown = parameters.keys() - run.parameters.keys()
    if unknown:
        known = ", ".join(run.parameters) or "none"
        raise InvalidRequest(f"Flow run {run.name!r} has no parameter {min(unknown)!r}; it has: {known}.")
    return parameters


def _load(run: FlowRun, invocation: Invocation, entrypoint: str | None) -> Flow[..., Any]:
    """The flow of a run, loaded in the directory it ran in. Raises `ConfigurationError` in one line."""
    place = entrypoint or run.context.get("entrypoint")
    if not isinstance(place, str):
        raise ConfigurationError(
            f"It is not known where the flow of {run.name!r} is: name it with --entrypoint path/to/file.py:function."
        )
    os.environ.update(invocation.environ)
    from headrace.connect import open_session
    from headrace.engine.session import set_opener
    from headrace.projects.entrypoints import load_flow

    set_opener(open_session)

    folder = Path.cwd()
    directory = run.context.get("directory")
    if entrypoint is None and isinstance(directory, str) and Path(directory).is_dir():
        folder = Path(directory)
        os.chdir(folder)
    flow = load_flow(place, folder)
    # What was pickled while the script was run refers to what it defines as the main module's.
    sys.modules["__main__"] = sys.modules[flow.__module__]
    return flow


def _end(state: State) -> None:
    if not (state.is_completed() or state.is_paused()):
        raise SystemExit(1)
