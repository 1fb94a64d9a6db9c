# pyright: basic
"""Runs that are cancelled: by what they return, and by what happens to what they wait for."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe
from tests.semantics.sdk import Sdk
from tests.semantics.ways import FEW, PLAIN, Use

CANCELLED = {
    "state": lambda sdk: sdk.states.Cancelled(message="as I say"),
    "named-state": lambda sdk: sdk.states.Cancelled(message="as I say", name="Withdrawn"),
    "run-error": lambda sdk: _raise(sdk.exceptions.CancelledRun("as I say")),
    "task-error": lambda sdk: _raise(asyncio.CancelledError("as I say")),
}


def _raise(error: BaseException) -> Any:
    raise error


@over(use={**FEW, "subflow-state": PLAIN["subflow-state"], "map-threads": PLAIN["map-threads"]}, ends=CANCELLED)
def by_itself(sdk: Sdk, use: Use, ends: Any) -> Any:
    def told(definition: Any, run: Any, state: Any) -> None:
        sdk.note(state.type.value, state.name)

    hooks = ("on_completion", "on_failure", "on_cancellation", "on_crashed") if use.way.kind == "flow" else (
        "on_completion", "on_failure"
    )  # fmt: skip

    @use.define(**{name: [told] for name in hooks})
    def work(item: int = 0) -> Any:
        return ends(sdk)

    return use.run(work)


@over(use=FEW, ends=CANCELLED)
def with_retries(sdk: Sdk, use: Use, ends: Any) -> Any:
    @use.define(retries=1)
    def work(item: int = 0) -> Any:
        return ends(sdk) if sdk.count("try") == 1 else "done"

    return use.run(work)


@over(ends={name: CANCELLED[name] for name in ("state", "run-error")}, call={"call": False, "submit": True})
def a_task_of_a_flow(sdk: Sdk, ends: Any, call: bool) -> Any:
    """What the flow around makes of it."""

    @sdk.task
    def work() -> Any:
        return ends(sdk)

    @sdk.flow
    def main() -> Any:
        return work.submit().result() if call else work()

    return main(return_state=True)


@over(ends={name: CANCELLED[name] for name in ("state", "run-error")}, state={"call": False, "state": True})
def a_subflow(sdk: Sdk, ends: Any, state: bool) -> Any:
    @sdk.flow
    def inner() -> Any:
        return ends(sdk)

    @sdk.flow
    def main() -> Any:
        if state:
            return inner(return_state=True)
        try:
            return inner()
        except BaseException as error:
            sdk.note("raised", describe(error))
            raise

    return main(return_state=True)


@case
def a_branch(sdk: Sdk) -> Any:
    @sdk.task
    def work(cancelled: bool) -> Any:
        return sdk.states.Cancelled(message="as I say") if cancelled else 1

    @sdk.task
    def after(value: Any) -> Any:
        sdk.note("after")
        return value

    @sdk.flow
    def main() -> Any:
        futures = [work.submit(True), work.submit(False)]
        return [*futures, *after.map(futures)]

    return main(return_state=True)


@case
def an_awaited_task(sdk: Sdk) -> Any:
    """A task of the loop's that is cancelled while it runs one of ours."""
    begun = asyncio.Event()

    @sdk.task
    async def work() -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            sdk.note("cleaned up")

    @sdk.flow
    async def main() -> Any:
        running = asyncio.ensure_future(work())
        await begun.wait()
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    return asyncio.run(main())


@case
def an_awaited_flow(sdk: Sdk) -> Any:
    begun = asyncio.Event()

    def told(definition: Any, run: Any, state: Any) -> None:
        sdk.note(state.type.value, state.name)

    @sdk.flow(on_cancellation=[told], on_crashed=[told], on_failure=[told])
    async def main() -> Any:
        begun.set()
        await asyncio.Event().wait()

    async def cancel() -> Any:
        running = asyncio.ensure_future(main())
        await begun.wait()
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    return asyncio.run(cancel())


@over(limit={"wait-for": 0.1})
def by_wait_for(sdk: Sdk, limit: float) -> Any:
    @sdk.task
    async def work() -> Any:
        await asyncio.Event().wait()

    @sdk.flow
    async def main() -> Any:
        try:
            await asyncio.wait_for(work(), limit)
        except TimeoutError:
            return "late"

    return asyncio.run(main())
