"""Deploying: from what a project says to deployments that the orchestrator knows.

Everything is checked for all deployments before the first is created. Steps of `build` are performed while deployments are
prepared, those of `push` once all have been found right.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field, structs

from headrace.base.errors import ConfigurationError, InvalidRequest, ObjectNotFound
from headrace.engine.flow_definition import FORBIDDEN
from headrace.engine.parameter_schemas import describe_parameters
from headrace.engine.parameters import Signature
from headrace.projects.definitions import Collision, Definition, Draft, Limit, Steps, read_definition
from headrace.projects.documents import Route
from headrace.projects.entrypoints import AnyFlow, find_flow
from headrace.projects.placeholders import Known
from headrace.projects.places import Pools
from headrace.projects.project_files import Project, read_steps
from headrace.projects.schedules import read_schedule
from headrace.projects.steps.naming import PREFIX, Step, read_step
from headrace.projects.steps.performing import Place
from headrace.projects.steps.programs import Log
from headrace.projects.steps.sequence import run_steps
from headrace.projects.variables import VariableReader
from headrace.rules.arguments import check_arguments
from headrace.schema.deployment import ConcurrencyOptions, Deployment, DeploymentCreate
from headrace.schema.flow import FlowCreate
from headrace.schema.schedule import DeploymentScheduleCreate
from headrace.schema.work_pool import WorkPool

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

VERSION_TYPE = "headrace:simple"
NO_FLOW_YET = UUID(int=0)
OUTPUTS = frozenset({"directory", "stdout", "stderr"})
"""What steps give, which later ones may also name without the step's id."""


class Wishes(Struct, kw_only=True):
    """What whoever deploys says beside the file; it goes before what the file says."""

    entrypoint: str | None = None
    name: str | None = None
    version: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    job_variables: dict[str, Any] = field(default_factory=dict[str, Any])
    work_pool: str | None = None
    work_queue: str | None = None
    schedules: list[DeploymentScheduleCreate] | UnsetType = UNSET
    concurrency_limit: int | None = None
    collision_strategy: Collision | None = None
    enforce_parameter_schema: bool | None = None


class Plan(Struct):
    """A deployment that can be made: checked, its flow loaded. `request` lacks the flow's id only."""

    flow: AnyFlow
    request: DeploymentCreate
    pool: WorkPool
    notes: list[str]
    push: list[Step]
    outputs: dict[str, Any]


class Deployed(Struct):
    """A deployment that was made, or made anew."""

    deployment: Deployment
    flow_name: str
    pool: WorkPool
    is_new: bool
    notes: list[str]


def deploy(
    project: Project,
    wanted: Sequence[tuple[Draft, Wishes]],
    administration: Administration,
    open_execution: Callable[[], Execution],
    log: Log,
) -> list[Deployed]:
    """Make deployments of a project. Raises `ConfigurationError` in one line before anything is made."""
    plans = Planner(project, Pools(administration), log, VariableReader(lambda: administration)).plan(wanted)
    execution = open_execution()
    return [_create(plan, administration, execution) for plan in plans]


def _create(plan: Plan, administration: Administration, execution: Execution) -> Deployed:
    try:
        administration.read_deployment_by_name(plan.flow.name, plan.request.name)
        is_new = False
    except ObjectNotFound:
        is_new = True
    flow = execution.register_flow(FlowCreate(name=plan.flow.name))
    made = administration.create_deployment(structs.replace(plan.request, flow_id=flow.id))
    return Deployed(made, plan.flow.name, plan.pool, is_new, plan.notes)


