"""What a firing is about: the event, and the run, flow, deployment, pool and queue at hand, for actions and their templates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.orchestration.deployments import load_deployment, show
from headrace.orchestration.flow_runs import read_flow_run
from headrace.orchestration.flows import load_flow
from headrace.orchestration.task_runs import read_task_run
from headrace.orchestration.unit import Unit
from headrace.schema.run import FlowRun
from headrace.schema.wire import decode_json
from headrace.schema.wire_event import ID, NAME, ROLE, Resource, WireEvent
from headrace.storage import automations, compiled, work_pools
from headrace.storage.automation_rows import FiringRow
from headrace.storage.pool_rows import QueueRow

LABELS = {"id": ID, "name": NAME, "role": ROLE}
"""What templates may call the labels that every resource has."""

PAGES = {"flow_run": "runs", "task_run": "task-runs", "flow": "flows", "deployment": "deployments"}
"""Where the page of an object is."""


class Scene:
    """What one firing is about. Everything is read when it is asked for, as it is then."""

    def __init__(self, unit: Unit, firing: FiringRow, ui_url: str) -> None:
        self._unit = unit
        self._ui_url = ui_url
        self.firing = firing
        self.event = None if firing.event is None else msgspec.json.decode(firing.event, type=WireEvent)

    def find(self, kind: str) -> UUID | None:
        """The id of what the event is about, or else has to do with, of a kind such as `flow-run`."""
        if self.event is None:
            return self._find_in([decode_json(self.firing.labels)], kind)
        return self._find_in([self.event.resource, *self.event.related], kind)

    def require(self, kind: str) -> UUID:
        """The id of what the event is about, of a kind, or of what its flow run has to do with. Raises `InvalidRequest`."""
        found = self.find(kind)
        run = None if found is not None else self.flow_run()
        if run is not None:
            of_run = {"deployment": run.deployment_id, "work-pool": run.work_pool_id, "work-queue": run.work_queue_id}
            found = of_run.get(kind)
        if found is None:
            raise InvalidRequest(f"The event that fired has to do with no {kind.replace('-', ' ')}.")
        return found

    def flow_run(self) -> FlowRun | None:
        """The flow run at hand, if there is one, and it was not deleted."""
        run_id = self.find("flow-run")
        try:
            return None if run_id is None else read_flow_run(self._unit, run_id)
        except ObjectNotFound:
            return None

    def describe(self) -> dict[str, Any]:
        """What templates may name."""
        run = self.flow_run()
        found: dict[str, Any] = {"event": self._describe_event(), **self._describe_firing()}
        ids = {
            "flow_run": run and run.id,
            "task_run": self.find("task-run"),
            "flow": self.find("flow") or (run and run.flow_id),
            "deployment": self.find("deployment") or (run and run.deployment_id),
            "work_queue": self.find("work-queue") or (run and run.work_queue_id),
            "work_pool": self.find("work-pool") or (run and run.work_pool_id),
        }
        for name, found_id in ids.items():
            if found_id is not None:
                found |= self._describe(name, found_id, run)
        return found

    def _describe(self, name: str, found_id: UUID, run: FlowRun | None) -> dict[str, Any]:
        try:
            shown = run if name == "flow_run" else self._read(name, found_id)
        except ObjectNotFound:
            return {}
        told = msgspec.to_builtins(shown)
        page = PAGES.get(name)
        named = self._ui_url if page is None else f"{self._ui_url}/{page}/{found_id}"
        if name == "work_pool":
            named = f"{self._ui_url}/work-pools/{told['name']}"
        return {name: {**told, "url": named}}

    def _read(self, name: str, found_id: UUID) -> Any:
        unit = self._unit
        match name:
            case "task_run":
                return read_task_run(unit, found_id)
            case "flow":
                return load_flow(unit, found_id)
            case "deployment":
                return show(unit, [load_deployment(unit, found_id)])[0]
            case "work_queue":
                rows = unit.fetch(compiled.find_queues, ids=[found_id])
                if rows:
                    return QueueRow._make(rows[0])._asdict()
            case _:
                pools = work_pools.find_pools(unit.connection, unit.workspace_id, [found_id])
                if pools:
                    return {key: getattr(pools[0], key) for key in ("id", "name", "type", "description", "is_paused")}
        raise ObjectNotFound(f"There is no {name.replace('_', ' ')} with id {found_id}.")

    def _describe_event(self) -> dict[str, Any]:
        if self.event is None:
            return {}
        told: dict[str, Any] = msgspec.to_builtins(self.event)
        told["resource"] = _name(told["resource"])
        told["related"] = [_name(each) for each in told["related"]]
        return told

    def _describe_firing(self) -> dict[str, Any]:
        firing = self.firing
        row = automations.find_automation(self._unit.connection, self._unit.workspace_id, firing.automation_id)
        described: dict[str, Any] = {"id": str(firing.automation_id)}
        if row is not None:
            described |= {"name": row.name, "description": row.description, "tags": decode_json(row.tags)}
        return {
            "automation": {**described, "url": f"{self._ui_url}/automations/{firing.automation_id}"},
            "firing": {
                "id": str(firing.id),
                "trigger_states": [firing.mood],
                "triggered": to_datetime(firing.occurred).isoformat(),
                "triggering_labels": decode_json(firing.labels),
                "triggering_event": self._describe_event(),
            },
        }

    def _find_in(self, resources: list[Resource], kind: str) -> UUID | None:
        prefix = f"prefect.{kind}."
        for resource in resources:
            for value in resource.values() if self.event is None else (resource.get(ID),):
                if isinstance(value, str) and value.startswith(prefix):
                    try:
                        return UUID(value.removeprefix(prefix))
                    except ValueError:
                        continue
        return None


def _name(resource: Resource) -> Resource:
    """A resource with short names for the labels that every one has."""
    return {**{name: resource[label] for name, label in LABELS.items() if label in resource}, **resource}
