"""Asking for runs of deployments, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any, TypedDict, Unpack, cast
from uuid import UUID

from headrace.base.errors import UsageError
from headrace.base.ids import uuid7
from headrace.connect import open_administration, open_session
from headrace.engine.awaiting import Patience, await_flow_run, await_flow_run_in_loop, in_async_code, session_here
from headrace.engine.context import FlowContext, current, current_tags
from headrace.engine.futures import find_futures, resolve
from headrace.engine.inputs import trace_inputs
from headrace.engine.logs import describe_error
from headrace.engine.opening import set_opener
from headrace.engine.placeholders import announce, settle
from headrace.engine.session import Session
from headrace.gateway.administration import Administration
from headrace.rules.transitions import CACHED
from headrace.schema.deployment import Deployment, DeploymentFlowRunCreate
from headrace.schema.run import FlowRun, TaskInputs
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.schema.wire import simplify

set_opener(open_session)


class RunOptions(TypedDict, total=False):
    """What can be said of a run of a deployment; `run_deployment` says what each means."""

    scheduled_time: datetime | None
    flow_run_name: str | None
    timeout: float | None
    poll_interval: float
    tags: Iterable[str] | None
    idempotency_key: str | None
    work_queue_name: str | None
    as_subflow: bool
    job_variables: Mapping[str, Any] | None


def run_deployment(
    name: str | UUID, parameters: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
) -> FlowRun:
    """Ask for a run of a deployment, wait until it has ended, and return it.

    `name` is `flow/deployment`, or the deployment's id; `parameters` go over its own, futures in them are waited for.

    * `scheduled_time` – when the run is due, by default at once; `flow_run_name` – what it is called
    * `timeout` – at most so many seconds are waited, 0 not at all; then the run is returned as it is
    * `poll_interval` – it is looked at every so many seconds even if nothing is heard of it
    * `tags`, `job_variables`, `work_queue_name` – of the run, besides or instead of those of the deployment
    * `idempotency_key` – asked for again with the same key, the run that exists is returned
    * `as_subflow` – in a flow, the run is one of its subflows unless this is False

    In async code it returns a coroutine to be awaited, as `arun_deployment` does anywhere. Raises `ObjectNotFound` for a
    deployment that there is not, `InvalidRequest` for parameters that do not fit, `UsageError` for what means nothing.
    """
    if in_async_code():
        return cast("Any", arun_deployment(name, parameters, **options))
    _check(name, parameters, options)
    session = session_here()
    run = _create(session, name, dict(parameters or {}), options)
    return await_flow_run(session, run.id, _patience(options))


async def arun_deployment(
    name: str | UUID, parameters: Mapping[str, Any] | None = None, **options: Unpack[RunOptions]
) -> FlowRun:
    """As `run_deployment`, without blocking the running event loop."""
    from headrace.engine.loop import beside

    _check(name, parameters, options)
    session = await beside(session_here)
    run = await beside(lambda: _create(session, name, dict(parameters or {}), options))
    return await await_flow_run_in_loop(session, run.id, _patience(options))


def _check(name: str | UUID, parameters: Any, options: RunOptions) -> None:
    unknown = options.keys() - RunOptions.__annotations__.keys()
    if unknown:
        raise UsageError(f"run_deployment has no option {min(unknown)!r}.")
    if not isinstance(name, (str, UUID)) or (_read_id(name) is None and "/" not in str(name)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"A deployment is called flow/deployment, or named by its id; {name!r} is neither.")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise UsageError(f"parameters are names with values, not {parameters!r}.")
    for key, least in (("timeout", 0.0), ("poll_interval", 0.01)):
        value: Any = options.get(key)
        if value is not None and (not isinstance(value, (int, float)) or not value >= least):
            raise UsageError(f"{key} is a number of seconds, at least {least:g}, not {value!r}.")
    time: Any = options.get("scheduled_time")
    if time is not None and not isinstance(time, datetime):
        raise UsageError(f"scheduled_time is a datetime, not {time!r}.")


def _patience(options: RunOptions) -> Patience:
    return Patience(options.get("timeout"), options.get("poll_interval") or 5.0)


def _create(session: Session, name: str | UUID, parameters: dict[str, Any], options: RunOptions) -> FlowRun:
    """Make the run, which within a flow is one of its subflows."""
    context = current.get()
    parent = context.flow_run if context is not None and options.get("as_subflow", True) else None
    upstream = find_futures(parameters)
    variables = options.get("job_variables")
    request = DeploymentFlowRunCreate(
        state=StateCreate(
            type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=options.get("scheduled_time"))
        ),
        name=options.get("flow_run_name"),
        parameters=simplify(resolve(parameters) if upstream else parameters),
        tags=[*dict.fromkeys([*(options.get("tags") or ()), *sorted(current_tags.get())])],
        # With a key of its own, a request that is sent again after an outage makes no second run.
        idempotency_key=options.get("idempotency_key") or f"call {uuid7()}",
        work_queue_name=options.get("work_queue_name"),
        job_variables=None if variables is None else simplify(dict(variables)),
    )
    with closing(cast("Any", open_administration(session.settings))) as opened:
        administration: Administration = opened
        deployment = _find(administration, name)
        if parent is None:
            return session.patiently(lambda: administration.run_deployment(deployment.id, request))
        inputs = trace_inputs(parameters, [], parent.lineage, bool(upstream))
        flow_name = administration.read_flow(deployment.flow_id).name
        return _begin_subflow(session, administration, deployment, flow_name, request, parent, inputs)


def _begin_subflow(
    session: Session,
    administration: Administration,
    deployment: Deployment,
    flow_name: str,
    request: DeploymentFlowRunCreate,
    parent: FlowContext,
    inputs: TaskInputs,
) -> FlowRun:
    """Make the run, with a task run of the parent's that stands for it and mirrors its states."""
    facts = announce(parent, flow_name, f"{flow_name}/{deployment.name}", inputs)
    for fact in facts:
        session.emit(fact)
    session.patiently(session.journal.flush)  # it has to be there before the run that it stands for
    placeholder = facts[0]
    request.parent_task_run_id = placeholder.id
    try:
        run = session.patiently(lambda: administration.run_deployment(deployment.id, request))
    except BaseException as error:
        session.emit(settle(placeholder, StateType.FAILED, f"The run could not be made: {describe_error(error)}"))
        raise
    if run.parent_task_run_id != placeholder.id:
        session.emit(settle(placeholder, StateType.COMPLETED, "The run that was asked for was there already.", CACHED))
    return run


def _find(administration: Administration, name: str | UUID) -> Deployment:
    deployment_id = _read_id(name)
    if deployment_id is not None:
        return administration.read_deployment(deployment_id)
    flow_name, _, own = str(name).partition("/")
    return administration.read_deployment_by_name(flow_name, own)


def _read_id(name: str | UUID) -> UUID | None:
    try:
        return name if isinstance(name, UUID) else UUID(name)
    except ValueError:
        return None
