"""The worker's loop over a real database, with an infrastructure that does as it is told."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from headrace.base import clock, errors
from headrace.gateway.execution import Execution
from headrace.schema.orchestration import Proposal
from headrace.schema.run import FlowRunPolicy
from headrace.schema.state import StateCreate, StateDetails, StateType
from headrace.workers import worker as module
from headrace.workers.charge import Charge, Ending
from headrace.workers.worker import Worker, WorkerOptions
from tests.unit.workers.conftest import Pool

PATIENCE = 60


class Launch:
    """A run that was launched, which goes on until the test ends it."""

    def __init__(self, charge: Charge, ended: Callable[[Ending | None], None]) -> None:
        self.charge = charge
        self.told_to_end = threading.Event()
        self._ended = ended

    @property
    def id(self) -> UUID:
        return self.charge.claim.flow_run.id

    def end(self) -> None:
        self.told_to_end.set()

    def finish(self, ending: Ending | None = Ending(code=0, crashed=False)) -> None:  # noqa: B008 - a value
        self._ended(ending)


class Infrastructure:
    """Launches nothing, but says what it was asked to launch."""

    def __init__(self) -> None:
        self.launches: queue.SimpleQueue[Launch] = queue.SimpleQueue()
        self.faults: list[Exception] = []

    def launch(self, charge: Charge, ended: Callable[[Ending | None], None]) -> Launch:
        if self.faults:
            raise self.faults.pop()
        launch = Launch(charge, ended)
        self.launches.put(launch)
        return launch

    def next(self) -> Launch:
        return self.launches.get(timeout=PATIENCE)

    def close(self) -> None:
        pass


class Outages:
    """An execution whose verbs fail as often as they are told to."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self.left: dict[str, int] = {}
        self.failed = threading.Event()

    def __getattr__(self, verb: str) -> Any:
        if self.left.get(verb, 0) > 0:
            self.left[verb] -= 1
            self.failed.set()
            return self._fail
        return getattr(self._execution, verb)

    def _fail(self, *_: Any, **_more: Any) -> Any:
        raise errors.Unavailable("Nothing answers.")


class Service:
    """A worker at work on a thread."""

    def __init__(self, pool: Pool, /, **options: Any) -> None:
        self.infrastructure = Infrastructure()
        self.outages = Outages(pool.execution)
        leave = options.pop("leave", lambda: None)
        said: dict[str, Any] = {"pool": pool.name, "name": "w", **options}
        told = WorkerOptions(**said)
        execution = cast("Execution", self.outages)
        environ = {"HEADRACE_SERVER_API_KEY": "secret", "A": "1"}
        self.worker = Worker(told, execution, pool.administration, self.infrastructure, environ, leave)
        self.thread = threading.Thread(target=self.worker.run)

    def start(self) -> "Service":
        self.thread.start()
        return self

    def end(self) -> None:
        """Stop, with whatever is still under way."""
        self.worker.stop()
        while self.thread.is_alive():
            with suppress(queue.Empty):
                self.infrastructure.launches.get(timeout=0.05).finish()


