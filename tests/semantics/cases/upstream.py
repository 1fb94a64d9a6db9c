# pyright: basic
"""What a task is given of the runs before it, and what becomes of it when they did not complete."""

from __future__ import annotations

from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe, show
from tests.semantics.sdk import Sdk

STATES = {
    "completed": lambda sdk: 7,
    "failed": lambda sdk: sdk.states.Failed(message="as I say"),
    "raising": lambda sdk: _raise(ValueError("as I say")),
    "cancelled": lambda sdk: sdk.states.Cancelled(message="as I say"),
    "crashed": lambda sdk: sdk.states.Crashed(message="as I say"),
    "named": lambda sdk: sdk.states.Completed(name="Skipped", data=3),
}

PLACES = {
    "alone": lambda made, sdk: made,
    "in-list": lambda made, sdk: [made, 1],
    "in-tuple": lambda made, sdk: (made, 1),
    "in-set": lambda made, sdk: {made},
    "in-dict": lambda made, sdk: {"a": made},
    "deep": lambda made, sdk: {"a": [(made,)]},
    "allowed": lambda made, sdk: sdk.allow_failure(made),
    "list-allowed": lambda made, sdk: sdk.allow_failure([made]),
    "allowed-in-list": lambda made, sdk: [sdk.allow_failure(made)],
    "unmapped": lambda made, sdk: sdk.unmapped(made),
    "quoted": lambda made, sdk: sdk.quote([1, 2]),
    "state": lambda made, sdk: (made.wait(), made.state)[1],
    "state-in-list": lambda made, sdk: [(made.wait(), made.state)[1]],
    "state-allowed": lambda made, sdk: (made.wait(), sdk.allow_failure(made.state))[1],
}


def _raise(error: BaseException) -> Any:
    raise error


def _attempt(sdk: Sdk, perform: Any) -> Any:
    try:
        return perform()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        sdk.note("raised", describe(error))
        return None


@over(first=STATES, place=PLACES)
def given_to_submitted(sdk: Sdk, first: Any, place: Any) -> Any:
    @sdk.task
    def before() -> Any:
        return first(sdk)

    @sdk.task
    def after(value: Any) -> Any:
        sdk.note("given", show(value))
        return 1

    @sdk.flow
    def main() -> Any:
        future = after.submit(place(before.submit(), sdk))
        future.wait()
        sdk.note(future.state.type.value, future.state.name)
        return _attempt(sdk, future.result)

    return main()


@over(first={name: STATES[name] for name in ("completed", "raising", "cancelled")}, place=PLACES)
def given_to_called(sdk: Sdk, first: Any, place: Any) -> Any:
    @sdk.task
    def before() -> Any:
        return first(sdk)

    @sdk.task
    def after(value: Any) -> Any:
        sdk.note("given", show(value))
        return 1

    @sdk.flow
    def main() -> Any:
        made = before.submit()
        return _attempt(sdk, lambda: after(place(made, sdk)))

    return main()


@over(
    first=STATES,
    waits={
        "list": lambda made, sdk: [made],
        "alone": lambda made, sdk: made,
        "allowed": lambda made, sdk: [sdk.allow_failure(made)],
        "state": lambda made, sdk: [(made.wait(), made.state)[1]],
    },
    call={"submit": True, "call": False},
)
def waited_for(sdk: Sdk, first: Any, waits: Any, call: bool) -> Any:
    @sdk.task
    def before() -> Any:
        return first(sdk)

    @sdk.task
    def after() -> int:
        sdk.note("executed")
        return 1

    @sdk.flow
    def main() -> Any:
        made = before.submit()
        options = {"wait_for": waits(made, sdk)}
        return _attempt(sdk, lambda: after.submit(**options).result() if call else after(**options))

    return main()


@over(first={name: STATES[name] for name in ("completed", "raising")}, waits={"parameter": False, "wait-for": True})
def subflow_needs(sdk: Sdk, first: Any, waits: bool) -> Any:
    @sdk.task
    def before() -> Any:
        return first(sdk)

    @sdk.flow
    def inner(value: Any = None) -> Any:
        sdk.note("given", show(value))
        return 1

    @sdk.flow
    def main() -> Any:
        made = before.submit()
        return _attempt(sdk, lambda: inner(wait_for=[made]) if waits else inner(made))

    return main()


@case
def a_chain_breaks(sdk: Sdk) -> Any:
    @sdk.task
    def step(value: Any, fail: bool = False) -> Any:
        if fail:
            raise ValueError("as I say")
        return value + 1

    @sdk.flow
    def main() -> Any:
        first = step.submit(1, fail=True)
        second = step.submit(first)
        third = step.submit(second)
        other = step.submit(5)
        sdk.note(*(show(future.result(raise_on_failure=False)) for future in (first, second, third, other)))
        return third

    return main(return_state=True)


@case
def unquoted(sdk: Sdk) -> Any:
    @sdk.task
    def work(value: Any) -> Any:
        return type(value).__name__

    @sdk.flow
    def main() -> Any:
        return work.submit(sdk.quote({"a": 1})).result()

    return main()


@case
def future_from_another_flow(sdk: Sdk) -> Any:
    @sdk.task
    def work(value: int) -> int:
        return value + 1

    @sdk.flow
    def inner() -> Any:
        return work.submit(1)

    @sdk.flow
    def main() -> Any:
        return work(inner())

    return main()