class Planner:
    """Finds out for each deployment what is to be made; steps that several share are performed once."""

    def __init__(self, project: Project, pools: Pools, log: Log, variables: VariableReader) -> None:
        self.project = project
        self.pools = pools
        self.log = log
        self.variables = variables
        self._done: dict[str, dict[str, Any]] = {}

    def plan(self, wanted: Sequence[tuple[Draft, Wishes]]) -> list[Plan]:
        """The deployments, all of them found right. Raises `ConfigurationError` in one line."""
        steps = [self._read_steps(draft) for draft, _ in wanted]
        plans: dict[int, Plan] = {}
        # Those that wait for nothing come first: what is wrong with them is known before anything is performed.
        for number in sorted(range(len(wanted)), key=lambda number: bool(steps[number]["build"])):
            plans[number] = self._plan(*wanted[number], steps[number])
        names = [(plan.flow.name, plan.request.name) for plan in plans.values()]
        for flow, name in names:
            if names.count((flow, name)) > 1:
                raise ConfigurationError(f"Two deployments would be {flow}/{name}: give each a name of its own.")
        for plan in plans.values():
            self._perform(plan.push, plan.outputs)
        return [plans[number] for number in range(len(wanted))]

    def _read_steps(self, draft: Draft) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for kind in ("build", "push", "pull"):
            own: Steps = read_steps(draft.document, (*draft.route, kind), draft.value.get(kind))
            route: Route = (*draft.route, kind) if own else (kind,)
            document = draft.document if own else self.project.document
            found[kind] = []
            for place, written in enumerate(own or getattr(self.project, kind)):
                try:
                    found[kind].append(read_step(written))
                except ConfigurationError as error:
                    raise document.error((*route, place), str(error)) from None
        return found

    def _perform(self, steps: list[Step], outputs: dict[str, Any]) -> dict[str, Any]:
        if not steps:
            return outputs
        key = json.dumps([[step.to_document() for step in steps], outputs], default=str)
        if key not in self._done:
            place = Place(self.project.folder, self.project.folder, self.log, self.variables)
            self._done[key] = run_steps(steps, place, outputs)
        return self._done[key]

    def _plan(self, draft: Draft, wishes: Wishes, steps: dict[str, list[Step]]) -> Plan:
        outputs = self._perform(steps["build"], {})
        definition = self._read_definition(draft, outputs)
        name = wishes.name or definition.name
        if not name:
            raise draft.error((), "this deployment has no name: give it one with -n.")
        if any(character in name for character in FORBIDDEN):
            signs = " ".join(FORBIDDEN)
            raise draft.error(("name",), f"a deployment cannot be called {name!r}: none of {signs} may be in its name.")
        entrypoint, flow = self._load(draft, wishes.entrypoint or definition.entrypoint, name)
        place = definition.work_pool
        schema = describe_parameters(flow.signature)
        enforced = _first(wishes.enforce_parameter_schema, definition.enforce_parameter_schema, True)
        parameters = {**(definition.parameters or {}), **wishes.parameters}
        schedules = self._read_schedules(draft, definition, wishes)
        checker = _Arguments(flow.signature, schema, enforced)
        checker.check(parameters, _refusal(draft, ("parameters",), said=bool(wishes.parameters)))
        for number, schedule in enumerate(schedules or []):
            checker.check(schedule.parameters, _refusal(draft, ("schedules", number, "parameters")))
        pool_name = wishes.work_pool or (place and place.name) or None
        refuse = _refusal(draft, ("work_pool", "name"), said=pool_name is None or pool_name == wishes.work_pool)
        pool = self.pools.find(pool_name, refuse)
        queue = wishes.work_queue or (place and place.work_queue_name) or None
        refuse = _refusal(draft, ("work_pool", "work_queue_name"), said=wishes.work_queue is not None)
        self.pools.check_queue(pool, queue, refuse)
        version = wishes.version or definition.version or flow.version
        limit = _read_limit(definition, wishes)
        request = DeploymentCreate(
            name=name,
            flow_id=NO_FLOW_YET,
            paused=UNSET if definition.paused is None else definition.paused,
            schedules=schedules,
            concurrency_limit=limit and limit.limit,
            concurrency_options=_read_options(limit),
            enforce_parameter_schema=enforced,
            parameter_openapi_schema=schema,
            parameters=parameters,
            tags=definition.tags or [] if wishes.tags is None else wishes.tags,
            pull_steps=self._make_pull(draft, steps["pull"], outputs),
            work_pool_name=pool.name,
            work_queue_name=queue,
            description=wishes.description or definition.description or flow.description,
            version=version,
            version_info=_tell_version(definition.version_type, version),
            entrypoint=entrypoint,
            job_variables={**((place and place.job_variables) or {}), **wishes.job_variables},
        )
        notes = checker.find_gaps(name, parameters, schedules or [])
        return Plan(flow, request, pool, notes, steps["push"], outputs)

    def _read_definition(self, draft: Draft, outputs: dict[str, Any]) -> Definition:
        known = Known(environ=os.environ, variables=self.variables, outputs=outputs)
        filled: dict[str, Any] = {}
        for key, value in draft.value.items():
            if key in {"build", "push", "pull"}:
                continue
            try:
                filled[key] = known.fill_in(value)
            except ConfigurationError as error:
                raise draft.error((key,), str(error)) from None
        return read_definition(draft, filled)

    def _load(self, draft: Draft, entrypoint: str | None, name: str) -> tuple[str, AnyFlow]:
        if not entrypoint:
            raise draft.error((), f"deployment {name!r} has no entrypoint: write path/to/file.py:function.")
        try:
            return find_flow(entrypoint, draft.folder or self.project.folder)
        except ConfigurationError as error:
            if entrypoint != draft.value.get("entrypoint"):
                raise
            raise draft.error(("entrypoint",), str(error)) from error.__cause__

    def _read_schedules(
        self, draft: Draft, definition: Definition, wishes: Wishes
    ) -> list[DeploymentScheduleCreate] | UnsetType:
        if wishes.schedules is not UNSET:
            return wishes.schedules
        if definition.schedules is None or definition.schedules is UNSET:
            return UNSET
        single = draft.value.get("schedule")
        made: list[DeploymentScheduleCreate] = []
        for number, entry in enumerate(definition.schedules):
            route: Route = ("schedule",) if single else ("schedules", number)
            schedule = read_schedule(entry, lambda key, text, route=route: draft.error((*route, key), text))
            if schedule.slug is not None and schedule.slug in [each.slug for each in made]:
                raise draft.error((*route, "slug"), f"two schedules have the slug {schedule.slug!r}.")
            made.append(schedule)
        return made

    def _make_pull(self, draft: Draft, pull: list[Step], outputs: dict[str, Any]) -> Steps:
        """The steps as the deployment keeps them: variables and outputs of pull steps are filled in where it runs."""
        if not pull:
            return [{f"{PREFIX}set_working_directory": {"directory": str(draft.folder or self.project.folder)}}]
        made: Steps = []
        later: set[str] = set()
        for number, step in enumerate(pull):
            known = Known(outputs=outputs, later=frozenset(later))
            try:
                made.append(structs.replace(step, inputs=known.fill_in(step.inputs)).to_document())
            except ConfigurationError as error:
                own = bool(draft.value.get("pull"))
                document = draft.document if own else self.project.document
                raise document.error((*(draft.route if own else ()), "pull", number), str(error)) from None
            later |= OUTPUTS | ({step.id} if step.id else set())
        return made