@pytest.fixture
def serve(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    """Starts workers, which end with the test."""
    monkeypatch.setattr(module, "RECOVERY", 0.05)
    services: list[Service] = []
    pool.deploy(entrypoint="flows.py:etl", path="/srv")

    def start(**options: Any) -> Service:
        services.append(Service(pool, **options))
        return services[-1].start()

    yield start
    for service in services:
        if service.thread.is_alive():
            service.end()


def test_what_is_due_is_launched_and_what_comes_later_as_well(pool: Pool, serve: Callable[..., Service]) -> None:
    early = pool.run()
    service = serve()
    first = service.infrastructure.next()
    assert (first.id, pool.state(early.id)) == (early.id, StateType.PENDING)
    assert first.charge.environ == {"A": "1"}
    late = pool.run()
    second = service.infrastructure.next()
    assert second.id == late.id
    first.finish()
    second.finish()


def test_a_run_is_launched_when_it_is_due(pool: Pool, serve: Callable[..., Service]) -> None:
    soon = clock.now() + timedelta(seconds=0.5)
    state = StateCreate(type=StateType.SCHEDULED, state_details=StateDetails(scheduled_time=soon))
    run = pool.run(state=state)
    launch = serve().infrastructure.next()
    assert launch.id == run.id
    assert clock.now() >= soon
    launch.finish()


def test_no_more_runs_are_executed_than_may_be(pool: Pool, serve: Callable[..., Service]) -> None:
    runs = [pool.run() for _ in range(3)]
    service = serve(limit=2)
    first, second = service.infrastructure.next(), service.infrastructure.next()
    assert {first.id, second.id} == {runs[0].id, runs[1].id}
    first.finish()
    third = service.infrastructure.next()
    assert third.id == runs[2].id
    assert service.infrastructure.launches.empty()
    second.finish()
    third.finish()


def test_a_cancelled_run_is_told_to_end(pool: Pool, serve: Callable[..., Service]) -> None:
    run = pool.run()
    launch = serve().infrastructure.next()
    pool.enter(run.id, StateType.RUNNING, epoch=launch.charge.claim.epoch, presence=pool.execution.presence())
    pool.enter(run.id, StateType.CANCELLING)
    assert launch.told_to_end.wait(PATIENCE)
    launch.finish()


def test_a_run_may_be_resumed_before_the_end_of_its_last_attempt_is_heard_of(
    pool: Pool, serve: Callable[..., Service]
) -> None:
    run = pool.run(empirical_policy=FlowRunPolicy(on_crash="resume", max_resumes=1))
    service = serve()
    first = service.infrastructure.next()
    epoch = first.charge.claim.epoch
    pool.enter(run.id, StateType.RUNNING, epoch=epoch, presence=pool.execution.presence())
    assert pool.execution.end_attempt(run.id, epoch, "It was killed.")
    second = service.infrastructure.next()
    assert second.id == run.id
    assert second.charge.claim.epoch > epoch
    first.finish()
    pool.enter(run.id, StateType.RUNNING, epoch=second.charge.claim.epoch, presence=pool.execution.presence())
    pool.enter(run.id, StateType.CANCELLING)
    assert second.told_to_end.wait(PATIENCE), "the worker goes on, and knows the attempt that there is"
    second.finish()


def test_a_run_whose_supervisor_dies_has_crashed(pool: Pool, serve: Callable[..., Service]) -> None:
    run = pool.run()
    service = serve()
    service.infrastructure.next().finish(None)
    service.end()
    assert pool.state(run.id) is StateType.CRASHED
    assert "supervisor" in pool.message(run.id)


def test_what_cannot_be_executed_is_said_of_the_run(pool: Pool, serve: Callable[..., Service]) -> None:
    broken = pool.run(job_variables={"env": "A=1"})
    whole = pool.run()
    service = serve()
    launch = service.infrastructure.next()
    assert launch.id == whole.id
    assert pool.state(broken.id) is StateType.CRASHED
    assert "env" in pool.message(broken.id)
    launch.finish()


def test_a_run_that_cannot_be_launched_is_given_back_and_tried_again(
    pool: Pool, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pool.run()
    service = Service(pool)
    service.infrastructure.faults = [OSError("no more processes"), errors.ConfigurationError("no fork")]
    service.start()
    launch = service.infrastructure.next()
    assert (launch.id, launch.charge.claim.epoch) == (run.id, 3)
    launch.finish()
    service.end()


def test_one_look_is_enough_for_a_worker_that_is_to_look_once(pool: Pool, serve: Callable[..., Service]) -> None:
    run = pool.run()
    service = serve(once=True)
    launch = service.infrastructure.next()
    pool.run()
    assert launch.id == run.id
    launch.finish(Ending(code=1, crashed=True))
    service.thread.join(PATIENCE)
    assert not service.thread.is_alive()
    assert service.infrastructure.launches.empty()


def test_a_worker_that_is_stopped_lets_runs_end_and_stopped_again_ends_them(
    pool: Pool, serve: Callable[..., Service]
) -> None:
    pool.run()
    service = serve(limit=1)  # so that the later run is not taken before it hears of the stop
    launch = service.infrastructure.next()
    service.worker.stop()
    later = pool.run()
    assert not launch.told_to_end.is_set()
    service.worker.stop()
    assert launch.told_to_end.wait(PATIENCE)
    launch.finish()
    service.thread.join(PATIENCE)
    assert not service.thread.is_alive()
    assert pool.state(later.id) is StateType.SCHEDULED


def test_an_outage_keeps_nobody_from_work(pool: Pool, serve: Callable[..., Service]) -> None:
    service = Service(pool)
    service.outages.left = {"claim_flow_runs": 2, "last_cursor": 1, "read_events": 1, "beat_worker": 1}
    run = pool.run()
    service.start()
    launch = service.infrastructure.next()
    assert launch.id == run.id
    launch.finish()
    again = pool.run()
    launch = service.infrastructure.next()
    assert launch.id == again.id
    launch.finish()
    service.end()


def test_a_claim_is_kept_while_nothing_more_can_be_asked(
    pool: Pool, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = pool.run()
    service = Service(pool)
    original = pool.administration.read_deployment
    fails = [errors.Unavailable("Nothing answers."), errors.Unavailable("Nothing answers.")]

    def read_deployment(deployment_id: UUID) -> Any:
        if fails:
            raise fails.pop()
        return original(deployment_id)

    monkeypatch.setattr(pool.administration, "read_deployment", read_deployment)
    service.start()
    launch = service.infrastructure.next()
    assert (launch.id, launch.charge.claim.epoch) == (run.id, 1)
    launch.finish()
    service.end()


def test_a_worker_without_a_pool_serves_deployments_and_says_once_that_it_leaves(
    pool: Pool, serve: Callable[..., Service]
) -> None:
    other = pool.run()
    own = pool.deploy(entrypoint="flows.py:etl", path="/srv", other="served")
    run = pool.run()
    left: list[str] = []

    def leave() -> None:
        left.append("left")
        raise errors.Unavailable("Nothing answers.")

    service = serve(pool=None, deployment_ids=(own.id,), leave=leave)
    launch = service.infrastructure.next()
    assert launch.id == run.id
    service.worker.stop()
    service.worker.stop()
    assert launch.told_to_end.wait(PATIENCE)
    launch.finish()
    service.thread.join(PATIENCE)
    assert left == ["left"]
    assert pool.state(other.id) is StateType.SCHEDULED
    assert pool.administration.list_workers(pool.name) == []


def test_a_worker_shows_that_it_is_there(pool: Pool, serve: Callable[..., Service]) -> None:
    serve(name="here")
    workers = pool.administration.list_workers(pool.name)
    while not workers:
        pool.execution.wait_for_events(0.1)
        workers = pool.administration.list_workers(pool.name)
    assert [each.name for each in workers] == ["here"]


def test_other_states_of_other_runs_are_no_reason_to_look(pool: Pool, serve: Callable[..., Service]) -> None:
    service = serve()
    run = pool.run()
    launch = service.infrastructure.next()
    pool.execution.propose_flow_run_state(
        Proposal(flow_run_id=run.id, state=StateCreate(type=StateType.RUNNING), epoch=launch.charge.claim.epoch)
    )
    pool.enter(run.id, StateType.COMPLETED)
    launch.finish()
    assert pool.state(run.id) is StateType.COMPLETED
