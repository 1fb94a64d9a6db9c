# pyright: basic
"""Which functions are told of which state, in which order, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.sdk import Sdk
from tests.semantics.ways import FEW, FLOWS, PLAIN, TASKS, Use

ENDS = {
    "value": lambda sdk: 1,
    "error": lambda sdk: _raise(ValueError("as I say")),
    "failed": lambda sdk: sdk.states.Failed(message="as I say"),
    "cancelled": lambda sdk: sdk.states.Cancelled(message="as I say"),
    "crashed": lambda sdk: sdk.states.Crashed(message="as I say"),
    "interrupt": lambda sdk: _raise(KeyboardInterrupt()),
    "named": lambda sdk: sdk.states.Completed(name="Skipped"),
}
FLOW_HOOKS = ("on_running", "on_completion", "on_failure", "on_cancellation", "on_crashed")
TASK_HOOKS = ("on_running", "on_completion", "on_failure")


def _raise(error: BaseException) -> Any:
    raise error


def _teller(sdk: Sdk, name: str) -> Callable[[Any, Any, Any], None]:
    def told(definition: Any, run: Any, state: Any) -> None:
        sdk.note(name, definition.name, state.type.value, state.name)

    return told


@over(use={**FEW, "subflow": PLAIN["subflow"]}, ends=ENDS)
def every_kind(sdk: Sdk, use: Use, ends: Any) -> Any:
    names = FLOW_HOOKS if use.way.kind == "flow" else TASK_HOOKS

    @use.define(**{name: [_teller(sdk, name)] for name in names})
    def work(item: int = 0) -> Any:
        sdk.note("executed")
        return ends(sdk)

    return use.run(work)


BAD = {
    "raising": lambda sdk: lambda definition, run, state: 1 // 0,
    "exiting": lambda sdk: lambda definition, run, state: _raise(SystemExit(3)),
    "interrupted": lambda sdk: lambda definition, run, state: _raise(KeyboardInterrupt()),
    "without-arguments": lambda sdk: lambda: None,
}


@over(
    use={name: PLAIN[name] for name in ("flow-state", "async-task-state", "submit-state-threads")},
    kind={"on-running": "on_running", "on-completion": "on_completion", "on-failure": "on_failure"},
    bad=BAD,
)
def bad_hooks(sdk: Sdk, use: Use, kind: str, bad: Any) -> Any:
    """A hook that fails, between two that do not."""

    @use.define(**{kind: [_teller(sdk, "before"), bad(sdk), _teller(sdk, "after")]})
    def work(item: int = 0) -> Any:
        sdk.note("executed")
        if kind == "on_failure":
            raise ValueError("as I say")
        return 1

    return use.run(work)


def _tell_more(definition: Any, run: Any, state: Any, *, sdk: Sdk) -> None:
    sdk.note("told", definition.name, state.name)


class _Teller:
    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk

    def __call__(self, definition: Any, run: Any, state: Any) -> None:
        self.sdk.note("told", definition.name, state.name)

    def tell(self, definition: Any, run: Any, state: Any) -> None:
        self(definition, run, state)


def _async_teller(sdk: Sdk) -> Any:
    async def told(definition: Any, run: Any, state: Any) -> None:
        await asyncio.sleep(0)
        sdk.note("told", definition.name, state.name)

    return told


SHAPES = {
    "function": lambda sdk: _teller(sdk, "told"),
    "partial": lambda sdk: partial(_tell_more, sdk=sdk),
    "object": _Teller,
    "method": lambda sdk: _Teller(sdk).tell,
    "lambda": lambda sdk: lambda definition, run, state: sdk.note("told", state.name),
    "coroutine": _async_teller,
    "returning": lambda sdk: lambda definition, run, state: (sdk.note("told"), "ignored")[1],
}


@over(use={name: PLAIN[name] for name in ("flow-state", "async-flow", "task-state", "async-task")}, shape=SHAPES)
def shapes(sdk: Sdk, use: Use, shape: Any) -> Any:
    @use.define(on_completion=[shape(sdk)])
    def work(item: int = 0) -> int:
        return 1

    return use.run(work)


@over(kind=dict.fromkeys(("flow", "task")), ends={"value": ENDS["value"], "error": ENDS["error"]})
def decorators(sdk: Sdk, kind: None, ends: Any) -> Any:
    """Hooks added afterwards, as a decorator."""

    @sdk.flow
    def work() -> Any:
        return ends(sdk)

    @work.on_completion
    def completed(definition: Any, run: Any, state: Any) -> None:
        sdk.note("completed")

    @work.on_failure
    def failed(definition: Any, run: Any, state: Any) -> None:
        sdk.note("failed")

    sdk.note(completed.__name__, failed.__name__)
    return work(return_state=True)


@case
def several_decorators(sdk: Sdk) -> Any:
    @sdk.task(on_completion=[_teller(sdk, "given")])
    def work() -> int:
        return 1

    for name in ("first", "second"):
        work.on_completion(_teller(sdk, name))
    work.on_running(_teller(sdk, "running"))
    return work()


@over(
    options={
        "others": {"on_completion": True},
        "empty": {"on_completion": False},
        "unsaid": {"name": "renamed"},
    },
    kind={"flow": True, "task": False},
)
def with_options(sdk: Sdk, options: Any, kind: bool) -> Any:
    """What a copy has of the hooks of its original, and that neither changes the other."""
    given = {
        name: ([_teller(sdk, "copy")] if value is True else []) if name == "on_completion" else value
        for name, value in options.items()
    }

    @(sdk.flow if kind else sdk.task)(on_completion=[_teller(sdk, "original")])
    def work() -> int:
        return 1

    copy = work.with_options(**given)
    copy.on_completion(_teller(sdk, "added to the copy"))
    sdk.note("original:")
    work()
    sdk.note("copy:")
    return copy()


@case
def added_after_a_copy(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> int:
        return 1

    copy = work.with_options(name="copy")
    work.on_completion(_teller(sdk, "told"))
    return [work(), copy()]


@case
def same_hook_twice(sdk: Sdk) -> Any:
    hook = _teller(sdk, "told")

    @sdk.task(on_completion=[hook, hook])
    def work() -> int:
        return 1

    return work()


@over(given={"a-function": 0, "a-text": "hook", "a-list-of-text": ["hook"], "a-tuple": (), "none": None})
def given_otherwise(sdk: Sdk, given: Any) -> Any:
    """Hooks that are no list of functions."""
    hook = _teller(sdk, "told") if given == 0 else given
    if given == ():
        hook = (_teller(sdk, "told"),)
    try:

        @sdk.task(on_completion=hook)
        def work() -> int:
            return 1
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"
    return work()


@over(use={name: PLAIN[name] for name in ("flow", "task", "async-task", "submit-threads")})
def see_their_run(sdk: Sdk, use: Use) -> Any:
    def told(definition: Any, run: Any, state: Any) -> None:
        where = sdk.runtime.flow_run if use.way.kind == "flow" else sdk.runtime.task_run
        sdk.note(run.id is not None, run.name == "by name", state.is_final(), where.name)

    name = "flow_run_name" if use.way.kind == "flow" else "task_run_name"

    @use.define(on_completion=[told], on_running=[told], **{name: "by name"})
    def work(item: int = 0) -> int:
        return 1

    return use.run(work)


@over(use={name: PLAIN[name] for name in ("flow", "task-alone", "async-task", "submit-threads")})
def see_the_value(sdk: Sdk, use: Use) -> Any:
    def told(definition: Any, run: Any, state: Any) -> None:
        value = state.result() if use.way.colour == "sync" else "not asked"
        sdk.note(value)

    @use.define(on_completion=[told])
    def work(item: int = 0) -> list[int]:
        return [1, 2]

    return use.run(work)


@over(use={name: TASKS[name] for name in ("task-state", "submit-state-threads")})
def see_the_error(sdk: Sdk, use: Use) -> Any:
    def told(definition: Any, run: Any, state: Any) -> None:
        sdk.note(repr(state.result(raise_on_failure=False)))

    @use.define(on_failure=[told])
    def work(item: int = 0) -> None:
        raise ValueError("as I say")

    return use.run(work)


@case
def order_of_flow_and_task(sdk: Sdk) -> Any:
    @sdk.task(on_running=[_teller(sdk, "task")], on_completion=[_teller(sdk, "task")])
    def work() -> int:
        return 1

    @sdk.flow(on_running=[_teller(sdk, "flow")], on_completion=[_teller(sdk, "flow")])
    def main() -> int:
        return work()

    return main()


@case
def runs_tasks(sdk: Sdk) -> Any:
    @sdk.task
    def after() -> None:
        sdk.note("after")

    def told(flow: Any, run: Any, state: Any) -> None:
        after()

    @sdk.flow(on_completion=[told])
    def main() -> int:
        return 1

    return main()


@over(use={name: FLOWS[name] for name in ("flow-state", "subflow-state", "async-flow-state")})
def of_a_refused_call(sdk: Sdk, use: Use) -> Any:
    """Parameters that do not fit: the run fails before it begins."""

    @use.define(on_running=[_teller(sdk, "running")], on_failure=[_teller(sdk, "failure")])
    def work(x: int) -> int:
        sdk.note("executed")
        return x

    return use.run(work, "no number")