def _refusal(draft: Draft, key: Route, *, said: bool = False) -> Callable[[str], ConfigurationError]:
    """Makes errors of a text: with its place in the file, unless whoever deploys said what is wrong."""

    def refuse(text: str) -> ConfigurationError:
        return ConfigurationError(f"{text[:1].upper()}{text[1:]}") if said else draft.error(key, text)

    return refuse


def _read_limit(definition: Definition, wishes: Wishes) -> Limit | None:
    said = definition.concurrency_limit
    if wishes.concurrency_limit is not None:
        said = Limit(limit=wishes.concurrency_limit, collision_strategy=said and said.collision_strategy)
    if wishes.collision_strategy is not None:
        if said is None:
            raise ConfigurationError("A collision strategy goes with a limit: add --concurrency-limit.")
        said = structs.replace(said, collision_strategy=wishes.collision_strategy)
    return said


def _read_options(limit: Limit | None) -> ConcurrencyOptions | None:
    if limit is None or (limit.collision_strategy is None and limit.grace_period_seconds is None):
        return None
    return ConcurrencyOptions(
        collision_strategy=limit.collision_strategy or "ENQUEUE", grace_period_seconds=limit.grace_period_seconds
    )


def _tell_version(kind: str | None, version: str | None) -> dict[str, Any] | None:
    return {"type": kind or VERSION_TYPE, "version": version} if version else None


def _first(*values: bool | None) -> bool:
    return next(value for value in values if value is not None)


class _Arguments:
    """Checks what runs are to be given; what is missing may still come when a run is asked for."""

    def __init__(self, signature: Signature, schema: dict[str, Any], enforced: bool) -> None:
        self.signature = signature
        self.required: list[str] = schema.get("required", [])
        self.optional = {key: value for key, value in schema.items() if key != "required"}
        self.enforced = enforced

    def check(self, parameters: dict[str, Any], refuse: Callable[[str], ConfigurationError]) -> None:
        """Raise what `refuse` makes of a parameter that the flow does not have, or of a value that does not fit."""
        names = self.signature.names
        for name in parameters:
            if name not in names:
                nearest = get_close_matches(name, names, n=1)
                has = f"it has {', '.join(names)}." if names else "it has none."
                advice = f"did you mean {nearest[0]!r}?" if nearest else has
                raise refuse(f"flow {self.signature.name!r} has no parameter {name!r}; {advice}")
        if self.enforced:
            try:
                check_arguments(self.optional, parameters)
            except InvalidRequest as error:
                raise refuse(str(error)) from None

    def find_gaps(
        self, name: str, parameters: dict[str, Any], schedules: Sequence[DeploymentScheduleCreate]
    ) -> list[str]:
        """Notes on schedules whose runs would fail, since nobody gives them what the flow needs."""
        for schedule in schedules:
            missing = [each for each in self.required if each not in parameters and each not in schedule.parameters]
            if missing:
                return [f"Scheduled runs of {name!r} will lack parameters that the flow needs: {', '.join(missing)}."]
        return []
