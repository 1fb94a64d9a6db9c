"""Events of the contract: read from clients, derived from the log, chosen by filters."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest

from headrace.base.clock import to_micros
from headrace.base.errors import InvalidRequest
from headrace.base.ids import state_id, uuid7
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.execution import OrchestratedExecution
from headrace.rules.selection import chooses, may_choose
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.report import BeatReport, EventReport, StateReport
from headrace.schema.run import FlowRun, FlowRunCreate
from headrace.schema.state import StateCreate, StateType
from headrace.schema.wire_event import EventFilter, WireEvent
from headrace.server.events.derivation import Narrator
from headrace.server.events.reading import LARGEST_EVENT, read_event

NOW = datetime(2026, 11, 22, 20, 54, 44, 145058, tzinfo=UTC)
FLOW_RUN_ID = UUID("01a20954-8bc8-7ab1-b6e6-d3e07626290d")


def transition(type_: str = "RUNNING", *, time: datetime = NOW, **run: Any) -> dict[str, Any]:
    """The event by which a client tells that a task run entered a state."""
    run_id = run.pop("id", uuid7())
    return {
        "occurred": str(time),
        "event": f"prefect.task-run.{type_.capitalize()}",
        "id": str(uuid7()),
        "follows": None,
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run_id}",
            "prefect.resource.name": "load-0",
            "prefect.run-count": "1",
            "prefect.state-type": type_,
            "prefect.state-timestamp": time.isoformat(),
            "prefect.orchestration": "client",
        },
        "related": [
            {"prefect.resource.id": f"prefect.flow-run.{FLOW_RUN_ID}", "prefect.resource.role": "flow-run"},
            {"prefect.resource.id": f"prefect.flow.{uuid7()}", "prefect.resource.role": "flow"},
        ],
        "payload": {
            "intended": {"from": None, "to": type_},
            "initial_state": None,
            "validated_state": {
                "type": type_,
                "name": type_.capitalize(),
                "message": "",
                "state_details": {"flow_run_id": str(FLOW_RUN_ID), "pause_reschedule": False, "later": "unknown"},
                "data": None,
            },
            "task_run": {
                "name": "load-0",
                "task_key": "load-1a2b",
                "dynamic_key": "0",
                "empirical_policy": {"retries": 2, "retry_delay": 0, "max_retries": 0, "retry_delay_seconds": 0.0},
                "tags": ["x"],
                "labels": {},
                "task_inputs": {"n": [{"name": "n", "input_type": "parameter"}], "m": [{"id": str(uuid7())}]},
                "run_count": 1,
                "flow_run_run_count": 1,
                "expected_start_time": str(time),
                "total_run_time": 0.0,
                **run,
            },
        },
    }


def read(event: dict[str, Any]) -> Any:
    return read_event(json.dumps(event))


# reading


def test_a_state_of_a_task_run_is_read() -> None:
    run_id = uuid7()
    report = read(transition(id=run_id))
    assert isinstance(report, StateReport)
    assert (report.run.id, report.run.flow_run_id, report.run_count) == (run_id, FLOW_RUN_ID, 1)
    assert (report.run.name, report.run.task_key, report.run.tags) == ("load-0", "load-1a2b", ["x"])
    assert report.run.empirical_policy.retries == 2
    assert (report.state.type, report.state.timestamp, report.state.message) == (
        StateType.RUNNING,
        to_micros(NOW),
        None,
    )
    assert report.state.details == {"flow_run_id": str(FLOW_RUN_ID)}


def test_the_state_says_when_it_was_entered_not_the_event() -> None:
    event = transition()
    event["resource"]["prefect.state-timestamp"] = (NOW - timedelta(seconds=3)).isoformat(" ")
    assert read(event).state.timestamp == to_micros(NOW) - 3_000_000
    del event["resource"]["prefect.state-timestamp"]
    assert read(event).state.timestamp == to_micros(NOW)


def test_a_heartbeat_is_read() -> None:
    event: dict[str, Any] = {
        "occurred": str(NOW),
        "event": "prefect.flow-run.heartbeat",
        "id": str(uuid7()),
        "resource": {"prefect.resource.id": f"prefect.flow-run.{FLOW_RUN_ID}"},
    }
    assert read(event) == BeatReport(UUID(event["id"]), FLOW_RUN_ID, 180.0)
    assert read({**event, "payload": {"heartbeat_interval_seconds": 30}}).interval == 30.0
    assert read({**event, "payload": {"heartbeat_interval_seconds": "often"}}).interval == 180.0


def test_any_other_event_is_kept_as_it_is() -> None:
    event = {
        "occurred": "2026-11-22 20:54:44+00:00",
        "event": "data.arrived",
        "id": str(uuid7()),
        "resource": {"prefect.resource.id": "my.table"},
        "payload": {"rows": 3},
        "related": [{"prefect.resource.id": f"prefect.flow-run.{FLOW_RUN_ID}", "prefect.resource.role": "flow-run"}],
    }
    report = read(event)
    assert isinstance(report, EventReport)
    assert (report.flow_run_id, report.body["payload"]) == (FLOW_RUN_ID, {"rows": 3})
    assert report.body["received"]
    assert read(
        {**event, "related": [{"prefect.resource.id": "prefect.flow-run.x", "prefect.resource.role": "flow-run"}]}
    )


@pytest.mark.parametrize(
    "frame",
    [
        "nonsense",
        "[]",
        "{}",
        b"\xff",
        json.dumps({**transition(), "occurred": "yesterday"}),
        json.dumps({**transition(), "payload": {"validated_state": {"type": "ASLEEP"}}}),
        json.dumps({**transition(), "payload": {"validated_state": {"type": "RUNNING"}, "task_run": None}}),
        json.dumps({**transition(), "resource": {"prefect.resource.id": "prefect.task-run.x"}}),
        json.dumps({**transition(), "event": "prefect.flow-run.Completed", "resource": {"prefect.resource.id": "y"}}),
        "x" * (LARGEST_EVENT + 1),
    ],
)
def test_what_is_no_event_of_a_client_is_refused(frame: str | bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_event(frame)


def test_events_may_come_by_request(
    ask: httpx2.Client, execution: OrchestratedExecution, administration: OrchestratedAdministration
) -> None:
    run_id = uuid7()
    events = [transition("PENDING", id=run_id), transition("RUNNING", id=run_id, time=NOW + timedelta(seconds=1))]
    assert ask.post("/api/events", json=events).status_code == 204
    assert ask.post("/api/events", json=events).status_code == 204
    assert ask.post("/api/events", json=[{"event": "x"}]).status_code == 422
    assert [state.type for state in administration.list_task_run_states(run_id)] == ["PENDING", "RUNNING"]
    assert execution.read_task_run(run_id).name == "load-0"


# deriving


@pytest.fixture
def run(execution: OrchestratedExecution) -> FlowRun:
    flow = execution.register_flow(FlowCreate(name="etl"))
    run = execution.create_flow_run(FlowRunCreate(flow_id=flow.id, name="one", tags=["hot"]))
    state = StateCreate(type=StateType.RUNNING, message="go")
    return execution.propose_flow_run_state(Proposal(flow_run_id=run.id, state=state)).flow_run


def tell(execution: OrchestratedExecution, administration: OrchestratedAdministration) -> list[WireEvent]:
    from headrace.schema.event import Cursor

    return Narrator(administration).tell(execution.read_events(Cursor()).events)


def test_each_state_of_a_flow_run_is_an_event(
    execution: OrchestratedExecution, administration: OrchestratedAdministration, run: FlowRun
) -> None:
    pending, running = tell(execution, administration)
    assert (pending.event, running.event) == ("prefect.flow-run.Pending", "prefect.flow-run.Running")
    assert (pending.id, running.id) == (state_id(run.id, 1), state_id(run.id, 2))
    assert (pending.follows, running.follows) == (None, pending.id)
    assert running.resource["prefect.resource.id"] == f"prefect.flow-run.{run.id}"
    assert running.resource["prefect.resource.name"] == "one"
    assert running.resource["prefect.state-message"] == "go"
    assert all(isinstance(value, str) for value in running.resource.values())
    roles = {related["prefect.resource.role"]: related for related in running.related}
    assert roles["flow"]["prefect.resource.name"] == "etl"
    assert roles["tag"]["prefect.resource.id"] == "prefect.tag.hot"


def test_each_state_of_a_task_run_is_an_event(
    execution: OrchestratedExecution, administration: OrchestratedAdministration, run: FlowRun
) -> None:
    event = transition()
    event["related"][0]["prefect.resource.id"] = f"prefect.flow-run.{run.id}"
    execution.report([read(event)])
    told = tell(execution, administration)[-1]
    assert told.event == "prefect.task-run.Running"
    assert told.payload["task_run"]["task_key"] == "load-1a2b"
    assert told.payload["validated_state"]["type"] == "RUNNING"
    assert told.payload["validated_state"]["data"] is None
    assert {related["prefect.resource.role"] for related in told.related} == {"flow-run", "flow", "tag"}
    msgspec.json.encode(told)


def test_a_clients_own_event_is_told_as_it_was_sent(
    execution: OrchestratedExecution, administration: OrchestratedAdministration
) -> None:
    event = {
        "occurred": "2026-11-22T20:54:44Z",
        "event": "data.arrived",
        "id": str(uuid7()),
        "resource": {"prefect.resource.id": "t"},
    }
    execution.report([read(event), EventReport(uuid7(), 0, {"nonsense": 1})])
    (told,) = tell(execution, administration)
    assert (told.event, str(told.id), told.resource) == ("data.arrived", event["id"], event["resource"])


def test_events_of_runs_that_are_gone_are_left_out(
    execution: OrchestratedExecution, administration: OrchestratedAdministration, run: FlowRun
) -> None:
    from headrace.schema.event import Cursor

    logged = execution.read_events(Cursor()).events
    administration.delete_flow_run(run.id)
    assert Narrator(administration).tell(logged) == []


# choosing

EVENT = WireEvent(
    id=UUID(int=7),
    occurred=NOW,
    event="prefect.flow-run.Completed",
    resource={"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.name": "one", "env": "prod"},
    related=[
        {"prefect.resource.id": "prefect.flow.1", "prefect.resource.role": "flow", "team": "data"},
        {"prefect.resource.id": "prefect.tag.hot", "prefect.resource.role": "tag"},
    ],
    payload={"rows": "Three"},
)

CHOSEN: list[dict[str, Any]] = [
    {},
    {"occurred": {"since": "2026-11-22T20:00:00Z", "until": "2026-11-22T21:00:00Z"}},
    {"event": {"prefix": ["prefect.flow-run.", "x"], "exclude_prefix": ["prefect.task"]}},
    {"event": {"name": ["prefect.flow-run.Completed"], "exclude_name": ["x"]}},
    {
        "resource": {
            "id": ["prefect.flow-run.1"],
            "id_prefix": ["prefect."],
            "labels": {"env": "pr*"},
            "distinct": False,
        }
    },
    {"resource": {"labels": {"env": ["dev", "prod"]}}},
    {"resource": {"labels": {"env": "!dev"}}},
    {"resource": {"labels": {"env": ["pro*", "!prod-eu"]}}},
    {"related": {"role": ["flow"], "labels": {"team": "data"}}},
    {"related": [{"role": ["flow"]}, {"id": ["prefect.tag.hot"]}]},
    {"related": {"resources_in_roles": [["prefect.flow.1", "flow"]]}},
    {"any_resource": {"id": ["prefect.tag.hot"]}},
    {"any_resource": [{"id_prefix": ["prefect.flow."]}, {"labels": {"env": "prod"}}]},
    {"id": {"id": [str(UUID(int=7))]}},
    {"id": {"id": []}},
    {"text": {"query": "three -four"}},
    {"order": "ASC"},
]

LEFT_OUT: list[dict[str, Any]] = [
    {"occurred": {"since": "2026-11-22T21:00:00Z"}},
    {"occurred": {"until": "2026-11-22T20:00:00Z"}},
    {"event": {"prefix": ["prefect.task-run."]}},
    {"event": {"exclude_prefix": ["prefect."]}},
    {"event": {"name": ["prefect.flow-run"]}},
    {"event": {"exclude_name": ["prefect.flow-run.Completed"]}},
    {"resource": {"id": ["prefect.flow-run.2"]}},
    {"resource": {"id_prefix": ["x"]}},
    {"resource": {"labels": {"env": "dev*"}}},
    {"resource": {"labels": {"none": "x"}}},
    {"resource": {"labels": {"env": ["pro*", "!prod"]}}},
    {"related": {"role": ["flow"], "labels": {"team": "other"}}},
    {"related": [{"role": ["flow"]}, {"id": ["prefect.tag.cold"]}]},
    {"related": {"resources_in_roles": [["prefect.flow.1", "tag"]]}},
    {"any_resource": {"id": ["x"]}},
    {"id": {"id": [str(UUID(int=8))]}},
    {"text": {"query": "three -one"}},
    {"text": {"query": "four"}},
]


@pytest.mark.parametrize("wanted", CHOSEN)
def test_a_filter_chooses(wanted: dict[str, Any]) -> None:
    assert chooses(msgspec.convert(wanted, EventFilter, strict=False), EVENT)


@pytest.mark.parametrize("wanted", LEFT_OUT)
def test_a_filter_leaves_out(wanted: dict[str, Any]) -> None:
    assert not chooses(msgspec.convert(wanted, EventFilter, strict=False), EVENT)


@pytest.mark.parametrize(
    ("event", "kind", "may"),
    [
        (None, "prefect.task-run.", True),
        ({"prefix": ["prefect.flow-run."]}, "prefect.flow-run.", True),
        ({"prefix": ["prefect.flow-run."]}, "prefect.task-run.", False),
        ({"prefix": ["prefect."]}, "prefect.task-run.", True),
        ({"prefix": ["prefect.flow-run.C"]}, "prefect.flow-run.", True),
        ({"name": ["prefect.flow-run.Cancelling"]}, "prefect.task-run.", False),
        ({"name": ["prefect.flow-run.Cancelling"]}, "prefect.flow-run.", True),
        ({"name": ["prefect.flow-run.Cancelling"]}, "", True),
    ],
)
def test_names_tell_which_kinds_need_not_be_looked_at(event: dict[str, Any] | None, kind: str, may: bool) -> None:
    assert may_choose(msgspec.convert({"event": event}, EventFilter), kind) is may
