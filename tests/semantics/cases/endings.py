# pyright: basic
"""What a run's final state is, given what its function returned or raised."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.semantics.collection import over
from tests.semantics.sdk import Sdk
from tests.semantics.ways import FEW, ITERATED, SOME, Use


class OwnError(Exception):
    """An exception that only the user knows."""


VALUES = {
    "none": None,
    "number": 1,
    "text": "text",
    "list": [1, "two", None],
    "dict": {"a": [1]},
    "tuple": (1, 2),
    "set": {1, 2},
    "empty-list": [],
    "error": ValueError("as I say"),
    "error-class": OwnError,
    "mixed-errors": [1, ValueError("as I say")],
}

STATES = {
    "completed": lambda of: of.Completed(),
    "completed-with-data": lambda of: of.Completed(data=7),
    "completed-with-message": lambda of: of.Completed(message="as I say", data=[1]),
    "completed-with-name": lambda of: of.Completed(name="Skipped"),
    "failed": lambda of: of.Failed(),
    "failed-with-message": lambda of: of.Failed(message="as I say"),
    "failed-with-name": lambda of: of.Failed(message="as I say", name="Rejected"),
    "failed-with-error": lambda of: of.Failed(data=ValueError("as I say")),
    "failed-with-value": lambda of: of.Failed(data="a text"),
    "cancelled": lambda of: of.Cancelled(),
    "cancelled-with-message": lambda of: of.Cancelled(message="as I say"),
    "crashed": lambda of: of.Crashed(message="as I say"),
}

COLLECTIONS = {
    "completed": lambda of: [of.Completed(data=1), of.Completed(data=2)],
    "one-failed": lambda of: [of.Completed(data=1), of.Failed(message="as I say")],
    "all-failed": lambda of: [of.Failed(message="as I say"), of.Failed(data=ValueError("as I say"))],
    "one-cancelled": lambda of: [of.Completed(), of.Cancelled(message="as I say")],
    "failed-and-cancelled": lambda of: [of.Failed(message="as I say"), of.Cancelled()],
    "one-crashed": lambda of: [of.Completed(), of.Crashed(message="as I say")],
    "one-pending": lambda of: [of.Completed(), of.Pending()],
    "tuple": lambda of: (of.Completed(data=1), of.Failed(message="as I say")),
    "set-of-one": lambda of: {of.Failed(message="as I say")},
    "dict": lambda of: {"a": of.Completed(data=1), "b": of.Failed(message="as I say")},
    "with-a-value": lambda of: [1, of.Failed(message="as I say")],
    "value-last": lambda of: [of.Failed(message="as I say"), 1],
    "nested": lambda of: [[of.Failed(message="as I say")]],
}

ERRORS = {
    "value": ValueError("as I say"),
    "own": OwnError("as I say"),
    "without-text": RuntimeError(),
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
    "cancelled": asyncio.CancelledError(),
    "base": BaseException("as I say"),
    "stop": StopIteration(5),
    "timeout": TimeoutError("as I say"),
    "group": ExceptionGroup("as I say", [ValueError("as I say")]),
}


@over(use=FEW, value=VALUES)
def returns(sdk: Sdk, use: Use, value: Any) -> Any:
    @use.define()
    def work(item: Any = 0) -> Any:
        return value

    return use.run(work)


@over(use=SOME, state=STATES)
def returns_state(sdk: Sdk, use: Use, state: Any) -> Any:
    @use.define()
    def work(item: Any = 0) -> Any:
        return state(sdk.states)

    return use.run(work)


@over(use=FEW, states=COLLECTIONS)
def returns_states(sdk: Sdk, use: Use, states: Any) -> Any:
    @use.define()
    def work(item: Any = 0) -> Any:
        return states(sdk.states)

    return use.run(work)


@over(use={**SOME, **ITERATED}, error=ERRORS)
def raises(sdk: Sdk, use: Use, error: BaseException) -> Any:
    error.__traceback__ = error.__context__ = None  # of earlier cases, longer with each: at last nobody can pickle it

    @use.define()
    def work(item: Any = 0) -> Any:
        sdk.note("executed")
        raise error

    return use.run(work)


def _raise(error: BaseException) -> Any:
    raise error


FLOW_ENDINGS = {
    "value": lambda made, sdk: 5,
    "none": lambda made, sdk: None,
    "future": lambda made, sdk: made,
    "list-of-futures": lambda made, sdk: [made, made],
    "state": lambda made, sdk: (made.wait(), made.state)[1],
    "result-kept": lambda made, sdk: made.result(raise_on_failure=False),
    "result": lambda made, sdk: made.result(),
    "dict-of-futures": lambda made, sdk: {"a": made},
    "tuple-with-value": lambda made, sdk: (made, 1),
    "completed-state": lambda made, sdk: sdk.states.Completed(message="as I say"),
    "other-error": lambda made, sdk: _raise(OwnError("as I say")),
}


@over(ends=FLOW_ENDINGS, fails={"failed": True, "completed": False})
def flow_with_task_returns(sdk: Sdk, ends: Any, fails: bool) -> Any:
    @sdk.task
    def work() -> int:
        if fails:
            raise ValueError("as I say")
        return 7

    @sdk.flow
    def main() -> Any:
        return ends(work.submit(), sdk)

    return main(return_state=True)


@over(fails={"failed": True, "completed": False})
def async_flow_with_task_returns(sdk: Sdk, fails: bool) -> Any:
    @sdk.task
    async def work() -> int:
        if fails:
            raise ValueError("as I say")
        return 7

    @sdk.flow
    async def main() -> Any:
        return await work(return_state=True)

    return asyncio.run(main(return_state=True))


@over(fails={"failed": True, "completed": False})
def flow_ignores_called_task(sdk: Sdk, fails: bool) -> Any:
    @sdk.task
    def work() -> None:
        if fails:
            raise ValueError("as I say")

    @sdk.flow
    def main() -> str:
        try:
            work()
        except ValueError:
            sdk.note("caught")
        return "done"

    return main(return_state=True)
