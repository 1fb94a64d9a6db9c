"""An automation from its making to its end, as the client's own users have one."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

from datetime import timedelta
from uuid import UUID

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.events.actions import CallWebhook, CancelFlowRun, DoNothing
from prefect.events.schemas.automations import CompoundTrigger, EventTrigger, Posture

hook = Webhook(url="http://127.0.0.1:9/hook").save("hook")
failed = EventTrigger(
    expect={"prefect.flow-run.Failed"},
    match={"prefect.resource.id": "prefect.flow-run.*"},
    match_related={"prefect.resource.role": "flow", "prefect.resource.name": "etl"},
    for_each={"prefect.resource.id"},
    posture=Posture.Reactive,
    threshold=1,
    within=timedelta(seconds=0),
)
automation = Automation(
    name="tell-of-failures",
    description="Somebody has to know.",
    tags=["night"],
    trigger=failed,
    actions=[CallWebhook(block_document_id=hook, payload="{{ flow_run.name }}"), CancelFlowRun()],
).create()
read = Automation.read(id=automation.id)
assert isinstance(read.id, UUID)
assert read.trigger.expect == {"prefect.flow-run.Failed"}
assert [action.type for action in read.actions] == ["call-webhook", "cancel-flow-run"]

read.description = "Everybody has to know."
read.update()
read.disable()
assert Automation.read(name="tell-of-failures").enabled is False
read.enable()
again = Automation.read(name="tell-of-failures")
print(again.enabled, again.description)

both = Automation(
    name="both",
    trigger=CompoundTrigger(
        require="all",
        within=timedelta(hours=1),
        triggers=[failed, EventTrigger(expect={"pond.filled"}, posture=Posture.Reactive)],
    ),
    actions=[DoNothing()],
).create()
assert [trigger.type for trigger in Automation.read(id=both.id).trigger.triggers] == ["event", "event"]
with get_client(sync_client=True) as client:
    print(sorted(each.name for each in client.read_automations_by_name("both")))
both.delete()
try:
    Automation.read(id=both.id)
except ValueError as error:
    print("gone:", "found" in str(error))
