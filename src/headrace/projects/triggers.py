"""What a deployment's own automations are: triggers that run it, and notices of how its runs end.

A trigger is written as for an automation, with what the run is given beside it. A notice says when (`on`), and to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec
from msgspec import Struct, field

from headrace.base.errors import HeadraceError, InvalidRequest
from headrace.projects.documents import Route
from headrace.rules.hydration import list_templates
from headrace.rules.templates import check
from headrace.schema.action import AnyAction, RunDeployment, SendEmailNotification, SendNotification
from headrace.schema.automation import AutomationCreate, AutomationUpdate
from headrace.schema.deployment import Deployment
from headrace.schema.trigger import (
    AnyTrigger,
    CompoundTrigger,
    EventTrigger,
    MetricTrigger,
    Posture,
    SequenceTrigger,
)
from headrace.schema.wire_event import FLOW_RUN, ID, ROLE

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

MOMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "success": (("COMPLETED",), ()),
    "failure": (("FAILED", "CRASHED"), ()),
    "crash": (("CRASHED",), ()),
    "cancellation": (("CANCELLED",), ()),
    "end": (("COMPLETED", "FAILED", "CRASHED", "CANCELLED"), ()),
    "pause": (("PAUSED",), ()),
    "start": ((), ("Running",)),
    "late": ((), ("Late",)),
}
"""What is meant by what people say of a run: types of states, and names of states."""

SUBJECT = "{{ flow.name }}/{{ deployment.name }}: {{ flow_run.state.name }}"
BODY = (
    "Flow run {{ flow_run.name }} of {{ flow.name }}/{{ deployment.name }}: {{ flow_run.state.name }}.\n\n"
    "{% if flow_run.state.message %}{{ flow_run.state.message }}\n\n{% endif %}{{ flow_run.url }}\n"
)
"""What a notice says unless it says otherwise."""

Refuse = Callable[[Route, str], HeadraceError]
"""The error for what was said of a deployment, by the way to it and what is wrong."""


GIVEN = frozenset({"name", "description", "enabled", "parameters", "job_variables", "schedule_after"})
"""What triggers of deployments say beside what they wait for: what the automation is called, and what the run is given."""


# What all four say beside stands in each: a struct has one line of ancestors.


class DeploymentEventTrigger(EventTrigger, kw_only=True, tag="event"):
    """Runs its deployment when events occur, or fail to."""

    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float | timedelta = 0.0


class DeploymentCompoundTrigger(CompoundTrigger, kw_only=True, tag="compound"):
    """Runs its deployment when several triggers have fired."""

    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float | timedelta = 0.0


class DeploymentSequenceTrigger(SequenceTrigger, kw_only=True, tag="sequence"):
    """Runs its deployment when triggers have fired one after the other."""

    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float | timedelta = 0.0


class DeploymentMetricTrigger(MetricTrigger, kw_only=True, tag="metric"):
    """Runs its deployment when a figure of flow runs has met a condition for a while."""

    name: str | None = None
    description: str = ""
    enabled: bool = True
    parameters: dict[str, Any] | None = None
    job_variables: dict[str, Any] | None = None
    schedule_after: float | timedelta = 0.0


DeploymentTrigger = (
    DeploymentEventTrigger | DeploymentCompoundTrigger | DeploymentSequenceTrigger | DeploymentMetricTrigger
)


class Notice(Struct, kw_only=True, forbid_unknown_fields=True):
    """Tells people, or a block that can, how runs of a deployment go: `email` takes addresses, `block` is `type/name`."""

    on: str | list[str] = "failure"
    email: str | list[str] | None = None
    block: str | list[str] | None = None
    subject: str = SUBJECT
    body: str = BODY

    def __post_init__(self) -> None:
        unknown = [moment for moment in _list(self.on) if moment not in MOMENTS]
        if unknown or not self.on:
            said = f", not {unknown[0]!r}" if unknown else ""
            raise ValueError(f"on says when: {', '.join(MOMENTS)}{said}")
        if not self.email and not self.block:
            raise ValueError("it goes to nobody: say email or block")
        if self.email:
            SendEmailNotification(emails=_list(self.email), body="")  # which knows addresses


class Automata(Struct, kw_only=True):
    """The automations of a deployment, as they were said."""

    triggers: list[DeploymentTrigger] = field(default_factory=list[DeploymentTrigger])
    notices: list[Notice] = field(default_factory=list[Notice])


def settle_triggers(written: Any) -> Any:
    """A list of triggers as people write it, with what they leave out: one alone, and what kind it is."""
    listed: Any = [written] if isinstance(written, dict) else written
    return [_name_kind(each) for each in cast("list[Any]", listed)] if isinstance(listed, list) else listed


def settle_notices(written: Any) -> Any:
    """A list of notices as people write it: one alone, or an address alone, which is told of failures."""
    listed: Any = [written] if isinstance(written, (dict, str)) else written
    if not isinstance(listed, list):
        return listed
    return [{"email": each} if isinstance(each, str) else each for each in cast("list[Any]", listed)]


def check_automata(automata: Automata, refuse: Refuse) -> None:
    """Raise what `refuse` makes of a template that is none."""
    for number, each in enumerate(automata.triggers):
        for name in ("parameters", "job_variables"):
            try:
                templates = list_templates(getattr(each, name))
            except InvalidRequest as error:
                raise refuse(("triggers", number, name), f"{name}: {error}") from None
            for text in templates:
                _check(text, ("triggers", number, name), refuse)
    for number, notice in enumerate(automata.notices):
        _check(notice.subject, ("notify", number, "subject"), refuse)
        _check(notice.body, ("notify", number, "body"), refuse)
        for name in _list(notice.block):
            if not all(name.partition("/")):
                raise refuse(
                    ("notify", number, "block"), f"block {name!r} is written as type/name, such as slack-webhook/team."
                )


def find_blocks(automata: Automata, administration: Administration) -> dict[str, UUID]:
    """The ids of the blocks that notices name. Raises `ObjectNotFound` for one that there is not."""
    named = {name for notice in automata.notices for name in _list(notice.block)}
    found: dict[str, UUID] = {}
    for each in sorted(named):
        slug, _, name = each.partition("/")
        found[each] = administration.read_block_document_by_name(slug, name).id
    return found


def keep_automations(
    automata: Automata, blocks: dict[str, UUID], made: Deployment, flow_name: str, administration: Administration
) -> list[AutomationCreate]:
    """See to it that a deployment has these automations and no others, and return them.

    One that is as it was goes on where it stands.
    """
    owner = f"prefect.deployment.{made.id}"
    wanted = make_automations(automata, blocks, made, flow_name)
    there = [each for each in administration.list_related_automations(owner) if each.owner_resource == owner]
    known = {each.name: each for each in there}
    for each in wanted:
        before = known.pop(each.name, None)
        if before is None:
            administration.create_automation(each)
        else:
            told = {name: getattr(each, name) for name in AutomationUpdate.__struct_fields__}
            administration.update_automation(before.id, AutomationUpdate(**told))
    kept = {before.id for before in there} - {before.id for before in known.values()}
    for each in there:
        if each.id not in kept:
            administration.delete_automation(each.id)
    return wanted


def make_automations(
    automata: Automata, blocks: dict[str, UUID], made: Deployment, flow_name: str
) -> list[AutomationCreate]:
    """The automations of a deployment, each with a name of its own."""
    full, owner = f"{flow_name}/{made.name}", f"prefect.deployment.{made.id}"
    names: dict[str, int] = {}

    def name(wanted: str) -> str:
        names[wanted] = names.get(wanted, 0) + 1
        return wanted if names[wanted] == 1 else f"{wanted} ({names[wanted]})"

    found: list[AutomationCreate] = []
    for each in automata.triggers:
        run = RunDeployment(
            deployment_id=made.id,
            parameters=each.parameters,
            job_variables=each.job_variables,
            schedule_after=each.schedule_after,
        )
        found.append(
            AutomationCreate(
                name=name(each.name or f"{full}: run by a trigger"),
                description=each.description,
                enabled=each.enabled,
                trigger=_plain(each),
                actions=[run],
                owner_resource=owner,
            )
        )
    for notice in automata.notices:
        moments = _list(notice.on)
        found.append(
            AutomationCreate(
                name=name(f"{full}: notice of {', '.join(moments)}"),
                trigger=_trigger_of(moments, owner),
                actions=_actions_of(notice, blocks),
                owner_resource=owner,
            )
        )
    return found


def _trigger_of(moments: Sequence[str], owner: str) -> AnyTrigger:
    """Fires for the runs of a deployment, at any of the moments."""
    types = dict.fromkeys(kind for moment in moments for kind in MOMENTS[moment][0])
    names = dict.fromkeys(name for moment in moments for name in MOMENTS[moment][1])
    found: list[AnyTrigger] = []
    for expect, match in (
        ([f"{FLOW_RUN}*"] if types else [], {"prefect.state-type": [*types]}),
        ([f"{FLOW_RUN}{name}" for name in names], {}),
    ):
        if expect:
            found.append(
                EventTrigger(
                    expect=expect,
                    match={ID: f"{FLOW_RUN}*", **match},
                    match_related={ID: owner, ROLE: "deployment"},
                    posture=Posture.Reactive,
                )
            )
    return found[0] if len(found) == 1 else CompoundTrigger(triggers=found, require="any", within=None)


def _actions_of(notice: Notice, blocks: dict[str, UUID]) -> list[AnyAction]:
    actions: list[AnyAction] = []
    if notice.email:
        emails = _list(notice.email)
        actions.append(SendEmailNotification(emails=emails, subject=notice.subject, body=notice.body))
    actions += [
        SendNotification(block_document_id=blocks[name], subject=notice.subject, body=notice.body)
        for name in _list(notice.block)
    ]
    return actions


def _plain(trigger: DeploymentTrigger) -> AnyTrigger:
    """The trigger without what its deployment is given."""
    told = msgspec.to_builtins(trigger)
    return msgspec.convert({key: told[key] for key in told if key not in GIVEN}, AnyTrigger)


def _name_kind(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    trigger = {**cast("dict[str, Any]", written)}
    if "type" not in trigger:
        fields = (("require", "compound"), ("triggers", "sequence"), ("metric", "metric"))
        trigger["type"] = next((kind for key, kind in fields if key in trigger), "event")
    if "triggers" in trigger:
        trigger["triggers"] = settle_triggers(trigger["triggers"])
    return trigger


def _check(template: str, route: Route, refuse: Refuse) -> None:
    problem = check(template)
    if problem is not None:
        raise refuse(route, f"{route[-1]}: {problem}")


def _list(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else [*(value or ())]
