"""A deployment as it is to be, wherever that was said: in a file, by options, in code. It is checked here, and made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field, structs

from headrace.base.errors import HeadraceError, InvalidRequest, ObjectNotFound
from headrace.engine.flow_definition import FORBIDDEN
from headrace.engine.parameter_schemas import describe_parameters
from headrace.engine.parameters import Signature
from headrace.projects.definitions import Definition, Limit, PoolPlace, Steps
from headrace.projects.documents import Route
from headrace.projects.entrypoints import AnyFlow
from headrace.projects.places import Pools
from headrace.projects.triggers import Automata, check_automata, find_blocks, keep_automations
from headrace.rules.arguments import check_some_arguments, find_unknown
from headrace.schema.automation import AutomationCreate
from headrace.schema.deployment import ConcurrencyOptions, Deployment, DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.work_pool import WorkPool

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

VERSION_TYPE = "headrace:simple"
NO_FLOW_YET = UUID(int=0)

Refuse = Callable[[Route, str], HeadraceError]
"""The error for what was said of a deployment, by the way to it and what is wrong."""


class Blueprint(Struct, kw_only=True):
    """A deployment, its placeholders filled in and its flow loaded. Where it runs has not been looked up yet.

    `definition` has a name; its schedules and steps are passed over for `schedules` and `pull_steps`.
    """

    flow: AnyFlow
    entrypoint: str
    name: str
    definition: Definition
    schedules: list[DeploymentScheduleCreate] | UnsetType
    pull_steps: Steps


class Plan(Struct):
    """A deployment that can be made. `request` lacks the flow's id only. Without a pool, somebody serves it."""

    flow: AnyFlow
    request: DeploymentCreate
    pool: WorkPool | None
    notes: list[str]
    automata: Automata = field(default_factory=Automata)


class Deployed(Struct):
    """A deployment that was made, or made anew."""

    deployment: Deployment
    flow_name: str
    pool: WorkPool | None
    is_new: bool
    notes: list[str]
    automations: list[AutomationCreate] = field(default_factory=list[AutomationCreate])

    @property
    def full_name(self) -> str:
        """What it is asked for by."""
        return f"{self.flow_name}/{self.deployment.name}"


def check_name(name: str, refuse: Refuse) -> None:
    """Raise what `refuse` makes of a name that no deployment can have."""
    if any(character in name for character in FORBIDDEN):
        signs = " ".join(FORBIDDEN)
        raise refuse(("name",), f"a deployment cannot be called {name!r}: none of {signs} may be in its name.")


def draw_plan(blueprint: Blueprint, pools: Pools | None, refuse: Refuse) -> Plan:
    """Find out whether the deployment can be made. Without `pools` somebody serves it, and no pool is looked for.

    Raises what `refuse` makes of what cannot be.
    """
    flow, definition = blueprint.flow, blueprint.definition
    schema = describe_parameters(flow.signature)
    enforced = True if definition.enforce_parameter_schema is None else definition.enforce_parameter_schema
    parameters, schedules = definition.parameters or {}, blueprint.schedules
    checker = _Arguments(flow.signature, schema, enforced)
    checker.check(parameters, ("parameters",), refuse)
    for number, schedule in enumerate(schedules or []):
        checker.check(schedule.parameters, ("schedules", number, "parameters"), refuse)
    place = definition.work_pool or PoolPlace()
    pool = None if pools is None else _find_pool(pools, place, refuse)
    version = definition.version or flow.version
    limit = definition.concurrency_limit
    request = DeploymentCreate(
        name=blueprint.name,
        flow_id=NO_FLOW_YET,
        paused=UNSET if definition.paused is None else definition.paused,
        schedules=schedules,
        concurrency_limit=limit and limit.limit,
        concurrency_options=_read_options(limit),
        enforce_parameter_schema=enforced,
        parameter_openapi_schema=schema,
        parameters=parameters,
        tags=definition.tags or [],
        pull_steps=blueprint.pull_steps,
        work_pool_name=pool and pool.name,
        work_queue_name=pool and (place.work_queue_name or None),
        description=definition.description or flow.description,
        version=version,
        version_info={"type": definition.version_type or VERSION_TYPE, "version": version} if version else None,
        entrypoint=blueprint.entrypoint,
        job_variables=place.job_variables or {},
    )
    automata = Automata(triggers=definition.triggers or [], notices=definition.notify or [])
    check_automata(automata, refuse)
    notes = checker.find_gaps(blueprint.name, parameters, schedules or [])
    return Plan(flow, request, pool, [*notes, *_tell_where_it_resumes(flow, blueprint.name, pool)], automata)


