# pyright: basic
"""How often a run is tried again, after what, and what its tries have to do with each other."""

from __future__ import annotations

from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import show
from tests.semantics.sdk import Sdk
from tests.semantics.ways import FEW, ITERATED, SOME, TASKS, Use


class OwnError(Exception):
    """An exception that only the user knows."""


@over(use={**SOME, **ITERATED}, fails={"once": 1, "twice": 2, "always": 9})
def fails_some_times(sdk: Sdk, use: Use, fails: int) -> Any:
    @use.define(retries=2)
    def work(item: int = 0) -> Any:
        if sdk.count(f"try of {item}") <= fails:
            raise ValueError("as I say")
        return "done"

    return use.run(work)


ENDS = {
    "failed-state": lambda sdk: sdk.states.Failed(message="as I say"),
    "cancelled-state": lambda sdk: sdk.states.Cancelled(message="as I say"),
    "crashed-state": lambda sdk: sdk.states.Crashed(message="as I say"),
    "named-state": lambda sdk: sdk.states.Failed(message="as I say", name="Rejected"),
    "interrupt": lambda sdk: _raise(KeyboardInterrupt()),
    "exit": lambda sdk: _raise(SystemExit(3)),
    "base": lambda sdk: _raise(BaseException("as I say")),
    "timeout-error": lambda sdk: _raise(TimeoutError("as I say")),
    "returned-error": lambda sdk: ValueError("as I say"),
    "list-of-states": lambda sdk: [sdk.states.Failed(message="as I say")],
}


def _raise(error: BaseException) -> Any:
    raise error


@over(use={name: FEW[name] for name in ("flow-state", "async-task", "submit-threads")}, ends=ENDS)
def ends_first_otherwise(sdk: Sdk, use: Use, ends: Any) -> Any:
    """What is tried again, other than a run that raised."""

    @use.define(retries=1)
    def work(item: int = 0) -> Any:
        return ends(sdk) if sdk.count("try") == 1 else "done"

    return use.run(work)


CONDITIONS = {
    "true": lambda sdk: lambda task, run, state: True,
    "false": lambda sdk: lambda task, run, state: False,
    "raising": lambda sdk: lambda task, run, state: 1 // 0,
    "by-error": lambda sdk: lambda task, run, state: isinstance(state.result(raise_on_failure=False), OwnError),
    "told": lambda sdk: lambda task, run, state: sdk.note("asked", task.name, run.run_count, state.type.value) is None,
    "none": lambda sdk: lambda task, run, state: None,
    "truthy": lambda sdk: lambda task, run, state: "yes",
}


@over(use={name: TASKS[name] for name in ("task", "async-task-state", "submit-threads")}, condition=CONDITIONS)
def asks_a_condition(sdk: Sdk, use: Use, condition: Any) -> Any:
    @use.define(retries=2, retry_condition_fn=condition(sdk))
    def work(item: int = 0) -> Any:
        raise (OwnError if sdk.count("try") == 1 else ValueError)("as I say")

    return use.run(work)


DELAYS = {
    "zero": 0,
    "number": 0.01,
    "list": [0.01, 0.02],
    "short-list": [0.01],
    "long-list": [0.01] * 5,
    "callable": lambda retries: [0.01] * retries,
    "empty-list": [],
}


@over(delay=DELAYS, jitter={"exact": None, "jittered": 0.5})
def waits_between(sdk: Sdk, delay: Any, jitter: float | None) -> Any:
    @sdk.task(retries=2, retry_delay_seconds=delay, retry_jitter_factor=jitter)
    def work() -> Any:
        sdk.note("try", sdk.runtime.task_run.run_count)
        raise ValueError("as I say")

    @sdk.flow
    def main() -> Any:
        return work()

    return main()


@over(
    options={
        "negative": {"retries": -1},
        "negative-jitter": {"retries": 1, "retry_jitter_factor": -1.0},
        "too-many-delays": {"retries": 1, "retry_delay_seconds": [0] * 60},
        "text-delay": {"retries": 1, "retry_delay_seconds": "soon"},
        "condition-no-function": {"retries": 1, "retry_condition_fn": 5},
    }
)
def options_that_cannot_be(sdk: Sdk, options: Any) -> Any:
    def work() -> Any:
        raise ValueError("as I say")

    try:
        task = sdk.task(**options)(work)
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"
    return task(return_state=True).type.value


