"""Events of the past, as the contract's clients ask for them: pages, counts."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest

from headrace.base.clock import now
from headrace.base.ids import uuid7
from headrace.orchestration.execution import OrchestratedExecution
from headrace.schema.event import Cursor
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRunCreate
from headrace.schema.state import StateCreate, StateType

STATES = ("Pending", "Running", "Completed")


@pytest.fixture
def runs(execution: OrchestratedExecution) -> list[UUID]:
    """Three runs that have ended."""
    flow_id = execution.register_flow(FlowCreate(name="etl")).id
    ids = [execution.create_flow_run(FlowRunCreate(flow_id=flow_id, tags=["hot"])).id for _ in range(3)]
    for run_id in ids:
        for type_ in (StateType.RUNNING, StateType.COMPLETED):
            execution.propose_flow_run_state(Proposal(flow_run_id=run_id, state=StateCreate(type=type_)))
    return ids


def custom(name: str, resource: str, *related: dict[str, str], occurred: datetime | None = None) -> dict[str, Any]:
    return {
        "id": str(uuid7()),
        "occurred": (occurred or now()).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": resource, "prefect.resource.name": "the pond"},
        "related": list(related),
        "payload": {"word": "needle" if name == "fish.bit" else "hay"},
    }


def task_states(run_id: UUID) -> list[dict[str, Any]]:
    """What a client reports of a task run of a flow run."""
    task_run_id = uuid7()
    return [
        {
            "id": str(uuid7()),
            "occurred": (now() + timedelta(milliseconds=number)).isoformat(),
            "event": f"prefect.task-run.{name}",
            "resource": {"prefect.resource.id": f"prefect.task-run.{task_run_id}"},
            "related": [{"prefect.resource.id": f"prefect.flow-run.{run_id}", "prefect.resource.role": "flow-run"}],
            "payload": {
                "validated_state": {"type": name.upper(), "name": name},
                "task_run": {"name": "load-0", "task_key": "load", "dynamic_key": "0"},
            },
        }
        for number, name in enumerate(STATES)
    ]


def read_pages(ask: httpx2.Client, wanted: dict[str, Any] | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Every page, followed by its address."""
    answer = ask.post("/api/events/filter", json={"filter": wanted, "limit": limit})
    assert answer.status_code == 200, answer.text
    pages = [answer.json()]
    while pages[-1]["next_page"] is not None:
        split = urlsplit(str(pages[-1]["next_page"]))
        following = ask.get(f"{split.path}?{split.query}")
        assert following.status_code == 200, following.text
        pages.append(following.json())
    return pages


def names(pages: list[dict[str, Any]]) -> list[str]:
    return [event["event"].rpartition(".")[2] for page in pages for event in page["events"]]


def test_events_are_told_newest_first(ask: httpx2.Client, runs: list[UUID]) -> None:
    (page,) = read_pages(ask)
    assert page["total"] == 9
    assert names([page])[:2] == ["Completed", "Running"]
    assert {event["resource"]["prefect.resource.id"] for event in page["events"]} == {
        f"prefect.flow-run.{run_id}" for run_id in runs
    }
    (oldest,) = read_pages(ask, {"order": "ASC"})
    assert oldest["events"] == page["events"][::-1]


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("limit", [1, 2, 5, 13])
def test_pages_hold_every_event_once(ask: httpx2.Client, runs: list[UUID], order: str, limit: int) -> None:
    assert ask.post("/api/events", json=task_states(runs[0])).status_code == 204  # three states in one entry of the log
    ask.post("/api/events", json=[custom("fish.bit", "pond.1")])
    whole = read_pages(ask, {"order": order})
    pages = read_pages(ask, {"order": order}, limit)
    assert [event["id"] for page in pages for event in page["events"]] == [event["id"] for event in whole[0]["events"]]
    assert {page["total"] for page in pages} == {13}
    assert all(len(page["events"]) <= limit for page in pages)


def test_a_page_may_be_of_nothing(ask: httpx2.Client, runs: list[UUID]) -> None:
    (page,) = read_pages(ask, limit=0)
    assert (page["events"], page["total"]) == ([], 9)
    assert read_pages(ask, {"event": {"name": ["no.such"]}}) == [{"events": [], "total": 0, "next_page": None}]


def test_filters_choose(ask: httpx2.Client, runs: list[UUID]) -> None:
    first, second, _ = (f"prefect.flow-run.{run_id}" for run_id in runs)
    ask.post("/api/events", json=task_states(runs[0]))
    of_first = {"prefect.resource.id": first, "prefect.resource.role": "flow-run"}
    ask.post("/api/events", json=[custom("fish.bit", "pond.1", of_first), custom("fish.left", "pond.2")])

    def found(**wanted: Any) -> list[str]:
        return names(read_pages(ask, {"order": "ASC", **wanted}, 3))

    assert found(resource={"id": [first]}) == list(STATES)
    assert found(resource={"id": [first, second]}, event={"name": ["prefect.flow-run.Running"]}) == ["Running"] * 2
    assert found(any_resource={"id": [first]}) == [*STATES, *STATES, "bit"]
    assert found(related={"id": [first]}) == [*STATES, "bit"]
    assert found(related=[{"id": [first]}, {"role": ["nothing"]}]) == []
    assert found(resource={"id_prefix": ["pond."]}) == ["bit", "left"]
    assert found(event={"prefix": ["fish."], "exclude_name": ["fish.left"]}) == ["bit"]
    assert found(event={"prefix": ["prefect.task-run."]}) == list(STATES)
    assert found(text={"query": "needle"}) == ["bit"]
    assert found(resource={"id": ["prefect.flow-run.nonsense"]}) == []
    state_id = read_pages(ask, {"resource": {"id": [first]}})[0]["events"][0]["id"]
    assert found(id={"id": [state_id]}) == ["Completed"]


