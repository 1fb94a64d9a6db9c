"""Deploying: from what a project says to deployments that the orchestrator knows.

Everything is checked for all deployments before the first is created. Steps of `build` are performed while deployments are
prepared, those of `push` once all have been found right.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType, field, structs

from headrace.base.errors import ConfigurationError
from headrace.projects.blocks import BlockReader, refuse_to_store
from headrace.projects.blueprints import Blueprint, Deployed, Plan, check_name, draw_plan, make_deployment, refuse_twins
from headrace.projects.definitions import Collision, Definition, Draft, Limit, PoolPlace, Steps, read_definition
from headrace.projects.documents import Route
from headrace.projects.entrypoints import AnyFlow, find_flow
from headrace.projects.placeholders import Known
from headrace.projects.places import Pools
from headrace.projects.project_files import Project, read_steps
from headrace.projects.schedules import read_schedule
from headrace.projects.steps.naming import Step, read_step
from headrace.projects.steps.performing import Place
from headrace.projects.steps.programs import Log
from headrace.projects.steps.sequence import run_steps
from headrace.projects.triggers import DeploymentTrigger, find_blocks
from headrace.projects.variables import VariableReader
from headrace.projects.whereabouts import go_to
from headrace.schema.schedule import DeploymentScheduleCreate

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration
    from headrace.gateway.execution import Execution

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
    triggers: list[DeploymentTrigger] | None = None


def deploy(
    project: Project,
    wanted: Sequence[tuple[Draft, Wishes]],
    administration: Administration,
    open_execution: Callable[[], Execution],
    log: Log,
    default_pool: str | None = None,
) -> list[Deployed]:
    """Make deployments of a project. Raises `ConfigurationError` in one line before anything is made.

    Those that name no work pool go to `default_pool`, if there is one.
    """
    variables, blocks = VariableReader(lambda: administration), BlockReader(lambda: administration)
    plans = Planner(project, Pools(administration, default_pool), log, variables, blocks).plan(wanted)
    for plan in plans:
        find_blocks(plan.automata, administration)
    execution = open_execution()
    return [make_deployment(plan, administration, execution) for plan in plans]


class Planner:
    """Finds out for each deployment what is to be made; steps that several share are performed once."""

    def __init__(
        self, project: Project, pools: Pools, log: Log, variables: VariableReader, blocks: BlockReader
    ) -> None:
        self.project = project
        self.pools = pools
        self.log = log
        self.variables = variables
        self.blocks = blocks
        self._done: dict[str, dict[str, Any]] = {}

    def plan(self, wanted: Sequence[tuple[Draft, Wishes]]) -> list[Plan]:
        """The deployments, all of them found right. Raises `ConfigurationError` in one line."""
        steps = [self._read_steps(draft) for draft, _ in wanted]
        outputs: dict[int, dict[str, Any]] = {}
        plans: dict[int, Plan] = {}
        # Those that wait for nothing come first: what is wrong with them is known before anything is performed.
        for number in sorted(range(len(wanted)), key=lambda number: bool(steps[number]["build"])):
            outputs[number] = self._perform(steps[number]["build"], {})
            plans[number] = self._plan(*wanted[number], steps[number]["pull"], outputs[number])
        refuse_twins([*plans.values()], ConfigurationError)
        for number in plans:
            self._perform(steps[number]["push"], outputs[number])
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
            place = Place(self.project.folder, self.project.folder, self.log, self.variables, self.blocks)
            self._done[key] = run_steps(steps, place, outputs)
        return self._done[key]

    def _plan(self, draft: Draft, wishes: Wishes, pull: list[Step], outputs: dict[str, Any]) -> Plan:
        definition = self._read_definition(draft, outputs)
        name = wishes.name or definition.name
        if not name:
            raise draft.error((), "this deployment has no name: give it one with -n.")
        check_name(name, draft.error)
        entrypoint, flow = self._load(draft, wishes.entrypoint or definition.entrypoint, name)
        schedules = self._read_schedules(draft, definition, wishes)
        blueprint = Blueprint(
            flow=flow,
            entrypoint=entrypoint,
            name=name,
            definition=_add_wishes(definition, wishes),
            schedules=schedules,
            pull_steps=self._make_pull(draft, pull, outputs),
        )
        pool = definition.work_pool and definition.work_pool.name
        said: dict[Route, bool] = {
            ("parameters",): bool(wishes.parameters),
            ("work_pool", "name"): not (wishes.work_pool or pool) or bool(wishes.work_pool),
            ("work_pool", "work_queue_name"): wishes.work_queue is not None,
        }

        def refuse(key: Route, text: str) -> ConfigurationError:
            """With the place in the file, unless whoever deploys said what is wrong."""
            return ConfigurationError(f"{text[:1].upper()}{text[1:]}") if said.get(key) else draft.error(key, text)

        return draw_plan(blueprint, self.pools, refuse)

    def _read_definition(self, draft: Draft, outputs: dict[str, Any]) -> Definition:
        # Job variables are read where the run is executed: what blocks hold for them is looked up there.
        known = Known(environ=os.environ, variables=self.variables, outputs=outputs)
        kept = structs.replace(known, blocks=refuse_to_store)
        # What templates of automations name is filled in when these fire.
        lenient = structs.replace(kept, strict=False)
        filled: dict[str, Any] = {}
        for key, value in draft.value.items():
            if key in {"build", "push", "pull"}:
                continue
            try:
                filled[key] = {"work_pool": known, "triggers": lenient, "notify": lenient}.get(key, kept).fill_in(value)
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
        """The steps as the deployment keeps them: variables, blocks and outputs of pull steps are filled in where it runs."""
        if not pull:
            return go_to(draft.folder or self.project.folder)
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


def _add_wishes(definition: Definition, wishes: Wishes) -> Definition:
    """The definition as whoever deploys has it."""
    place = definition.work_pool or PoolPlace()
    enforced = wishes.enforce_parameter_schema
    return structs.replace(
        definition,
        version=wishes.version or definition.version,
        description=wishes.description or definition.description,
        tags=definition.tags if wishes.tags is None else wishes.tags,
        parameters={**(definition.parameters or {}), **wishes.parameters},
        enforce_parameter_schema=definition.enforce_parameter_schema if enforced is None else enforced,
        concurrency_limit=_read_limit(definition, wishes),
        triggers=definition.triggers if wishes.triggers is None else wishes.triggers,
        work_pool=PoolPlace(
            name=wishes.work_pool or place.name,
            work_queue_name=wishes.work_queue or place.work_queue_name,
            job_variables={**(place.job_variables or {}), **wishes.job_variables},
        ),
    )


def _read_limit(definition: Definition, wishes: Wishes) -> Limit | None:
    said = definition.concurrency_limit
    if wishes.concurrency_limit is not None:
        said = Limit(limit=wishes.concurrency_limit, collision_strategy=said and said.collision_strategy)
    if wishes.collision_strategy is not None:
        if said is None:
            raise ConfigurationError("A collision strategy goes with a limit: add --concurrency-limit.")
        said = structs.replace(said, collision_strategy=wishes.collision_strategy)
    return said