@over(colour={"sync": False, "async": True})
def flow_with_tasks(sdk: Sdk, colour: bool) -> Any:
    """A flow that is tried again calls its tasks again."""

    @sdk.task
    def work(x: int) -> int:
        sdk.note("task", x)
        return x

    def body() -> Any:
        values = [work(1), work.submit(2).result()]
        if sdk.count("flow") == 1:
            raise ValueError("as I say")
        return values

    if not colour:
        return sdk.flow(retries=1)(body)()
    import asyncio

    async def body_in_loop() -> Any:
        return body()

    return asyncio.run(sdk.flow(retries=1)(body_in_loop)())


@case
def flow_with_a_failing_task(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> int:
        if sdk.count("task") == 1:
            raise ValueError("as I say")
        return 7

    @sdk.flow(retries=1)
    def main() -> Any:
        sdk.note("flow", sdk.runtime.flow_run.run_count)
        return work()

    return main()


@case
def flow_and_task_both(sdk: Sdk) -> Any:
    @sdk.task(retries=1)
    def work() -> int:
        sdk.note("task", sdk.runtime.task_run.run_count)
        raise ValueError("as I say")

    @sdk.flow(retries=1)
    def main() -> Any:
        sdk.note("flow", sdk.runtime.flow_run.run_count)
        return work()

    return main(return_state=True)


@case
def flow_with_a_subflow(sdk: Sdk) -> Any:
    @sdk.flow
    def inner() -> int:
        if sdk.count("inner") == 1:
            raise ValueError("as I say")
        return 7

    @sdk.flow(retries=1)
    def main() -> Any:
        return inner()

    return main()


@case
def flow_with_a_delay(sdk: Sdk) -> Any:
    @sdk.flow(retries=2, retry_delay_seconds=0.01)
    def main() -> Any:
        sdk.note("try", sdk.runtime.flow_run.run_count)
        raise ValueError("as I say")

    return main(return_state=True)


@case
def flow_returning_a_failed_future(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> int:
        if sdk.count("task") == 1:
            raise ValueError("as I say")
        return 7

    @sdk.flow(retries=1)
    def main() -> Any:
        return work.submit()

    return main()


@case
def in_options(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> int:
        if sdk.count("try") < 3:
            raise ValueError("as I say")
        return 7

    return work.with_options(retries=2)()


@case
def upstream_is_not_asked_again(sdk: Sdk) -> Any:
    @sdk.task
    def before() -> int:
        sdk.note("before")
        return 1

    @sdk.task(retries=1)
    def after(value: int) -> int:
        if sdk.count("after") == 1:
            raise ValueError("as I say")
        return value

    @sdk.flow
    def main() -> Any:
        return after.submit(before.submit()).result()

    return main()


@case
def arguments_changed_by_a_try(sdk: Sdk) -> Any:
    @sdk.task(retries=1)
    def work(values: list[int]) -> list[int]:
        values.append(len(values))
        if sdk.count("try") == 1:
            raise ValueError("as I say")
        return values

    return work([])


@case
def naming_is_asked_once(sdk: Sdk) -> Any:
    def name() -> str:
        sdk.note("named")
        return "by hand"

    @sdk.task(retries=1, task_run_name=name)
    def work() -> str:
        if sdk.count("try") == 1:
            raise ValueError("as I say")
        return sdk.runtime.task_run.name

    return work()


@case
def states_are_told(sdk: Sdk) -> Any:
    """The hooks of a run that is tried again."""

    def told(task: Any, run: Any, state: Any) -> None:
        sdk.note(show(state.type.value), state.name)

    @sdk.task(retries=1, on_running=[told], on_failure=[told], on_completion=[told])
    def work() -> int:
        if sdk.count("try") == 1:
            raise ValueError("as I say")
        return 7

    return work()
