"""What whoever watches a server reads."""

from collections.abc import Callable
from typing import NoReturn

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from headrace.base.clock import FrozenClock
from headrace.base.errors import Unavailable
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.desk import Desk
from headrace.orchestration.execution import OrchestratedExecution
from headrace.orchestration.loops.lateness import Lateness
from headrace.orchestration.loops.runner import Runner
from headrace.orchestration.measures import Measures, measure
from headrace.schema.state import StateType
from headrace.schema.work_pool import WorkerBeat, WorkPoolCreate
from headrace.server.metrics import Metrics
from headrace.storage.databases import open_database
from tests.conformance.scenes import Stage

Samples = dict[tuple[str, ...], float]


def read(metrics: Metrics) -> Samples:
    """The samples by name and labels, but for those of the process."""
    content, kind = metrics.write()
    assert kind.startswith("text/plain")
    return read_text(content.decode())


def read_text(text: str) -> Samples:
    return {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "process")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_the_database_holds_is_counted(database_url: str) -> None:
    clock = FrozenClock()
    with open_database(database_url) as database:
        execution = OrchestratedExecution(database, clock=clock)
        stage, administration = Stage(execution, clock), OrchestratedAdministration(database, clock=clock)
        administration.create_work_pool(WorkPoolCreate(name="pool"))
        execution.beat_worker(WorkerBeat(work_pool_name="pool", name="old"))
        stage.running()
        stage.ended()
        stage.ended(StateType.FAILED)
        clock.advance(3601)
        execution.beat_worker(WorkerBeat(work_pool_name="pool", name="new"))
        stage.ended()
        stage.scheduled(0, work_pool_name="pool")
        stage.scheduled(10)
        stage.scheduled(9000)
        clock.advance(30)
        loop = Lateness(database, clock)
        runner = Runner(database, [loop], "here", clock)
        runner.attend()
        loop.look()
        clock.advance(7)
        loop.look()
        runner.attend()
        told = read(Metrics("1.0", database.dialect, lambda: measure(Desk(database, clock=clock))))
    assert told["headrace_info", database.dialect, "1.0"] == 1
    assert told["headrace_database_up",] == 1
    assert told["headrace_database_size_bytes",] > 10_000
    assert {key[1]: value for key, value in told.items() if key[0] == "headrace_flow_runs"} == {
        "SCHEDULED": 3,
        "RUNNING": 1,
    }
    assert {key[1]: value for key, value in told.items() if key[0] == "headrace_flow_runs_ended"} == {"COMPLETED": 1}
    assert {key[1:]: value for key, value in told.items() if key[0] == "headrace_queue_depth"} == {
        ("", ""): 1,
        ("pool", "default"): 1,
    }
    assert told["headrace_queue_wait_seconds", "pool", "default"] == 37
    assert told["headrace_workers", "online", "pool"] == told["headrace_workers", "offline", "pool"] == 1
    assert told["headrace_loop_lag_seconds", "lateness"] == 2
    assert told["headrace_loop_failing", "lateness"] == 0
    assert told["headrace_loop_done", "lateness"] == 2


def test_requests_are_counted_by_their_routes(ask: httpx2.Client) -> None:
    before = read_text(ask.get("/api/metrics").text)
    for name in ("a", "b"):
        ask.get(f"/api/flows/name/{name}")
    ask.get("/api/health")
    told = read_text(ask.get("/api/metrics").text)
    routes = [key for key in told if key[0] == "headrace_requests_total" and told[key] - before.get(key, 0) == 2]
    assert [(key[1], key[3]) for key in routes] == [("GET", "404")]
    assert routes[0][2].startswith("/api/flows/name/{")
    assert not any("name/a" in part for key in told for part in key)
    route = routes[0][2]
    assert told["headrace_request_seconds_bucket", "+Inf", route] == told["headrace_request_seconds_count", route] >= 2


def test_a_database_that_is_away_is_told_of() -> None:
    def fail() -> NoReturn:
        raise Unavailable("nothing answers")

    metrics = Metrics("1.0", "sqlite", fail)
    metrics.requests.note("GET", None, 403, 0.3)
    metrics.requests.note("GET", None, 403, 99)
    told = read(metrics)
    assert told["headrace_database_up",] == 0
    assert told["headrace_requests_total", "GET", "none", "403"] == 2
    assert told["headrace_request_seconds_bucket", "0.25", "none"] == 0
    assert told["headrace_request_seconds_bucket", "0.5", "none"] == 1
    assert told["headrace_request_seconds_sum", "none"] == 99.3
    assert not [key for key in told if key[0] == "headrace_flow_runs"]


def test_a_scraper_gets_the_form_it_asks_for() -> None:
    measures: Callable[[], Measures] | None = None
    content, kind = Metrics("1.0", "sqlite", measures).write("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert content.endswith(b"# EOF\n")


def test_metrics_are_not_for_anybody(serve: Callable[..., httpx2.Client]) -> None:
    client = serve("secret")
    assert client.get("/api/metrics").status_code == 401
    assert client.get("/api/metrics", headers={"authorization": "Bearer secret"}).status_code == 200
