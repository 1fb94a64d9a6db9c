"""Requests in the order and the form in which the contract's clients make them, and what they read from the answers."""

import base64
import csv
import io
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from headrace.base.ids import uuid7
from tests.unit.server.conftest import Asker

NO_ID = "00000000-0000-7000-8000-000000000009"
ALL = {"flows": None, "flow_runs": None, "task_runs": None, "deployments": None, "work_pools": None}
"""What clients send along with every list."""


@pytest.fixture
def flow(ask: httpx2.Client) -> dict[str, Any]:
    return ask.post("/api/flows/", json={"name": "etl", "tags": [], "labels": {"team": "x"}}).json()


@pytest.fixture
def run(ask: httpx2.Client, flow: dict[str, Any]) -> dict[str, Any]:
    return make_run(ask, flow)


def make_run(ask: httpx2.Client, flow: dict[str, Any], **what: Any) -> dict[str, Any]:
    body = {"flow_id": flow["id"], "state": {"type": "PENDING"}, "parameters": {"x": 1}, "context": {}, "tags": ["a"]}
    answer = ask.post("/api/flow_runs/", json=body | what)
    assert answer.status_code == 201, answer.text
    return answer.json()


def set_state(
    ask: httpx2.Client, run: dict[str, Any], type_: str, force: bool = False, **state: Any
) -> httpx2.Response:
    return ask.post(f"/api/flow_runs/{run['id']}/set_state", json={"state": {"type": type_, **state}, "force": force})


def make_task_run(ask: httpx2.Client, run: dict[str, Any], key: str = "t", **what: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "flow_run_id": run["id"],
        "task_key": key,
        "dynamic_key": "0",
        "name": f"{key}-0",
        "tags": [],
    }
    answer = ask.post("/api/task_runs/", json=body | what)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


# what every client asks first


def test_versions_are_json_strings(ask: httpx2.Client) -> None:
    assert ask.get("/api/admin/version").json() == "3.9.1"
    assert ask.get("/api/version").json() == "0.8.4"
    assert ask.get("/api/server").json()["product"] == "headrace"


def test_no_token_is_needed_against_forged_requests(ask: httpx2.Client) -> None:
    answer = ask.get("/api/csrf-token", params={"client": str(uuid4())})
    assert answer.status_code == 422
    assert "CSRF protection is disabled." in answer.json()["detail"]


def test_results_have_no_default_storage(ask: httpx2.Client) -> None:
    assert ask.get("/api/admin/storage").json() == {"default_result_storage_block_id": None}
    assert ask.put("/api/admin/storage", json={"default_result_storage_block_id": NO_ID}).status_code == 404
    assert ask.put("/api/admin/storage", json={"default_result_storage_block_id": None}).status_code == 200
    assert ask.delete("/api/admin/storage").status_code == 204


def test_the_server_is_alive_and_ready(ask: httpx2.Client) -> None:
    assert ask.get("/api/health").json() is True
    assert ask.get("/api/ready").status_code == 200


def test_the_page_learns_whether_a_key_is_needed(ask: httpx2.Client, serve: Asker) -> None:
    assert ask.get("/ui-settings").json()["auth"] is None
    assert serve("secret").get("/ui-settings").json()["auth"] == "BASIC"


def test_settings_hide_what_is_secret(serve: Asker) -> None:
    header = base64.b64encode(b"a:b").decode()
    answer = serve("a:b").get("/api/admin/settings", headers={"Authorization": f"Basic {header}"})
    assert answer.status_code == 200
    assert "a:b" not in answer.text


# flows


