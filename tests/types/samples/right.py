"""Calls as people write them: a type checker has nothing to say, and knows what comes back."""

from collections.abc import AsyncGenerator, Coroutine, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type
from uuid import UUID

from headrace import (
    Flow,
    State,
    Task,
    allow_failure,
    aserve,
    deploy,
    flow,
    get_run_logger,
    quote,
    serve,
    tags,
    task,
    unmapped,
)
from headrace.cache_policies import INPUTS, TASK_SOURCE
from headrace.deployments import arun_deployment, run_deployment
from headrace.flow_runs import wait_for_flow_run
from headrace.futures import Future, FutureList, as_completed, wait
from headrace.runner.storage import GitRepository
from headrace.schedules import Cron
from headrace.schema.run import FlowRun
from headrace.task_runners import HeadraceTaskRunner, ThreadPoolTaskRunner
from headrace.task_worker import TaskWorker
from headrace.task_worker import serve as serve_tasks
from headrace.tasks import exponential_backoff, task_input_hash


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task(retries=3, retry_delay_seconds=exponential_backoff(2), cache_key_fn=task_input_hash, log_prints=True)
async def fetch(url: str) -> bytes:
    return url.encode()


@task(cache_policy=INPUTS + TASK_SOURCE, retry_delay_seconds=[1, 2.5], tags=["a"], result_storage=Path("results"))
def load(path: Path, *, strict: bool = False) -> list[str]:
    return [str(path)] if strict else []


@task
def count(to: int) -> Generator[int, None, str]:
    yield from range(to)
    return "done"


@flow
async def stream(to: int) -> AsyncGenerator[int]:
    for item in count(to):
        yield item


@task
async def listen() -> AsyncGenerator[bytes]:
    yield b""


@flow(name="train", retries=2, task_runner=ThreadPoolTaskRunner(max_workers=4))
def train(rate: float, rounds: int = 10) -> float:
    return rate * rounds


@flow
async def gather(urls: list[str]) -> int:
    return len(urls)


@add.on_failure
def tell(task: Any, run: Any, state: State) -> None:
    get_run_logger().info("%s %s %s", task, run, state)


# calls
assert_type(add(1), int)
assert_type(add(1, y=2), int)
assert_type(add(1, wait_for=[add.submit(1)]), int)
assert_type(add(1, return_state=True), State)
assert_type(load(Path("x"), strict=True), list[str])
assert_type(train(0.1), float)
assert_type(train(0.1, rounds=3), float)
assert_type(train(0.1, return_state=True), State)

# futures
assert_type(add.submit(1), Future[int])
assert_type(add.submit(add.submit(1), y=2).result(), int)
assert_type(add.submit(1, return_state=True), State)
assert_type(fetch.submit("a"), Future[bytes])
assert_type(fetch.submit("a").result(), bytes)
assert_type(add.map([1, 2], y=unmapped(3)), FutureList[int])
assert_type(add.map(allow_failure(add.map([1, 2]))).result(), list[int])
assert_type(fetch.map(["a"]).result(), list[bytes])
assert_type(add.map([1], return_state=True), list[State])
assert_type(wait(add.map([1, 2])).done, set[Future[Any]])
for future in as_completed(add.map([1, 2])):
    assert_type(future, Future[int])
assert_type(add.submit(quote({"x": 1}).unquote()), Future[int])

# other ways to make them
assert_type(add.with_options(name="sum")(1), int)
assert_type(train.with_options(retries=0)(0.5), float)
assert_type(task(str.upper)("a"), str)
assert_type(flow(len)([1]), int)

# deployments
source = GitRepository("https://example.org/flows", {"access_token": "{{ $TOKEN }}"}, branch="main")
daily = train.with_options(name="trains").to_deployment("daily", schedule=Cron("@daily"), work_pool_name="local")
assert_type(flow.from_source(source, "flows.py:train"), Flow[..., Any])
assert_type(train.deploy("daily", "local", cron="0 6 * * *", interval=[60], parameters={"rate": 0.1}), UUID)
assert_type(deploy(daily, work_pool_name="local"), list[UUID])
assert_type(train.serve("daily", interval=timedelta(hours=1), limit=2, pause_on_shutdown=False), None)
assert_type(serve(daily, limit=1), None)
assert_type(run_deployment("trains/daily", {"rate": 0.1}, timeout=0, tags=("a",)), FlowRun)
assert_type(wait_for_flow_run(run_deployment("trains/daily").id, timeout=None), FlowRun)


async def main() -> None:
    assert_type(await fetch("a"), bytes)
    assert_type(await fetch("a", return_state=True), State)
    assert_type(await gather(["a"]), int)
    assert_type(await gather(["a"], return_state=True), State)
    assert_type(await fetch.submit("a"), bytes)
    assert_type(await arun_deployment("trains/daily", scheduled_time=datetime(2030, 1, 1, tzinfo=UTC)), FlowRun)
    await aserve(daily)
    pending: Coroutine[Any, Any, bytes] = fetch("a")
    await pending


def of_any_kind(work: Flow[..., int] | Task[..., int]) -> int:
    return work(1)


with tags("a", "b") as marked:
    assert_type(marked, set[str])

# generators
assert_type(count(3), Generator[int, None, str])
assert_type(count.submit(3), Future[list[int]])
assert_type(count.submit(3).result(), list[int])
assert_type(count.map([1, 2]), FutureList[list[int]])
assert_type(stream(3), AsyncGenerator[int])
assert_type(listen.submit().result(), list[bytes])

# background tasks
delayed = add.delay(1, y=2)
assert_type(delayed.result(timeout=10), int)
assert_type(add.delay(delayed).result(), int)
assert_type(fetch.delay("a").result(), bytes)
assert_type(count.delay(3).result(), list[int])
assert_type(add.with_options(retries=2).delay(1).result(), int)
waiting: Future[int] = add.apply_async([1], {"y": 2}, wait_for=[delayed])


async def hear() -> None:
    assert_type(await delayed, int)
    assert_type(await delayed.result_async(timeout=10), int)


def work_for_others() -> None:
    serve_tasks(add, fetch, limit=4)
    add.serve()
    assert_type(TaskWorker(add, count, limit=None).run_once(), int)


@flow(task_runner=HeadraceTaskRunner())
def spread() -> list[int]:
    return add.map([1, 2]).result()
