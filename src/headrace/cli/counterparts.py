"""What an automation names by ids of one orchestrator, by those that the same things have at another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec

from headrace.base.errors import ObjectNotFound
from headrace.schema.automation import Automation, AutomationCreate, AutomationFilter
from headrace.schema.filters import IdFilter, TextFilter, WorkPoolFilter

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

LISTS = ("actions", "actions_on_trigger", "actions_on_resolve")
FIELDS = {
    "deployment_id": "deployment",
    "work_pool_id": "work-pool",
    "work_queue_id": "work-queue",
    "automation_id": "automation",
    "block_document_id": "block-document",
}
"""The fields by which actions name something, and what."""

_RESOURCE = re.compile(
    r"prefect\.(flow|deployment|work-pool|work-queue|automation|block-document)\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


class Counterparts:
    """Finds at `target`, by its name, what `source` knows by an id."""

    def __init__(self, source: Administration, target: Administration) -> None:
        self._source = source
        self._target = target
        self._known: dict[tuple[str, UUID], UUID] = {}
        self._ways: dict[str, Callable[[UUID], UUID]] = {
            "flow": self._find_flow,
            "deployment": self._find_deployment,
            "work-pool": self._find_pool,
            "work-queue": self._find_queue,
            "automation": self._find_automation,
            "block-document": self._find_block,
        }

    def translate(self, automation: Automation) -> AutomationCreate:
        """The automation as the target is asked for it. Raises `ObjectNotFound` for what it names that is not there."""
        told: dict[str, Any] = msgspec.to_builtins(automation)
        for action in (action for name in LISTS for action in told[name]):
            schedule_id = action.get("schedule_id")
            if schedule_id is not None:
                action["schedule_id"] = str(self._find_schedule(UUID(action["deployment_id"]), UUID(schedule_id)))
            for field, kind in FIELDS.items():
                if action.get(field) is not None:
                    action[field] = str(self.find(kind, UUID(action[field])))
        told["trigger"] = self._rename(told["trigger"])
        told["owner_resource"] = self._rename(told["owner_resource"])
        return msgspec.convert({name: told[name] for name in AutomationCreate.__struct_fields__}, AutomationCreate)

    def find(self, kind: str, source_id: UUID) -> UUID:
        """The target's id. Raises `ObjectNotFound` where it is not there, or the source knows nothing of that id."""
        key = kind, source_id
        if key not in self._known:
            self._known[key] = self._ways[kind](source_id)
        return self._known[key]

    def _rename(self, value: Any) -> Any:
        """The value with the resources that its texts name. One that the source does not know itself stays as it is."""
        match value:
            case str():
                return _RESOURCE.sub(self._rename_one, value)
            case dict():
                return {key: self._rename(each) for key, each in cast("dict[str, Any]", value).items()}
            case list():
                return [self._rename(each) for each in cast("list[Any]", value)]
            case _:
                return value

    def _rename_one(self, found: re.Match[str]) -> str:
        kind, source_id = found[1], UUID(found[2])
        try:
            return f"prefect.{kind}.{self.find(kind, source_id)}"
        except Unknown:
            return found[0]

    def _find_flow(self, source_id: UUID) -> UUID:
        name = _known(lambda: self._source.read_flow(source_id)).name
        return self._target.read_flow_by_name(name).id

    def _find_deployment(self, source_id: UUID) -> UUID:
        deployment = _known(lambda: self._source.read_deployment(source_id))
        flow = self._source.read_flow(deployment.flow_id).name
        return self._target.read_deployment_by_name(flow, deployment.name).id

    def _find_pool(self, source_id: UUID) -> UUID:
        pools = self._source.list_work_pools(WorkPoolFilter(id=IdFilter(any_=[source_id])))
        if not pools:
            raise Unknown(f"There is no work pool with id {source_id}.")
        return self._target.read_work_pool(pools[0].name).id

    def _find_queue(self, source_id: UUID) -> UUID:
        queue = _known(lambda: self._source.read_work_queue(source_id))
        return self._target.read_work_queue_by_name(queue.work_pool_name or "", queue.name).id

    def _find_automation(self, source_id: UUID) -> UUID:
        name = _known(lambda: self._source.read_automation(source_id)).name
        found = find_by_name(self._target, name)
        if not found:
            raise ObjectNotFound(f"There is no automation {name!r}.")
        return found[0].id

    def _find_block(self, source_id: UUID) -> UUID:
        block = _known(lambda: self._source.read_block_document(source_id))
        kind = block.block_type or self._source.read_block_type(block.block_type_id)
        return self._target.read_block_document_by_name(kind.slug, block.name or "").id

    def _find_schedule(self, deployment_id: UUID, source_id: UUID) -> UUID:
        """The schedule of the same slug, or without one the one that says the same."""
        here = self._source.read_deployment(deployment_id).schedules
        there = self._target.read_deployment(self.find("deployment", deployment_id)).schedules
        for wanted in (each for each in here if each.id == source_id):
            for each in there:
                same = each.slug == wanted.slug if wanted.slug is not None else each.schedule == wanted.schedule
                if same:
                    return each.id
        raise ObjectNotFound(f"There is no schedule like {source_id}.")


class Unknown(ObjectNotFound):
    """The source itself knows nothing of an id."""


def find_by_name(administration: Administration, name: str) -> list[Automation]:
    """The automations of a name, the oldest first."""
    found = administration.list_automations(AutomationFilter(name=TextFilter(any_=[name])))
    return sorted(found, key=lambda each: each.id)


def put_named_first(automations: Sequence[Automation]) -> Iterator[Automation]:
    """The automations, each after those that it names; where they name each other, in the order they came."""
    known = {str(each.id): each for each in automations}
    done: set[str] = set()

    def put(each: Automation) -> Iterator[Automation]:
        if str(each.id) in done:
            return
        done.add(str(each.id))
        told = msgspec.json.encode(each).decode()
        for other_id, other in known.items():
            if other_id in told:
                yield from put(other)
        yield each

    for each in automations:
        yield from put(each)


def _known(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ObjectNotFound as error:
        raise Unknown(str(error)) from None
