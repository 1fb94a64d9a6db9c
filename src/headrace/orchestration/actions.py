"""Actions of automations, each performed once: in the transaction that says that it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import DecodeError

from headrace.base.clock import to_datetime
from headrace.base.errors import GatewayError, InvalidRequest, ObjectNotFound
from headrace.orchestration import automations, deployments, inputs, outbox, schedules
from headrace.orchestration.automation_events import append_action
from headrace.orchestration.places import load_queue_by_id
from headrace.orchestration.proposals import load_flow_run, propose
from headrace.orchestration.room import change_pool, change_queue
from headrace.orchestration.scenes import Scene
from headrace.orchestration.unit import Unit
from headrace.rules.hydration import hydrate
from headrace.rules.templates import render
from headrace.rules.transitions import CANCELLING, PAUSED, SCHEDULED, SUSPENDED
from headrace.schema import action as a
from headrace.schema.deployment import DeploymentFlowRunCreate, DeploymentUpdate
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.outbox import Message
from headrace.schema.run import AUTOMATION_TYPE, DEPTH, FIRING, CreatedBy
from headrace.schema.schedule import DeploymentScheduleUpdate
from headrace.schema.state import StateCreate, StateDetails
from headrace.schema.wire import Labels, decode_json
from headrace.storage import automations as queries
from headrace.storage import deletions, firings, runs, tables, work_pools
from headrace.storage.automation_rows import ActionRow, FiringRow, to_action
from headrace.storage.rows import FlowRunRow
from headrace.storage.texts import storable, storable_json

Told = dict[str, Any]
"""What the event of an action tells of what it did."""


def carry_out(unit: Unit, row: ActionRow, ui_url: str) -> bool:
    """Perform an action, and say so; False when somebody else has. Raises what the action fails with."""
    if not firings.settle_action(unit.connection, unit.workspace_id, row, None, unit.now):
        return False
    firing = _load_firing(unit, row)
    name, action = _name(unit, firing), to_action(row)
    append_action(unit, "triggered", name, firing, row, action, {})
    told = perform(unit, action, Scene(unit, firing, ui_url), f"automation:{firing.id}:{row.number}")
    append_action(unit, "executed", name, firing, row, action, told)
    return True


def give_up(unit: Unit, row: ActionRow, reason: str) -> bool:
    """Say that an action has failed; False when somebody else has performed it."""
    if not firings.settle_action(unit.connection, unit.workspace_id, row, storable(reason), unit.now):
        return False
    firing = _load_firing(unit, row)
    name, action = _name(unit, firing), to_action(row)
    append_action(unit, "triggered", name, firing, row, action, {})
    append_action(unit, "failed", name, firing, row, action, {"reason": reason})
    return True


def perform(unit: Unit, action: a.AnyAction, scene: Scene, key: str) -> Told:
    """Do what an action says. `key` names this one time of doing it. Raises what its use case raises."""
    match action:
        case a.DoNothing():
            return {}
        case a.RunDeployment():
            return _run_deployment(unit, action, scene, key)
        case a.SendNotification() | a.SendEmailNotification() | a.CallWebhook():
            return _send(unit, action, scene, key)
        case a.PauseDeployment() | a.ResumeDeployment():
            deployment_id = action.deployment_id or scene.require("deployment")
            paused = isinstance(action, a.PauseDeployment)
            deployments.update_deployment(unit, deployment_id, DeploymentUpdate(paused=paused))
            return {"deployment_id": str(deployment_id)}
        case a.PauseSchedule() | a.ResumeSchedule():
            deployment = deployments.load_deployment(unit, action.deployment_id, held=True)
            active = DeploymentScheduleUpdate(active=isinstance(action, a.ResumeSchedule))
            schedules.update_schedule(unit, deployment, action.schedule_id, active)
            return {"schedule_id": str(action.schedule_id)}
        case a.PauseWorkPool() | a.ResumeWorkPool() | a.PauseWorkQueue() | a.ResumeWorkQueue():
            return _pause_work(unit, action, scene)
        case a.PauseAutomation() | a.ResumeAutomation():
            automation_id = action.automation_id or scene.require("automation")
            automations.enable_automation(unit, automation_id, isinstance(action, a.ResumeAutomation))
            return {"automation_id": str(automation_id)}
        case _:
            return _move_run(unit, action, scene)


def _run_deployment(unit: Unit, action: a.RunDeployment, scene: Scene, key: str) -> Told:
    deployment_id = action.deployment_id or scene.require("deployment")
    due = to_datetime(unit.now) + timedelta(seconds=a.read_seconds(action.schedule_after, "schedule_after"))
    context = scene.describe()

    def fill_in(template: str) -> str:
        return render(template, context)

    variables = action.job_variables
    firing = scene.firing
    asked = DeploymentFlowRunCreate(
        state=StateCreate(type=SCHEDULED, state_details=StateDetails(scheduled_time=due)),
        parameters=hydrate(action.parameters or {}, fill_in),
        job_variables=None if variables is None else hydrate(variables, fill_in),
        labels={DEPTH: firing.depth, FIRING: str(firing.id)},
        idempotency_key=key,
    )
    maker = CreatedBy(id=firing.automation_id, type=AUTOMATION_TYPE, display_value=_name(unit, firing))
    run = deployments.run_deployment(unit, deployment_id, asked, maker)
    return {"deployment_id": str(deployment_id), "flow_run_id": str(run.id)}


def _send(
    unit: Unit, action: a.SendNotification | a.SendEmailNotification | a.CallWebhook, scene: Scene, key: str
) -> Told:
    context = scene.describe()
    if isinstance(action, a.CallWebhook):
        payload = _make_payload(action.payload, context)
        message = Message(
            key=key,
            kind="webhook",
            block_document_id=action.block_document_id,
            payload=payload,
            firing=scene.firing.id,
        )
    else:
        by_mail = isinstance(action, a.SendEmailNotification)
        message = Message(
            key=key,
            kind="email" if by_mail else "block",
            block_document_id=None if by_mail else action.block_document_id,
            to=tuple(action.emails) if by_mail else (),
            subject=" ".join(render(action.subject, context).split()),
            body=render(action.body, context),
            firing=scene.firing.id,
        )
    outbox.enqueue(unit, message)
    return {"message_key": key}


def _make_payload(template: str, context: Told) -> Any:
    """What a webhook is called with: the JSON that a template of JSON makes, or else its text."""
    if not template.lstrip().startswith(("{", "[")) or template.lstrip().startswith(("{{", "{%")):
        return render(template, context)
    text = render(template, context, as_json=True)
    try:
        return decode_json(text)
    except DecodeError:
        return render(template, context)


def _pause_work(
    unit: Unit, action: a.PauseWorkPool | a.ResumeWorkPool | a.PauseWorkQueue | a.ResumeWorkQueue, scene: Scene
) -> Told:
    changed = {"is_paused": isinstance(action, (a.PauseWorkPool, a.PauseWorkQueue)), "updated": unit.now}
    if isinstance(action, (a.PauseWorkPool, a.ResumeWorkPool)):
        pool_id = action.work_pool_id or scene.require("work-pool")
        pools = work_pools.find_pools(unit.connection, unit.workspace_id, [pool_id])
        if not pools:
            raise ObjectNotFound(f"There is no work pool with id {pool_id}.")
        change_pool(unit, pools[0], changed)
        return {"work_pool_id": str(pool_id)}
    queue = load_queue_by_id(unit, action.work_queue_id or scene.require("work-queue"))
    change_queue(unit, queue, changed)
    return {"work_queue_id": str(queue.id)}


def _move_run(unit: Unit, action: a.AnyAction, scene: Scene) -> Told:
    """Do something with the flow run that the event is about."""
    run_id = scene.require("flow-run")
    row = load_flow_run(unit, run_id)
    if row is None:
        raise ObjectNotFound(f"There is no flow run with id {run_id}.")
    told: Told = {"flow_run_id": str(run_id)}
    if isinstance(action, a.DeleteFlowRun):
        deletions.delete_flow_run(unit.connection, unit.workspace_id, run_id)
        return told
    _deepen(unit, row, scene.firing)
    force = False
    match action:
        case a.ResumeFlowRun():
            return told | _check(inputs.resume_flow_run(unit, run_id, None))
        case a.CancelFlowRun():
            state = StateCreate(type=CANCELLING, message=_because(unit, scene.firing))
        case a.SuspendFlowRun():
            details = StateDetails(pause_reschedule=True)
            state = StateCreate(
                type=PAUSED, name=SUSPENDED, message=_because(unit, scene.firing), state_details=details
            )
        case a.ChangeFlowRunState():
            state = StateCreate(
                type=action.state, name=action.name, message=action.message or _because(unit, scene.firing)
            )
            force = action.force
        case _:
            raise InvalidRequest(f"There is no action {type(action).__name__}.")
    return told | _check(propose(unit, Proposal(flow_run_id=run_id, state=state, force=force)))


def _check(decision: Decision | GatewayError) -> Told:
    """What became of a proposal. Raises what was wrong with it, so that nothing of it remains."""
    if isinstance(decision, GatewayError):
        raise decision
    if not decision.written:
        raise InvalidRequest(f"The flow run stays as it is: {decision.reason or decision.verb}")
    return {"state": decision.state and decision.state.name}


def _deepen(unit: Unit, row: FlowRunRow, firing: FiringRow) -> None:
    """Note on a run that an automation moved it, so that automations which move each other's runs come to an end. What more
    automations led to remains.
    """
    labels: Labels = decode_json(row.labels) if row.labels else {}
    known = labels.get(DEPTH)
    if isinstance(known, int) and known >= firing.depth:
        return
    noted = {**labels, DEPTH: firing.depth, FIRING: str(firing.id)}
    changed = {"labels": storable_json(noted), "updated": unit.now}
    runs.change_run(unit.connection, unit.workspace_id, tables.flow_runs, row.id, changed)


def _because(unit: Unit, firing: FiringRow) -> str:
    return f"Automation {_name(unit, firing)!r} did this."


def _load_firing(unit: Unit, row: ActionRow) -> FiringRow:
    firing = firings.find_firing(unit.connection, unit.workspace_id, row.firing_id)
    if firing is None:
        raise ObjectNotFound(f"There is no firing with id {row.firing_id}.")
    return firing


def _name(unit: Unit, firing: FiringRow) -> str:
    """What the automation is called, as long as there is one."""
    row = queries.find_automation(unit.connection, unit.workspace_id, firing.automation_id)
    return "" if row is None else row.name