def test_only_the_newest_event_of_each_resource(ask: httpx2.Client, runs: list[UUID]) -> None:
    pages = read_pages(ask, {"resource": {"distinct": True}})
    assert names(pages) == ["Completed"] * 3


def test_events_are_of_a_time(ask: httpx2.Client, runs: list[UUID]) -> None:
    later = now() + timedelta(minutes=1)
    assert names(read_pages(ask, {"occurred": {"since": later.isoformat()}})) == []
    assert len(names(read_pages(ask, {"occurred": {"until": later.isoformat()}}))) == 9
    # Without a zone it is UTC; the calendar's ends are times as well.
    ends = {"since": "0001-01-01T00:00:00", "until": "9999-12-31 23:59:59"}
    assert len(names(read_pages(ask, {"occurred": ends}))) == 9


@pytest.mark.parametrize("token", ["", "x", "W10", "W3t9LDEsMSwxLDFd4", "=" * 9_000])
def test_what_is_no_token_is_refused(ask: httpx2.Client, token: str) -> None:
    answer = ask.get("/api/events/filter/next", params={"page-token": token})
    assert answer.status_code == 403
    assert "no token of a page" in answer.json()["detail"]


def count(ask: httpx2.Client, by: str, **asked: Any) -> list[dict[str, Any]]:
    answer = ask.post(f"/api/events/count-by/{by}", json={"filter": {}, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_events_are_counted_by_what_they_are(ask: httpx2.Client, runs: list[UUID]) -> None:
    ask.post("/api/events", json=[custom("fish.bit", "pond.1"), custom("fish.bit", "pond.1")])
    counted = {each["value"].rpartition(".")[2]: each["count"] for each in count(ask, "event")}
    assert counted == {"Pending": 3, "Running": 3, "Completed": 3, "bit": 2}
    resources = count(ask, "resource")
    assert [each["count"] for each in resources] == [3, 3, 3, 2]
    assert resources[3]["label"] == "the pond"
    assert resources[3]["start_time"] <= resources[3]["end_time"]
    narrowed = count(ask, "event", filter={"resource": {"id": [f"prefect.flow-run.{runs[0]}"]}})
    assert [each["count"] for each in narrowed] == [1, 1, 1]


def test_events_are_counted_by_time(ask: httpx2.Client, runs: list[UUID]) -> None:
    days = count(ask, "day")
    assert len(days) == 7
    assert [each["count"] for each in days] == [0] * 6 + [9]
    assert days[0]["end_time"] == days[1]["start_time"]
    since = now() - timedelta(hours=1)
    until = since + timedelta(hours=2)
    window = {"occurred": {"since": since.isoformat(), "until": until.isoformat()}}
    halves = count(ask, "time", filter=window, time_unit="minute", time_interval=60)
    assert sorted(each["count"] for each in halves) == [0, 9]
    moment = {"occurred": {"since": since.isoformat(), "until": since.isoformat()}}
    assert [each["count"] for each in count(ask, "day", filter=moment)] == [0]


@pytest.mark.parametrize(
    ("by", "asked", "said"),
    [
        ("time", {"time_unit": "second"}, "at most 500 stretches"),
        (
            "day",
            {"filter": {"occurred": {"since": "2026-01-02T00:00:00", "until": "2026-01-01T00:00:00Z"}}},
            "ends before it begins",
        ),
        ("month", {}, "month"),
    ],
)
def test_what_cannot_be_counted_is_refused(ask: httpx2.Client, by: str, asked: dict[str, Any], said: str) -> None:
    answer = ask.post(f"/api/events/count-by/{by}", json={"filter": {}, **asked})
    assert answer.status_code == 422
    assert said in answer.text


def test_a_log_with_too_much_in_it_is_not_counted(
    ask: httpx2.Client, runs: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.server.events.counting.MOST_NAMED", 2)
    monkeypatch.setattr("headrace.server.events.counting.STRETCH", 1)
    monkeypatch.setattr("headrace.server.events.history.STRETCH", 1)
    answer = ask.post("/api/events/count-by/event", json={"filter": {}})
    assert answer.status_code == 422
    assert "narrow occurred.since" in answer.json()["detail"]


def test_a_filter_that_hardly_chooses_gets_short_pages(
    ask: httpx2.Client, runs: list[UUID], execution: OrchestratedExecution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.server.events.history.STRETCH", 1)
    monkeypatch.setattr("headrace.server.events.history.LOOKED_AT", 2)
    assert len(execution.read_events(Cursor(), 500).events) == 9
    pages = read_pages(ask, {"event": {"name": ["prefect.flow-run.Pending"]}})
    assert names(pages) == ["Pending"] * 3
    assert len(pages) > 3
    assert min(len(page["events"]) for page in pages) == 0
