# pyright: basic
"""Futures: asked for results and states, waited for one by one and together, with and without a limit."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe_kind, show
from tests.semantics.sdk import Sdk

ENDS = {
    "completed": lambda sdk: 7,
    "failed": lambda sdk: sdk.states.Failed(message="as I say"),
    "raising": lambda sdk: _raise(ValueError("as I say")),
    "cancelled": lambda sdk: sdk.states.Cancelled(message="as I say"),
    "crashed": lambda sdk: _raise(KeyboardInterrupt()),
}

ASKS = {
    "result": lambda future: future.result(),
    "result-in-time": lambda future: future.result(timeout=30),
    "result-kept": lambda future: future.result(raise_on_failure=False),
    "state": lambda future: (future.wait(), future.state)[1],
    "wait": lambda future: future.wait(),
    "state-result": lambda future: (future.wait(), future.state.result())[1],
    "twice": lambda future: (future.result(raise_on_failure=False), future.result(raise_on_failure=False)),
    "state-tests": lambda future: (
        future.wait(),
        [getattr(future.state, f"is_{name}")() for name in ("completed", "failed", "crashed", "cancelled", "final")],
    )[1],
}


def _raise(error: BaseException) -> Any:
    raise error


@over(ends=ENDS, asks=ASKS)
def asked(sdk: Sdk, ends: Any, asks: Any) -> Any:
    @sdk.task
    def work() -> Any:
        return ends(sdk)

    told: list[Any] = []

    @sdk.flow
    def main() -> None:
        future = work.submit()
        try:
            told.append(asks(future))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            told.append(error)

    main()
    return told


@over(ends={name: ENDS[name] for name in ("failed", "cancelled")}, raising={"raised": True, "returned": False})
def without_an_exception(sdk: Sdk, ends: Any, raising: bool) -> Any:
    """What stands for the exception of a run that ended badly without one."""

    @sdk.flow
    def main() -> Any:
        return ends(sdk)

    return describe_kind(main(return_state=True).result(raise_on_failure=raising))


@over(
    asks={
        "result": lambda sdk, future: future.result(timeout=0.05),
        "wait": lambda sdk, future: (future.wait(timeout=0.05), future.state.type.value),
        "wait-all": lambda sdk, future: [len(part) for part in sdk.futures.wait([future], timeout=0.05)],
        "as-completed": lambda sdk, future: list(sdk.futures.as_completed([future], timeout=0.05)),
        "state": lambda sdk, future: future.state.is_final(),
    }
)
def not_in_time(sdk: Sdk, asks: Any) -> Any:
    goes_on = Event()

    @sdk.task
    def work() -> int:
        goes_on.wait(20)
        return 7

    told: list[Any] = []

    @sdk.flow
    def main() -> Any:
        future = work.submit()
        try:
            told.append(asks(sdk, future))
        except Exception as error:  # noqa: BLE001 - as above
            told.append(isinstance(error, TimeoutError))
        goes_on.set()
        return future.result()

    return (main(), told)


@case
def in_order_of_their_ends(sdk: Sdk) -> Any:
    turns = [Event() for _ in range(3)]

    @sdk.task
    def work(place: int) -> int:
        turns[place].wait(20)
        return place

    @sdk.flow
    def main() -> Any:
        futures = [work.submit(place) for place in range(3)]
        seen: list[int] = []
        turns[2].set()
        for future in sdk.futures.as_completed(futures):
            seen.append(future.result())
            turns[(seen[-1] + 1) % 3].set()
        return seen

    return main()


@over(ends=ENDS)
def wait_for_all(sdk: Sdk, ends: Any) -> Any:
    @sdk.task
    def work(first: bool) -> Any:
        return 1 if first else ends(sdk)

    @sdk.flow
    def main() -> Any:
        done, not_done = sdk.futures.wait([work.submit(True), work.submit(False)])
        states = sorted(future.state.name for future in done)
        return [*states, len(not_done)]

    return main()


@case
def flow_ends_before_its_tasks(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> None:
        sdk.note("executed")

    @sdk.flow
    def main() -> str:
        work.submit()
        return "done"

    return main(return_state=True)


@case
def future_outlives_its_flow(sdk: Sdk) -> Any:
    kept: list[Any] = []

    @sdk.task
    def work() -> int:
        return 7

    @sdk.flow
    def main() -> None:
        kept.append(work.submit())

    main()
    return kept[0].result()


@case
def submitted_outside_of_a_flow(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> int:
        return 7

    future = work.submit()
    future.wait()
    return future.state


@case
def called_back(sdk: Sdk) -> Any:
    told = Event()

    @sdk.task
    def work() -> int:
        return 7

    @sdk.flow
    def main() -> Any:
        future = work.submit()
        future.add_done_callback(lambda ended: (sdk.note(show(ended.result())), told.set()))
        future.wait()
        return told.wait(20)

    return main()


@over(colour={"sync-task": False, "async-task": True})
def from_an_async_flow(sdk: Sdk, colour: bool) -> Any:
    if colour:

        @sdk.task
        async def work(x: int) -> int:
            return x + 1
    else:

        @sdk.task
        def work(x: int) -> int:
            return x + 1

    @sdk.flow
    async def main() -> Any:
        first = work.submit(1)
        second = work.submit(first)
        return [first.result(), second.result(), *work.map([5, 6]).result()]

    return asyncio.run(main())


@case
def gathered(sdk: Sdk) -> Any:
    @sdk.task
    async def work(x: int) -> int:
        return x + 1

    @sdk.flow
    async def main() -> Any:
        return await asyncio.gather(work(1), work(2), work(3))

    return asyncio.run(main())


@case
def gathered_with_a_failure(sdk: Sdk) -> Any:
    @sdk.task
    async def work(x: int) -> int:
        if x == 2:
            raise ValueError("as I say")
        return x + 1

    @sdk.flow
    async def main() -> Any:
        return await asyncio.gather(work(1), work(2), work(3), return_exceptions=True)

    return asyncio.run(main())


@case
def task_submits_tasks(sdk: Sdk) -> Any:
    @sdk.task
    def leaf(x: int) -> int:
        return x + 1

    @sdk.task
    def branch(x: int) -> int:
        return sum(leaf.map([x, x]).result())

    @sdk.flow
    def main() -> Any:
        return branch.map([1, 2]).result()

    return main()


@case
def task_calls_task(sdk: Sdk) -> Any:
    @sdk.task
    def leaf(x: int) -> int:
        return x + 1

    @sdk.task
    def branch(x: int) -> int:
        return leaf(x) + 1

    return branch(1)


@case
def task_calls_flow(sdk: Sdk) -> Any:
    @sdk.flow
    def inner(x: int) -> int:
        return x + 1

    @sdk.task
    def branch(x: int) -> int:
        return inner(x) + 1

    @sdk.flow
    def main() -> Any:
        return branch(1)

    return main()
