# pyright: basic
"""Runs that take too long."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe
from tests.semantics.sdk import Sdk
from tests.semantics.ways import CALLED, FEW, FLOWS, SUBMITTED, Use

LONG = 1.5
"""Seconds a body takes that has a tenth of one: long enough to be late, short enough to wait for where it cannot be stopped."""

ALL = {**FLOWS, **CALLED, **{name: way for name, way in SUBMITTED.items() if way.call != "map"}}


def _linger(sdk: Sdk, asynchronous: bool) -> Any:
    """Take long, in the way of a function of this colour."""
    if not asynchronous:
        end = Event()
        for _ in range(int(LONG * 50)):  # a thread can only be stopped between two steps
            end.wait(0.02)
        return "late"

    async def linger() -> str:
        await asyncio.sleep(LONG)
        return "late"

    return linger()


@over(use=ALL)
def late(sdk: Sdk, use: Use) -> Any:
    @use.define(timeout_seconds=0.1)
    def work(item: int = 0) -> Any:
        sdk.note("begun")
        return _linger(sdk, use.way.colour == "async")

    return use.run(work)


@over(use=FEW)
def in_time(sdk: Sdk, use: Use) -> Any:
    @use.define(timeout_seconds=30)
    def work(item: int = 0) -> Any:
        return "done"

    return use.run(work)


@over(use={**FEW, "flow": FLOWS["flow"], "subflow-state": FLOWS["subflow-state"], "task-alone": CALLED["task-alone"]})
def late_once(sdk: Sdk, use: Use) -> Any:
    @use.define(timeout_seconds=0.2, retries=1)
    def work(item: int = 0) -> Any:
        if sdk.count("try") == 1:
            return _linger(sdk, use.way.colour == "async")
        return "done"

    return use.run(work)


@over(use=FEW)
def fails_in_time(sdk: Sdk, use: Use) -> Any:
    @use.define(timeout_seconds=30)
    def work(item: int = 0) -> Any:
        raise ValueError("as I say")

    return use.run(work)


@over(
    use={name: way for name, way in {**FLOWS, **CALLED}.items() if name in {"flow", "async-flow", "task", "async-task"}}
)
def hears_of_it(sdk: Sdk, use: Use) -> Any:
    """What is late is interrupted, and may clean up."""

    async def listen() -> Any:
        try:
            return await _linger(sdk, True)
        finally:
            sdk.note("cleaned up")

    @use.define(timeout_seconds=0.1)
    def work(item: int = 0) -> Any:
        if use.way.colour == "async":
            return listen()
        try:
            return _linger(sdk, False)
        finally:
            sdk.note("cleaned up")

    return use.run(work)


@over(limit={"zero": 0, "fraction": 0.05, "negative": -1})
def limits(sdk: Sdk, limit: float) -> Any:
    try:
        task = sdk.task(timeout_seconds=limit)(lambda: _linger(sdk, False))
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"
    return task(return_state=True).name


@case
def hooks_hear_of_it(sdk: Sdk) -> Any:
    def told(task: Any, run: Any, state: Any) -> None:
        sdk.note(state.type.value, state.name)

    @sdk.task(timeout_seconds=0.1, on_failure=[told])
    def work() -> Any:
        return _linger(sdk, False)

    @sdk.flow(on_failure=[told])
    def main() -> Any:
        return work()

    return main(return_state=True)


@case
def flow_goes_on(sdk: Sdk) -> Any:
    @sdk.task(timeout_seconds=0.1)
    def work() -> Any:
        return _linger(sdk, False)

    @sdk.flow
    def main() -> Any:
        try:
            work()
        except TimeoutError as error:
            sdk.note("caught", isinstance(error, TimeoutError), describe(error) != "")
        return "done"

    return main()


@case
def what_comes_after_is_not_run(sdk: Sdk) -> Any:
    @sdk.task(timeout_seconds=0.1)
    def work() -> Any:
        return _linger(sdk, False)

    @sdk.task
    def after(value: Any) -> Any:
        sdk.note("after")
        return value

    @sdk.flow
    def main() -> Any:
        return after.submit(work.submit())

    return main(return_state=True)


@case
def a_flow_whose_task_is_late(sdk: Sdk) -> Any:
    """The flow's own limit ends it while it waits for its task."""

    @sdk.task
    async def work() -> Any:
        return await _linger(sdk, True)

    @sdk.flow(timeout_seconds=0.2)
    async def main() -> Any:
        return await work()

    return asyncio.run(main(return_state=True))


@case
def condition_sees_it(sdk: Sdk) -> Any:
    def on_time_out(task: Any, run: Any, state: Any) -> bool:
        sdk.note(state.name)
        return state.name == "TimedOut"

    @sdk.task(timeout_seconds=0.1, retries=1, retry_condition_fn=on_time_out)
    def work() -> Any:
        return _linger(sdk, False) if sdk.count("try") == 1 else "done"

    return work()