def refuse_twins(plans: Sequence[Plan], refuse: Callable[[str], HeadraceError]) -> None:
    """Raise what `refuse` makes of two plans that would be one deployment."""
    names = [(plan.flow.name, plan.request.name) for plan in plans]
    for flow, name in names:
        if names.count((flow, name)) > 1:
            raise refuse(f"Two deployments would be {flow}/{name}: give each a name of its own.")


def make_deployment(plan: Plan, administration: Administration, execution: Execution) -> Deployed:
    """Make the deployment, or the one that there is of this name as the plan says."""
    try:
        administration.read_deployment_by_name(plan.flow.name, plan.request.name)
        is_new = False
    except ObjectNotFound:
        is_new = True
    blocks = find_blocks(plan.automata, administration)
    flow = execution.register_flow(FlowCreate(name=plan.flow.name))
    made = administration.create_deployment(structs.replace(plan.request, flow_id=flow.id))
    kept = keep_automations(plan.automata, blocks, made, plan.flow.name, administration)
    return Deployed(made, plan.flow.name, plan.pool, is_new, plan.notes, kept)


def _find_pool(pools: Pools, place: PoolPlace, refuse: Refuse) -> WorkPool:
    pool = pools.find(place.name or None, lambda text: refuse(("work_pool", "name"), text))
    pools.check_queue(pool, place.work_queue_name or None, lambda text: refuse(("work_pool", "work_queue_name"), text))
    return pool


def _read_options(limit: Limit | None) -> ConcurrencyOptions | None:
    if limit is None or (limit.collision_strategy is None and limit.grace_period_seconds is None):
        return None
    return ConcurrencyOptions(
        collision_strategy=limit.collision_strategy or "ENQUEUE", grace_period_seconds=limit.grace_period_seconds
    )


def _tell_where_it_resumes(flow: AnyFlow, name: str, pool: WorkPool | None) -> list[str]:
    """A note where other workers of the pool may not reach what a durable run has kept."""
    if pool is None or not flow.durable or flow.result_folder is not None:
        return []
    note = (
        f"Runs of {name!r} keep the values of their tasks on the host they run on, and resume only there. Where workers run "
        "on several hosts, keep results where all of them read them, and under one key: docs/durable-runs.md says how."
    )
    return [note]


class _Arguments:
    """Checks what runs are to be given; what is missing may still come when a run is asked for."""

    def __init__(self, signature: Signature, schema: dict[str, Any], enforced: bool) -> None:
        self.signature = signature
        self.required: list[str] = schema.get("required", [])
        self.schema = schema
        self.enforced = enforced

    def check(self, parameters: dict[str, Any], route: Route, refuse: Refuse) -> None:
        """Raise what `refuse` makes of a parameter that the flow does not have, or of a value that does not fit."""
        unknown = find_unknown(self.signature.names, parameters)
        if unknown is not None:
            raise refuse(route, f"flow {self.signature.name!r} {unknown}")
        if self.enforced:
            try:
                check_some_arguments(self.schema, parameters)
            except InvalidRequest as error:
                raise refuse(route, str(error)) from None

    def find_gaps(
        self, name: str, parameters: dict[str, Any], schedules: Sequence[DeploymentScheduleCreate]
    ) -> list[str]:
        """Notes on schedules whose runs would fail, since nobody gives them what the flow needs."""
        for schedule in schedules:
            missing = [each for each in self.required if each not in parameters and each not in schedule.parameters]
            if missing:
                return [f"Scheduled runs of {name!r} will lack parameters that the flow needs: {', '.join(missing)}."]
        return []
