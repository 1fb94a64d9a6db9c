"""Serving in this process: what is registered, what rests afterwards, and what is refused. Runs are not executed here."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from headrace import aserve, serve
from headrace.base.errors import UsageError
from headrace.schedules import Cron
from headrace.schema.state import StateType
from headrace.workers import serving
from headrace.workers.charge import Charge
from headrace.workers.worker import Worker
from tests.unit.deployments.conftest import Bench


class NoInfrastructure:
    """Says what it was asked to launch, and launches nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def warm_up(self) -> None: ...

    def launch(self, charge: Charge, ended: Callable[..., None]) -> Any:
        raise AssertionError("nothing is due here")

    def close(self) -> None: ...


class Serving:
    """A service on a thread, and how to stop it as a signal would."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.worker: Worker | None = None

    def stop(self) -> None:
        self.begun.wait()
        assert self.worker
        self.worker.stop()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Tells when what is served has begun to be served."""
    told = Serving()
    run = Worker.run

    def tell(worker: Worker) -> None:
        told.worker = worker
        told.begun.set()
        run(worker)

    monkeypatch.setattr(serving, "ProcessInfrastructure", NoInfrastructure)
    monkeypatch.setattr(Worker, "run", tell)
    return told


def serve_until(look: Callable[[], None], service: Serving, function: Callable[[], None]) -> None:
    """Serve on a thread, look at what there is meanwhile, and stop."""
    thread = threading.Thread(target=function)
    thread.start()
    service.begun.wait()
    try:
        look()
    finally:
        service.stop()
        thread.join()


def test_what_is_served_has_no_pool_and_its_scheduled_runs_are_made_here(bench: Bench, service: Serving) -> None:
    bench.etl.deploy("daily", print_next_steps=False)

    def look() -> None:
        deployment = bench.read("etl/daily")
        assert (deployment.work_pool_name, deployment.entrypoint) == (None, "flows_of_bench.py:etl")
        assert (deployment.concurrency_limit, deployment.paused) == (2, False)
        while not bench.administration.count_flow_runs():  # the scheduler looks as soon as it has started
            threading.Event().wait(0.01)
        (run, *_) = bench.administration.list_flow_runs()
        assert (run.state_type, run.auto_scheduled) == (StateType.SCHEDULED, True)

    serve_until(look, service, lambda: bench.etl.serve("daily", cron="0 6 1 1 *", global_limit=2))
    assert bench.read("etl/daily").paused
    assert not bench.administration.count_flow_runs()


def test_who_says_so_leaves_schedules_as_they_are(bench: Bench, service: Serving) -> None:
    serve_until(lambda: None, service, lambda: bench.etl.serve(cron="0 6 1 1 *", pause_on_shutdown=False, limit=3))
    assert not bench.read("etl/etl").paused


def test_only_schedules_rest_and_they_go_on_when_served_anew(bench: Bench, service: Serving) -> None:
    plain = bench.etl.to_deployment("plain")
    timed = bench.needy.to_deployment("timed", schedule=Cron("0 6 1 1 *", parameters={"rows": 1}))
    gone = bench.etl.to_deployment("gone", cron="0 6 1 1 *")
    resting = bench.etl.to_deployment("resting", cron="0 6 1 1 *", paused=True)

    def look() -> None:
        assert [bench.read(f"etl/{name}").paused for name in ("plain", "gone", "resting")] == [False, False, True]
        bench.administration.delete_deployment(bench.read("etl/gone").id)

    serve_until(look, service, lambda: serve(plain, timed, gone, resting))
    assert (bench.read("etl/plain").paused, bench.read("needy/timed").paused) == (False, True)
    service.begun.clear()
    serve_until(lambda: None, service, lambda: bench.needy.serve("timed", pause_on_shutdown=False))
    assert not bench.read("needy/timed").paused


def test_it_says_what_it_serves(bench: Bench, service: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    first = bench.etl.to_deployment("a b", cron="0 6 1 1 *", paused=True)
    second = bench.needy.to_deployment("c", cron="0 6 1 1 *")
    serve_until(lambda: None, service, lambda: serve(first, second))
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "Serving",
        "  etl/a b  (paused)",
        "  needy/c",
        "",
        "Ctrl-C stops it. From elsewhere, this starts a run:",
        "  headrace deployment run 'etl/a b'",
        "  headrace deployment run needy/c",
        "",
    ]
    assert "Warning: Scheduled runs of 'c' will lack parameters that the flow needs: rows." in said.err
    service.begun.clear()
    serve_until(lambda: None, service, lambda: serve(first, print_starting_message=False))
    assert capsys.readouterr().out == ""


def test_who_stops_before_it_has_begun_stops_it(bench: Bench, service: Serving) -> None:
    from headrace.deployments.making import refusal
    from headrace.projects.blueprints import draw_plan

    plan = draw_plan(bench.etl.to_deployment("x"), None, refusal("x"))
    served = serving.Service([plan], None, True, os.environ)
    served.stop()
    served.run(lambda _: None)
    assert bench.read("etl/x").name == "x"


def test_async_code_serves_until_it_is_cancelled(bench: Bench, service: Serving) -> None:
    async def work() -> None:
        task = asyncio.ensure_future(aserve(bench.etl.to_deployment("daily", cron="0 6 1 1 *")))
        await asyncio.to_thread(service.begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert bench.read("etl/daily").paused


def test_what_fails_in_async_code_is_raised(bench: Bench, monkeypatch: pytest.MonkeyPatch, service: Serving) -> None:
    def refuse(*_: object) -> None:
        raise UsageError("not today")

    monkeypatch.setattr(NoInfrastructure, "warm_up", refuse)
    with pytest.raises(UsageError, match="not today"):
        asyncio.run(aserve(bench.etl.to_deployment("daily")))


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda _: serve(), "serve is given deployments: serve(my_flow.to_deployment('name'), …)."),
    (lambda b: serve(b.etl), "serve is given what flow.to_deployment returns, not <Flow 'etl'>."),
    (lambda b: b.etl.serve(limit=0), "limit is how many runs are executed at once, at least 1, not 0."),
    (lambda b: b.etl.serve(limit="many"), "limit is how many runs are executed at once, at least 1, not 'many'."),
    (lambda b: b.etl.serve("a/b"), "Deployment 'a/b': a deployment cannot be called 'a/b'"),
    (lambda b: b.etl.serve(parameters={"row": 1}), "Deployment 'etl': flow 'etl' has no parameter 'row'"),
    (lambda b: serve(*[b.etl.to_deployment("x")] * 2), "Two deployments would be etl/x"),
]


@pytest.mark.parametrize(
    ("call", "says"),
    REFUSED,
)
def test_what_cannot_be_served_is_said_in_one_line(call: Callable[[Any], Any], says: str, bench: Bench) -> None:
    with pytest.raises(UsageError) as refused:
        call(bench)
    assert str(refused.value).startswith(says)
    assert bench.is_empty()


def test_a_running_loop_is_not_blocked(bench: Bench) -> None:
    async def work() -> None:
        bench.etl.serve()

    with pytest.raises(UsageError, match="serve would block the event loop that runs here: write `await aserve"):
        asyncio.run(work())
