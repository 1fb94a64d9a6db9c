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
from headrace.schema.state import TERMINAL, State

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
    _check_ended(run)
    given = parameters or {}
    request = Reopening(flow_run_id=run.id, message=message, from_task=from_task, parameters=given)
    if run.deployment_id is not None and entrypoint is None:
        with invocation.administration() as administration:
            schema = administration.read_deployment(run.deployment_id).parameter_openapi_schema or {}
        _check(run, given, [*run.parameters, *schema.get("properties", ())])
        with invocation.execution() as execution:
            execution.reopen_flow_run(request)
        invocation.print_line(f"Flow run {one_line(run.name)} ({run.id}) begins again when a worker takes it.")
        return
    flow = _load(run, invocation, entrypoint)
    _check(run, given, [*run.parameters, *flow.signature.names])
    from headrace.engine.requests import Reopen
    from headrace.engine.session import current_session

    claim = Reopen(request).perform(current_session())
    _end(flow.execute(claim))


def replay_here(run: FlowRun, invocation: Invocation, entrypoint: str | None) -> None:
    """Execute a copy of a run here; where its code fails, the debugger opens. Exits with 1 when it does not complete."""
    _check_ended(run)
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


def _check_ended(run: FlowRun) -> None:
    if run.state_type not in TERMINAL:
        raise InvalidRequest(f"Flow run {run.name!r} is {run.state_name}: only a run that has ended can be run again.")


def _check(run: FlowRun, given: dict[str, Any], known: list[str]) -> None:
    unknown = given.keys() - known
    if unknown:
        has = ", ".join(dict.fromkeys(known)) or "none"
        raise InvalidRequest(f"Flow run {run.name!r} has no parameter {min(unknown)!r}; it has: {has}.")


def _load(run: FlowRun, invocation: Invocation, entrypoint: str | None) -> Flow[..., Any]:
    """The flow of a run, loaded in the directory it ran in. Raises `ConfigurationError` in one line."""
    place = entrypoint or run.context.get("entrypoint")
    if place is None and run.deployment_id is not None:
        with invocation.administration() as administration:
            place = administration.read_deployment(run.deployment_id).entrypoint
    if not isinstance(place, str):
        raise ConfigurationError(
            f"It is not known where the flow of {run.name!r} is: name it with --entrypoint path/to/file.py:function."
        )
    os.environ.update(invocation.environ)
    from headrace.connect import open_session
    from headrace.engine.opening import set_opener
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
