"""An automation that runs a deployment, and the event that has it do so."""

# It runs in an environment of its own, and is written as people write.
# pyright: basic, reportMissingImports=false

from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.actions import RunDeployment
from prefect.events.schemas.automations import EventTrigger, Posture

with get_client(sync_client=True) as client:
    deployment = client.read_deployment_by_name("doubling/daily")
Automation(
    name="drain",
    trigger=EventTrigger(expect={"pond.filled"}, posture=Posture.Reactive),
    actions=[
        RunDeployment(
            deployment_id=deployment.id,
            parameters={"x": {"__prefect_kind": "json", "value": "{{ event.payload.litres }}"}},
        )
    ],
).create()
emit_event(event="pond.filled", resource={"prefect.resource.id": "pond.1"}, payload={"litres": 3})