def test_a_flow_is_made_once(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    again = ask.post("/api/flows/", json={"name": "etl"})
    assert (again.status_code, again.json()["id"]) == (200, flow["id"])
    assert ask.post("/api/flows", json={"name": "new"}).status_code == 201


def test_a_flow_is_found_changed_and_deleted(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    path = f"/api/flows/{flow['id']}"
    assert ask.get(path).json() == flow
    assert ask.get("/api/flows/name/etl").json() == flow
    assert ask.patch(path, json={"tags": ["hot"]}).status_code == 204
    assert ask.get(path).json()["tags"] == ["hot"]
    assert ask.delete(path).status_code == 204
    assert ask.get(path).status_code == 404
    assert ask.delete(path).status_code == 404


def test_flows_are_listed_counted_and_paged(ask: httpx2.Client) -> None:
    for name in "abc":
        ask.post("/api/flows/", json={"name": name})
    listed = ask.post("/api/flows/filter", json={**ALL, "sort": "NAME_DESC", "limit": 2, "offset": 0}).json()
    assert [flow["name"] for flow in listed] == ["c", "b"]
    assert ask.post("/api/flows/count", json={"flows": {"name": {"any_": ["a"]}}}).json() == 1
    page = ask.post("/api/flows/paginate", json={"page": 2, "limit": 2}).json()
    assert {name: page[name] for name in ("count", "limit", "page", "pages")} == {
        "count": 3,
        "limit": 2,
        "page": 2,
        "pages": 2,
    }
    assert [flow["name"] for flow in page["results"]] == ["c"]
    deleted = ask.post("/api/flows/bulk_delete", json={"flows": {"name": {"any_": ["a", "b"]}}}).json()["deleted"]
    assert len(deleted) == 2
    assert ask.post("/api/flows/count").json() == 1


# flow runs and their states


def test_a_run_lives_its_life(ask: httpx2.Client, run: dict[str, Any]) -> None:
    answer = set_state(ask, run, "RUNNING")
    assert answer.status_code == 201
    assert answer.json()["status"] == "ACCEPT"
    assert answer.json()["details"] == {"type": "accept_details"}
    assert ask.get(f"/api/flow_runs/{run['id']}").json()["run_count"] == 1
    assert set_state(ask, run, "COMPLETED").json()["state"]["type"] == "COMPLETED"
    late = set_state(ask, run, "RUNNING")
    assert (late.status_code, late.json()["status"]) == (200, "REJECT")
    assert late.json()["details"]["type"] == "reject_details"
    states = ask.get("/api/flow_run_states/", params={"flow_run_id": run["id"]}).json()
    assert [state["type"] for state in states] == ["PENDING", "RUNNING", "COMPLETED"]
    assert ask.get(f"/api/flow_run_states/{states[1]['id']}").json() == states[1]
    assert ask.get(f"/api/flow_run_states/{NO_ID}").status_code == 404


def test_a_run_has_what_clients_need(ask: httpx2.Client, run: dict[str, Any], flow: dict[str, Any]) -> None:
    assert run["flow_id"] == flow["id"]
    assert run["name"]
    assert "work_pool_id" in run
    assert run["labels"]["prefect.flow.id"] == flow["id"]
    assert (run["state_type"], run["state"]["type"]) == ("PENDING", "PENDING")
    assert run["total_run_time"] == 0.0


def test_too_early_means_wait(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2999-01-01T00:00:00Z"}}
    run = make_run(ask, flow, state=later)
    answer = set_state(ask, run, "RUNNING").json()
    assert answer["status"] == "WAIT"
    assert isinstance(answer["details"]["delay_seconds"], int)


def test_a_second_claim_is_aborted(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    run = make_run(ask, flow, state={"type": "SCHEDULED"})
    assert set_state(ask, run, "PENDING").json()["status"] == "ACCEPT"
    assert set_state(ask, run, "PENDING", name="Submitting").json()["status"] == "ACCEPT"
    assert set_state(ask, run, "PENDING", name="Submitting").json()["status"] == "ABORT"


def test_cancelling_what_nobody_runs_cancels_it(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    run = make_run(ask, flow, state={"type": "SCHEDULED"})
    answer = set_state(ask, run, "CANCELLING")
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["state"]["type"]) == ("REJECT", "CANCELLED")


def test_a_transition_asked_twice_is_made_once(ask: httpx2.Client, run: dict[str, Any]) -> None:
    details = {"transition_id": str(uuid4())}
    assert set_state(ask, run, "RUNNING", state_details=details).status_code == 201
    again = set_state(ask, run, "RUNNING", state_details=details)
    assert (again.status_code, again.json()["status"]) == (200, "REJECT")


def test_a_paused_run_goes_on(ask: httpx2.Client, run: dict[str, Any]) -> None:
    assert ask.post(f"/api/flow_runs/{run['id']}/resume").json()["status"] == "ABORT"
    set_state(ask, run, "RUNNING")
    set_state(ask, run, "PAUSED", state_details={"pause_key": "1", "pause_reschedule": False})
    refused = ask.post(f"/api/flow_runs/{run['id']}/resume", json={"run_input": {"x": 1}}).json()
    assert refused["status"] == "ABORT"
    answer = ask.post(f"/api/flow_runs/{run['id']}/resume", json={"run_input": None})
    assert (answer.status_code, answer.json()["state"]["type"]) == (201, "RUNNING")


def test_a_paused_run_asks_for_input(ask: httpx2.Client, run: dict[str, Any]) -> None:
    path = f"/api/flow_runs/{run['id']}"
    keys = {"schema": "paused-1-schema", "response": "paused-1-response"}
    set_state(ask, run, "RUNNING")
    set_state(ask, run, "PAUSED", state_details={"pause_key": "1", "run_input_keyset": keys})
    schema = '{"type": "object", "properties": {"value": {"type": "integer"}}}'
    asked = {"key": "paused-1-schema", "value": schema, "sender": None}
    assert [ask.post(f"{path}/input", json=asked).status_code for _ in range(2)] == [201, 409]
    refused = ask.post(f"{path}/resume", json={"run_input": {"value": "seven"}})
    assert (refused.status_code, refused.json()["status"]) == (200, "REJECT")
    assert ask.post(f"{path}/resume", json={"run_input": {"value": 7}}).json()["state"]["type"] == "RUNNING"
    given = ask.get(f"{path}/input/paused-1-response")
    assert (given.status_code, given.text) == (200, '{"value":7}')
    assert given.headers["content-type"].startswith("text/plain")
    found = ask.post(f"{path}/input/filter", json={"prefix": "paused-", "limit": 5, "exclude_keys": [asked["key"]]})
    assert [each["key"] for each in found.json()] == ["paused-1-response"]
    assert ask.delete(f"{path}/input/paused-1-response").status_code == 204
    assert ask.get(f"{path}/input/paused-1-response").status_code == 404


def test_a_run_is_changed(ask: httpx2.Client, run: dict[str, Any]) -> None:
    path = f"/api/flow_runs/{run['id']}"
    update = {"infrastructure_pid": "12", "flow_version": "2", "empirical_policy": {"retries": 1}, "tags": ["b"]}
    assert ask.patch(path, json=update).status_code == 204
    assert ask.patch(f"{path}/labels", json={"who": "me", "n": 3}).status_code == 204
    changed = ask.get(path).json()
    assert (changed["infrastructure_pid"], changed["flow_version"], changed["tags"]) == ("12", "2", ["b"])
    assert (changed["labels"]["who"], changed["labels"]["n"]) == ("me", 3)
    assert ask.patch(f"/api/flow_runs/{NO_ID}", json=update).status_code == 404
    assert ask.patch(f"/api/flow_runs/{NO_ID}/labels", json={}).status_code == 404


def test_an_idempotency_key_makes_one_run(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    one = make_run(ask, flow, idempotency_key="k")
    answer = ask.post("/api/flow_runs/", json={"flow_id": flow["id"], "idempotency_key": "k"})
    assert (answer.status_code, answer.json()["id"]) == (200, one["id"])


def test_runs_are_chosen_by_every_filter_clients_send(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    one, two = make_run(ask, flow, name="one"), make_run(ask, flow, name="two", tags=["b"])
    set_state(ask, two, "RUNNING")

    def names(**filters: Any) -> list[str]:
        listed = ask.post("/api/flow_runs/filter", json={**ALL, "sort": "NAME_ASC", "limit": 200, **filters})
        assert listed.status_code == 200, listed.text
        return [run["name"] for run in listed.json()]

    assert names() == ["one", "two"]
    assert names(flow_runs={"id": {"any_": [one["id"]]}}) == ["one"]
    assert names(flow_runs={"state": {"type": {"any_": ["RUNNING"]}, "operator": "and_"}}) == ["two"]
    assert names(flow_runs={"state": {"name": {"not_any_": ["Running"]}}}) == ["one"]
    assert names(flow_runs={"tags": {"all_": ["b"]}}) == ["two"]
    assert names(flow_runs={"name": {"like_": "O"}}) == ["one", "two"]
    assert names(flow_runs={"start_time": {"is_null_": True}}) == ["one"]
    assert names(flow_runs={"parent_task_run_id": {"any_": [NO_ID]}}) == []
    assert names(flow_runs={"operator": "or_", "name": {"any_": ["one"]}, "tags": {"any_": ["b"]}}) == ["one", "two"]
    assert names(flows={"id": {"any_": [flow["id"]]}}, deployments={}) == ["one", "two"]
    assert names(deployments={"id": {"any_": [NO_ID]}}) == []
    assert names(work_pools={"name": {"any_": ["p"]}}) == []
    assert names(work_pool_queues={"name": {"any_": ["q"]}}) == []
    assert ask.post("/api/flow_runs/count", json=ALL).json() == 2
    page = ask.post("/api/flow_runs/paginate", json={"page": 1, "limit": 1, "sort": "NAME_DESC"}).json()
    assert ([run["name"] for run in page["results"]], page["pages"]) == (["two"], 2)


def test_history_and_lateness(ask: httpx2.Client, run: dict[str, Any]) -> None:
    set_state(ask, run, "RUNNING")
    window = {
        "history_start": "2000-01-01T00:00:00Z",
        "history_end": "2100-01-01T00:00:00Z",
        "history_interval_seconds": 2e8,
    }
    intervals = ask.post("/api/flow_runs/history", json=window).json()
    (counted,) = [state for interval in intervals for state in interval["states"]]
    assert (counted["state_type"], counted["count_runs"]) == ("RUNNING", 1)
    assert ask.post("/api/flow_runs/lateness", json=ALL).json() >= 0
    assert ask.post("/api/flow_runs/lateness", json={"flow_runs": {"id": {"any_": [NO_ID]}}}).json() is None
    too_many = {**window, "history_interval_seconds": 1}
    assert ask.post("/api/flow_runs/history", json=too_many).status_code == 422


def test_many_runs_at_once(ask: httpx2.Client, flow: dict[str, Any]) -> None:
    runs = [make_run(ask, flow) for _ in range(3)]
    chosen = {"flow_runs": {"id": {"any_": [run["id"] for run in runs[:2]]}}}
    answer = ask.post("/api/flow_runs/bulk_set_state", json={**chosen, "state": {"type": "RUNNING"}})
    assert {(each["status"], each["state"]["type"]) for each in answer.json()["results"]} == {("ACCEPT", "RUNNING")}
    assert {each["flow_run_id"] for each in answer.json()["results"]} == {run["id"] for run in runs[:2]}
    deleted = ask.post("/api/flow_runs/bulk_delete", json=chosen).json()["deleted"]
    assert {*deleted} == {run["id"] for run in runs[:2]}
    assert ask.delete(f"/api/flow_runs/{runs[2]['id']}").status_code == 204
    assert ask.post("/api/flow_runs/count").json() == 0
    assert ask.post("/api/flow_runs/bulk_delete", json={"limit": 51}).status_code == 422


# task runs


def test_a_placeholder_of_a_subflow_mirrors_its_run(
    ask: httpx2.Client, flow: dict[str, Any], run: dict[str, Any]
) -> None:
    task_run = make_task_run(ask, run, task_inputs={"x": [{"input_type": "constant", "type": "int"}]})
    assert make_task_run(ask, run)["id"] == task_run["id"]
    child = make_run(ask, flow, parent_task_run_id=task_run["id"])
    set_state(ask, child, "RUNNING")
    mirrored = ask.get(f"/api/task_runs/{task_run['id']}").json()
    assert mirrored["state_type"] == "RUNNING"
    assert mirrored["state"]["state_details"]["child_flow_run_id"] == child["id"]
    graph = ask.get(f"/api/flow_runs/{run['id']}/graph-v2").json()
    ((node_id, node),) = graph["nodes"]
    assert (node_id, node["kind"], graph["root_node_ids"]) == (child["id"], "flow-run", [child["id"]])


def test_a_task_run_of_its_own_is_led_through_its_states(ask: httpx2.Client) -> None:
    state = {"type": "SCHEDULED", "state_details": {"deferred": True}}
    body: dict[str, Any] = {"task_key": "t", "dynamic_key": "0", "id": str(uuid7()), "state": state}
    made = ask.post("/api/task_runs/", json=body)
    assert (made.status_code, made.json()["id"]) == (201, body["id"])
    assert ask.post("/api/task_runs/", json=body).status_code == 200
    path = f"/api/task_runs/{body['id']}/set_state"
    assert ask.post(path, json={"state": {"type": "RUNNING"}}).json()["status"] == "ACCEPT"
    assert ask.post(path, json={"state": {"type": "COMPLETED"}}).status_code == 201
    late = ask.post(path, json={"state": {"type": "RUNNING"}})
    assert (late.status_code, late.json()["status"]) == (200, "REJECT")
    assert ask.post(path, json={"state": {"type": "RUNNING"}, "force": True}).json()["status"] == "ACCEPT"
    run = ask.get(f"/api/task_runs/{body['id']}").json()
    assert run["run_count"] >= 1
    states = ask.get("/api/task_run_states/", params={"task_run_id": body["id"]}).json()
    assert [state["type"] for state in states] == ["SCHEDULED", "RUNNING", "COMPLETED", "RUNNING"]
    assert ask.get(f"/api/task_run_states/{states[0]['id']}").json()["type"] == "SCHEDULED"


def test_task_runs_are_listed_counted_changed_and_deleted(ask: httpx2.Client, run: dict[str, Any]) -> None:
    one, two = make_task_run(ask, run, "a"), make_task_run(ask, run, "b")
    wanted = {"task_runs": {"flow_run_id": {"any_": [run["id"]], "is_null_": False}}, "sort": "NAME_ASC"}
    assert [each["name"] for each in ask.post("/api/task_runs/filter", json=wanted).json()] == ["a-0", "b-0"]
    assert ask.post("/api/task_runs/count", json={"flow_runs": {"id": {"any_": [run["id"]]}}}).json() == 2
    assert ask.post("/api/task_runs/paginate", json={"limit": 1}).json()["pages"] == 2
    assert ask.patch(f"/api/task_runs/{one['id']}", json={"name": "renamed"}).status_code == 204
    assert ask.get(f"/api/task_runs/{one['id']}").json()["name"] == "renamed"
    assert ask.delete(f"/api/task_runs/{two['id']}").status_code == 204
    assert ask.get(f"/api/task_runs/{two['id']}").status_code == 404
    counts = ask.post("/api/ui/flow_runs/count-task-runs", json={"flow_run_ids": [run["id"], NO_ID]}).json()
    assert counts == {run["id"]: 1, NO_ID: 0}


def test_charts(ask: httpx2.Client, run: dict[str, Any]) -> None:
    task_run = make_task_run(ask, run)
    counts = ask.post("/api/ui/task_runs/count", json=ALL).json()
    assert (counts["PENDING"], counts["COMPLETED"], len(counts)) == (1, 0, 9)
    window = {"task_runs": {"start_time": {"after_": "2020-01-01T00:00:00Z"}}}
    assert len(ask.post("/api/ui/task_runs/dashboard/counts", json=window).json()) == 20
    assert ask.post("/api/ui/task_runs/dashboard/counts", json={"task_runs": {}}).status_code == 422
    spans = ask.post("/api/ui/flow_runs/history", json={**ALL, "limit": 1000, "offset": 0}).json()
    assert [(span["id"], span["state_type"]) for span in spans] == [(run["id"], "PENDING")]
    assert ask.get(f"/api/ui/task_runs/{task_run['id']}").json()["flow_run_name"] == run["name"]
    assert ask.get(f"/api/ui/task_runs/{NO_ID}").status_code == 404


def test_the_graph_has_an_older_form(ask: httpx2.Client, run: dict[str, Any]) -> None:
    first = make_task_run(ask, run, "a")
    second = make_task_run(ask, run, "b", task_inputs={"x": [{"input_type": "task_run", "id": first["id"]}]})
    graph = {each["id"]: each for each in ask.get(f"/api/flow_runs/{run['id']}/graph").json()}
    assert [each["id"] for each in graph[second["id"]]["upstream_dependencies"]] == [first["id"]]
    nodes = dict(ask.get(f"/api/flow_runs/{run['id']}/graph-v2").json()["nodes"])
    assert nodes[second["id"]]["parents"] == [{"id": first["id"]}]
    assert nodes[first["id"]]["children"] == [{"id": second["id"]}]
    assert ask.get(f"/api/flow_runs/{NO_ID}/graph-v2").status_code == 404


# what runs leave


def test_logs_come_as_a_bare_array(ask: httpx2.Client, run: dict[str, Any]) -> None:
    def line(message: str, level: int = 20) -> dict[str, Any]:
        time = f"2026-11-22 20:54:4{level // 10}+00:00"
        return {"name": "flow", "level": level, "message": message, "timestamp": time, "flow_run_id": run["id"]}

    answer = ask.post("/api/logs/", json=[line("hello"), line("=SUM(A1)", 30), line('two\nlines, "quoted"', 40)])
    assert (answer.status_code, answer.json()) == (201, None)
    wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}, "level": {"ge_": 30}}, "sort": "TIMESTAMP_ASC"}
    assert [each["level"] for each in ask.post("/api/logs/filter", json=wanted).json()] == [30, 40]
    file = ask.get(f"/api/flow_runs/{run['id']}/logs/download")
    assert file.headers["content-disposition"] == f'attachment; filename="{run["name"]}-logs.csv"'
    rows = [*csv.reader(io.StringIO(file.text))]
    assert [row[-1] for row in rows] == ["message", "hello", "'=SUM(A1)", 'two\nlines, "quoted"']
    assert ask.get(f"/api/flow_runs/{NO_ID}/logs/download").status_code == 404


def test_artifacts_have_versions(ask: httpx2.Client, run: dict[str, Any]) -> None:
    def make(data: Any, **what: Any) -> dict[str, Any]:
        body = {"key": "report", "type": "markdown", "description": "d", "data": data, "flow_run_id": run["id"]}
        answer = ask.post("/api/artifacts/", json=body | what)
        assert answer.status_code == 201
        return answer.json()

    first, second = make("# one"), make("# two")
    make([{"a": 1}], key=None, type="table")
    assert ask.get("/api/artifacts/report/latest").json()["id"] == second["id"]
    assert ask.get("/api/artifacts/none/latest").status_code == 404
    assert ask.post("/api/artifacts/count", json={"flow_runs": {"id": {"any_": [run["id"]]}}}).json() == 3
    listed = ask.post(
        "/api/artifacts/filter", json={"artifacts": {"key": {"any_": ["report"]}}, "sort": "CREATED_DESC"}
    ).json()
    assert [each["data"] for each in listed] == ["# two", "# one"]
    (latest,) = ask.post("/api/artifacts/latest/filter", json={"artifacts": {"type": {"any_": ["markdown"]}}}).json()
    assert latest["latest_id"] == second["id"]
    assert ask.post("/api/artifacts/latest/count").json() == 1
    assert ask.patch(f"/api/artifacts/{first['id']}", json={"data": 0.5}).status_code == 204
    assert ask.get(f"/api/artifacts/{first['id']}").json()["data"] == 0.5
    assert ask.delete(f"/api/artifacts/{second['id']}").status_code == 204
    assert ask.get("/api/artifacts/report/latest").json()["id"] == first["id"]


def test_results_are_records(ask: httpx2.Client) -> None:
    assert ask.post("/api/results/filter").json() == []
    assert ask.get("/api/results/", params={"storage_key": "a/b"}).status_code == 404
    assert ask.delete("/api/results/", params={"storage_key": "a/b"}).status_code == 404


# concurrency


def make_limit(ask: httpx2.Client, name: str = "db", limit: int = 1, **what: Any) -> dict[str, Any]:
    answer = ask.post("/api/v2/concurrency_limits/", json={"name": name, "limit": limit, "active_slots": 0, **what})
    assert answer.status_code == 201, answer.text
    return answer.json()


def take(ask: httpx2.Client, *names: str, **what: Any) -> httpx2.Response:
    body = {"names": [*names], "slots": 1, "mode": "concurrency", "lease_duration": 300, **what}
    return ask.post("/api/v2/concurrency_limits/increment-with-lease", json=body)


def test_a_limit_is_found_by_name_and_by_id(ask: httpx2.Client) -> None:
    assert ask.get("/api/v2/concurrency_limits/db").status_code == 404
    limit = make_limit(ask)
    assert ask.get("/api/v2/concurrency_limits/db").json()["id"] == limit["id"]
    assert ask.get(f"/api/v2/concurrency_limits/{limit['id']}").json()["name"] == "db"
    assert ask.post("/api/v2/concurrency_limits/", json={"name": "db", "limit": 1}).status_code == 409
    assert ask.patch("/api/v2/concurrency_limits/db", json={"limit": 3, "name": None}).status_code == 204
    assert ask.get("/api/v2/concurrency_limits/db").json()["limit"] == 3
    assert [each["name"] for each in ask.post("/api/v2/concurrency_limits/filter", json={"limit": 9}).json()] == ["db"]
    assert ask.delete("/api/v2/concurrency_limits/db").status_code == 204


def test_a_full_limit_says_when_to_ask_again(ask: httpx2.Client) -> None:
    limit = make_limit(ask)
    taken = take(ask, "db", "free", holder={"type": "task_run", "id": NO_ID})
    assert taken.status_code == 200
    assert taken.json()["limits"] == [{"id": limit["id"], "name": "db", "limit": 1}]
    full = take(ask, "db")
    assert full.status_code == 423
    assert float(full.headers["retry-after"]) > 0
    lease = taken.json()["lease_id"]
    path = f"/api/v2/concurrency_limits/leases/{lease}/renew"
    assert ask.post(path, json={"lease_duration": 60}).status_code == 204
    assert ask.post("/api/v2/concurrency_limits/decrement-with-lease", json={"lease_id": lease}).status_code == 204
    assert ask.post(path).status_code == 410
    assert take(ask, "db").status_code == 200


def test_names_without_a_limit_are_free(ask: httpx2.Client) -> None:
    answer = take(ask, "tag:anything")
    assert answer.status_code == 200
    assert UUID(answer.json()["lease_id"])
    assert answer.json()["limits"] == []


def test_a_rate_needs_slots_that_fade(ask: httpx2.Client) -> None:
    make_limit(ask, "plain")
    make_limit(ask, "rate", 1, slot_decay_per_second=0.001)

    def increment(name: str) -> httpx2.Response:
        body = {"names": [name], "slots": 1, "mode": "rate_limit"}
        return ask.post("/api/v2/concurrency_limits/increment", json=body)

    assert increment("plain").status_code == 422
    assert increment("rate").json()[0]["name"] == "rate"
    assert increment("rate").status_code == 423


def test_slots_without_a_lease_are_given_back_by_name(ask: httpx2.Client) -> None:
    make_limit(ask, limit=2)
    body = {"names": ["db"], "slots": 1}
    assert ask.post("/api/v2/concurrency_limits/increment", json=body).status_code == 200
    assert ask.post("/api/v2/concurrency_limits/increment", json=body).status_code == 200
    assert ask.post("/api/v2/concurrency_limits/increment", json=body).status_code == 423
    assert ask.post("/api/v2/concurrency_limits/decrement", json={**body, "occupancy_seconds": 1.0}).status_code == 200
    assert ask.get("/api/v2/concurrency_limits/db").json()["active_slots"] == 1
    assert ask.post("/api/v2/concurrency_limits/increment", json={"names": [], "slots": 1}).status_code == 422


def test_a_limit_on_a_tag_is_the_same_limit_seen_from_another_side(ask: httpx2.Client) -> None:
    made = ask.post("/api/concurrency_limits/", json={"tag": "db", "concurrency_limit": 1})
    assert made.status_code == 201
    again = ask.post("/api/concurrency_limits/", json={"tag": "db", "concurrency_limit": 2})
    assert (again.status_code, again.json()["concurrency_limit"]) == (200, 2)
    assert ask.get("/api/v2/concurrency_limits/tag:db").json()["limit"] == 2
    task = str(uuid7())
    body = {"names": ["db", "other"], "task_run_id": task}
    assert [each["name"] for each in ask.post("/api/concurrency_limits/increment", json=body).json()] == ["tag:db"]
    assert ask.post("/api/concurrency_limits/increment", json=body).status_code == 200
    assert ask.get("/api/concurrency_limits/tag/db").json()["active_slots"] == [task]
    assert ask.get(f"/api/concurrency_limits/{made.json()['id']}").json()["tag"] == "db"
    assert ask.post("/api/concurrency_limits/decrement", json=body).status_code == 200
    (listed,) = ask.post("/api/concurrency_limits/filter").json()
    assert listed["active_slots"] == []
    ask.post("/api/concurrency_limits/increment", json=body)
    assert ask.post("/api/concurrency_limits/tag/db/reset", json={"slot_override": [task]}).status_code == 200
    assert ask.get("/api/concurrency_limits/tag/db").json()["active_slots"] == [task]
    assert ask.post("/api/concurrency_limits/tag/db/reset").status_code == 200
    assert ask.get("/api/concurrency_limits/tag/db").json()["active_slots"] == []
    assert ask.delete("/api/concurrency_limits/tag/db").status_code == 200
    assert ask.get("/api/concurrency_limits/tag/db").status_code == 404
    other = make_limit(ask, "plain")
    assert ask.get(f"/api/concurrency_limits/{other['id']}").status_code == 404
    assert ask.delete(f"/api/concurrency_limits/{other['id']}").status_code == 404
    assert ask.get("/api/v2/concurrency_limits/plain").status_code == 200


# variables


def test_variables_as_clients_use_them(ask: httpx2.Client) -> None:
    missing = ask.get("/api/variables/name/rate")
    assert missing.status_code == 404
    made = ask.post("/api/variables/", json={"name": "rate", "value": {"a": 1}, "tags": ["x"]})
    assert made.status_code == 201
    variable = made.json()
    assert ask.get("/api/variables/name/rate").json() == variable
    assert ask.get(f"/api/variables/{variable['id']}").json() == variable
    assert ask.post("/api/variables/", json={"name": "rate", "value": 1}).status_code == 409
    assert ask.patch("/api/variables/name/rate", json={"value": 2, "tags": None}).status_code == 204
    assert ask.patch(f"/api/variables/{variable['id']}", json={"tags": []}).status_code == 204
    (listed,) = ask.post("/api/variables/filter", json={"variables": None, "sort": "NAME_ASC", "limit": 5}).json()
    assert (listed["value"], listed["tags"]) == (2, [])
    assert ask.post("/api/variables/count", json={"variables": {"tags": {"all_": ["x"]}}}).json() == 0
    assert ask.delete("/api/variables/name/rate").status_code == 204
    assert ask.delete("/api/variables/name/rate").status_code == 404
    assert ask.delete(f"/api/variables/{variable['id']}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [{"name": "x" * 256, "value": 1}, {"name": "", "value": 1}, {"name": "x"}, {"name": "x", "value": 1, "z": 1}],
)
def test_a_variable_that_cannot_be_is_refused(ask: httpx2.Client, body: dict[str, Any]) -> None:
    assert ask.post("/api/variables/", json=body).status_code == 422
