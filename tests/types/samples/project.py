"""A project as its users write it, strictly typed: every value that comes back is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_type
from uuid import UUID

from headrace import Flow, State, Task, flow, get_run_logger, tags, task, unmapped
from headrace.artifacts import create_markdown_artifact
from headrace.cache_policies import INPUTS, TASK_SOURCE, CachePolicy, CompoundCachePolicy
from headrace.concurrency.sync import concurrency
from headrace.drawings import Drawing
from headrace.flow_runs import pause_flow_run
from headrace.futures import Future, FutureList, as_completed, resolve_futures_to_states
from headrace.input import InputReceiver, RunInput, receive_input, send_input
from headrace.locking import FileSystemLockManager
from headrace.states import Completed, StateGroup, get_state_exception, is_state
from headrace.tasks import exponential_backoff
from headrace.transactions import IsolationLevel, Transaction, atransaction, transaction
from headrace.variables import Variable


@dataclass(frozen=True)
class Trip:
    distance: float
    fare: float


class Approval(RunInput):
    approved: bool
    reason: str = ""


ONCE: CachePolicy = (INPUTS + TASK_SOURCE - "limit").configure(
    lock_manager=FileSystemLockManager("locks"), isolation_level=IsolationLevel.SERIALIZABLE
)


@task(retries=2, retry_delay_seconds=exponential_backoff(2), cache_policy=ONCE, cache_expiration=timedelta(days=1))
def load(month: str, *, limit: int | None = None) -> list[Trip]:
    with concurrency("downloads", occupy=1):
        return [Trip(1.0, len(month))][:limit]


@task(viz_return_value=[Trip(1.0, 2.0)], tags=["clean"])
def clean(trips: list[Trip], shortest: float = 0.5) -> list[Trip]:
    return [trip for trip in trips if trip.distance >= shortest]


@task(task_run_name="train {rounds}", timeout_seconds=60)
async def train(trips: list[Trip], rounds: int = 10) -> float:
    await asyncio.sleep(0)
    return sum(trip.fare for trip in trips) * rounds


@task
def read(paths: list[str]) -> Generator[Trip, None, int]:
    for path in paths:
        yield Trip(0.0, len(path))
    return len(paths)


@clean.on_rollback
def forget(undone: Transaction) -> None:
    assert_type(undone.is_rolled_back(), bool)


class Report:
    def __init__(self, title: str) -> None:
        self.title = title

    @task
    def write(self, score: float, places: int = 2) -> str:
        return f"{self.title}: {score:.{places}f}"

    @flow(log_prints=True)
    def publish(self, score: float) -> str:
        return self.write(score)

    @staticmethod
    @task
    def mark(text: str) -> str:
        return f"**{text}**"


@flow(name="months", retries=1)
def months(names: list[str], shortest: float = 1.0) -> list[Trip]:
    get_run_logger().info("%d months", len(names))
    loaded = load.map(names, limit=unmapped(100))
    assert_type(loaded, FutureList[list[Trip]])
    for future in as_completed(loaded):
        assert_type(future, Future[list[Trip]])
    cleaned = clean.submit(loaded[0], shortest)
    assert_type(cleaned, Future[list[Trip]])
    assert_type(cleaned.result(), list[Trip])
    assert_type(clean.map(loaded).result(), list[list[Trip]])
    states = StateGroup([cleaned.state, *(future.state for future in loaded)])
    assert_type(states.all_completed(), bool)
    with transaction("months", isolation_level=IsolationLevel.SERIALIZABLE) as opened:
        assert_type(opened, Transaction)
        return clean(cleaned.result())


@flow
async def forecast(names: list[str]) -> float:
    trips = months(names)
    assert_type(trips, list[Trip])
    score = await train(trips)
    assert_type(score, float)
    one, two = await asyncio.gather(train(trips, rounds=1), train(trips))
    assert_type(one, float)
    pending = train.submit(trips)
    assert_type(pending, Future[float])
    assert_type(await pending, float)
    state = await train(trips, return_state=True)
    assert_type(state, State)
    async with atransaction():
        return one + two


@flow
async def stream(names: list[str]) -> AsyncGenerator[float]:
    for trip in read(names):
        assert_type(trip, Trip)
        yield trip.fare


@flow
def approve() -> str:
    answer = pause_flow_run(wait_for_input=Approval, timeout=60)
    assert_type(answer, Approval)
    for message in Approval.receive(timeout=1):
        assert_type(message, Approval)
    for number in receive_input(int, timeout=1):
        assert_type(number, int)
    return answer.reason


# methods keep their parameters
report = Report("June")
assert_type(report.write(0.5), str)
assert_type(report.write(0.5, places=3), str)
assert_type(report.write.submit(0.5), Future[str])
assert_type(report.publish(0.5), str)
assert_type(Report.publish(report, 0.5), str)
assert_type(Report.mark("a"), str)

# other ways to make and use them
quick: Task[[list[Trip], float], list[Trip]] | Task[..., list[Trip]] = clean.with_options(name="quick")
assert_type(load.with_options(retries=0)("june", limit=3), list[Trip])
assert_type(months.with_options(name="all")(["june"]), list[Trip])
assert_type(months(["june"], return_state=True), State)
assert_type(months.visualize(["june"]), Drawing)
assert_type(months.generate_mermaid_graph(), str)
assert_type(CompoundCachePolicy([INPUTS]), CompoundCachePolicy)
assert_type(get_state_exception(Completed()), BaseException)
assert_type(receive_input(Trip), InputReceiver[Trip])
assert_type(send_input(Trip(1, 2), "b7d9"), None)
assert_type(create_markdown_artifact("# June", key="june"), UUID)
if is_state(found := resolve_futures_to_states(load.submit("june"))):
    assert_type(found, State)
Variable.set("city", "lisbon", tags=["geo"])


def any_flow(work: Flow[[str], int]) -> int:
    with tags("a"):
        return work("x")
