# pyright: basic
"""Flows called within flows and tasks."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe, show
from tests.semantics.sdk import Sdk

ENDS = {
    "value": lambda sdk: 7,
    "error": lambda sdk: _raise(ValueError("as I say")),
    "failed": lambda sdk: sdk.states.Failed(message="as I say"),
    "crashed": lambda sdk: sdk.states.Crashed(message="as I say"),
    "exit": lambda sdk: _raise(SystemExit(3)),
    "completed": lambda sdk: sdk.states.Completed(name="Skipped", data=3),
}


def _raise(error: BaseException) -> Any:
    raise error


def _caught(sdk: Sdk, inner: Any) -> Any:
    try:
        return inner()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        sdk.note("caught", describe(error))
        return "caught"


HANDLED = {
    "returned": lambda sdk, inner: inner(),
    "ignored": lambda sdk, inner: (inner(return_state=True), "done")[1],
    "state-returned": lambda sdk, inner: inner(return_state=True),
    "caught": _caught,
    "in-list": lambda sdk, inner: [inner(return_state=True), inner(return_state=True)],
}


@over(ends=ENDS, handled=HANDLED)
def in_a_flow(sdk: Sdk, ends: Any, handled: Any) -> Any:
    @sdk.flow
    def inner() -> Any:
        return ends(sdk)

    @sdk.flow
    def main() -> Any:
        return handled(sdk, inner)

    return main(return_state=True)


@over(ends={name: ENDS[name] for name in ("value", "error")})
def async_in_async(sdk: Sdk, ends: Any) -> Any:
    @sdk.flow
    async def inner() -> Any:
        return ends(sdk)

    @sdk.flow
    async def main() -> Any:
        return await inner()

    return asyncio.run(main(return_state=True))


@over(ends={name: ENDS[name] for name in ("value", "error")})
def sync_in_async(sdk: Sdk, ends: Any) -> Any:
    @sdk.flow
    def inner() -> Any:
        return ends(sdk)

    @sdk.flow
    async def main() -> Any:
        return inner()

    return asyncio.run(main(return_state=True))


@case
def gathered(sdk: Sdk) -> Any:
    @sdk.flow
    async def inner(x: int) -> Any:
        if x == 2:
            raise ValueError("as I say")
        return x

    @sdk.flow
    async def main() -> Any:
        return await asyncio.gather(*(inner(x) for x in (1, 2, 3)), return_exceptions=True)

    return asyncio.run(main())


@case
def recursive(sdk: Sdk) -> Any:
    @sdk.flow
    def main(depth: int) -> int:
        return depth if depth == 0 else depth + main(depth - 1)

    return main(3)


@case
def tasks_of_both(sdk: Sdk) -> Any:
    @sdk.task
    def work(x: int) -> int:
        return x + 1

    @sdk.flow
    def inner(x: int) -> Any:
        return work.submit(x).result()

    @sdk.flow
    def main() -> Any:
        return [inner(1), work(5), inner(2)]

    return main()


@case
def waits_for_its_tasks(sdk: Sdk) -> Any:
    """A future that goes into a subflow is its value there."""

    @sdk.task
    def work() -> int:
        return 7

    @sdk.flow
    def inner(x: Any, rest: Any) -> Any:
        return (show(x), show(rest))

    @sdk.flow
    def main() -> Any:
        return inner(work.submit(), [work.submit(), 1])

    return main()


@case
def retried_alone(sdk: Sdk) -> Any:
    @sdk.flow(retries=1)
    def inner() -> int:
        if sdk.count("inner") == 1:
            raise ValueError("as I say")
        return 7

    @sdk.flow
    def main() -> Any:
        sdk.note("main")
        return inner()

    return main()


@case
def knows_its_parent(sdk: Sdk) -> Any:
    @sdk.flow
    def inner() -> Any:
        return sdk.runtime.flow_run.parent_flow_run_id

    @sdk.flow
    def main() -> Any:
        return inner() == sdk.runtime.flow_run.id

    return main()


@case
def options_of_a_copy(sdk: Sdk) -> Any:
    @sdk.flow(retries=0)
    def inner() -> int:
        if sdk.count("inner") == 1:
            raise ValueError("as I say")
        return 7

    return inner.with_options(retries=1, name="copy")()


@over(fails={"completed": False, "failed": True})
def hooks_of_both(sdk: Sdk, fails: bool) -> Any:
    def told(flow: Any, run: Any, state: Any) -> None:
        sdk.note(flow.name, state.type.value)

    hooks = {"on_completion": [told], "on_failure": [told], "on_running": [told]}

    @sdk.flow(**hooks)
    def inner() -> int:
        if fails:
            raise ValueError("as I say")
        return 7

    @sdk.flow(**hooks)
    def main() -> Any:
        return inner()

    return main(return_state=True)
