# pyright: basic
"""What `map` runs, and what it makes of arguments it cannot map."""

from __future__ import annotations

from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe, show
from tests.semantics.sdk import Sdk

ARGUMENTS = {
    "list": lambda sdk: ([1, 2],),
    "range": lambda sdk: (range(3),),
    "tuple": lambda sdk: ((1, 2),),
    "empty": lambda sdk: ([],),
    "generator": lambda sdk: ((n for n in (1, 2)),),
    "iterator": lambda sdk: (iter([1, 2]),),
    "dict": lambda sdk: ({"a": 1, "b": 2},),
    "keys": lambda sdk: ({"a": 1, "b": 2}.keys(),),
    "text": lambda sdk: ("ab",),
    "text-and-list": lambda sdk: ("ab", [1, 2]),
    "bytes-and-list": lambda sdk: (b"ab", [1, 2]),
    "number": lambda sdk: (1,),
    "number-and-list": lambda sdk: (1, [1, 2]),
    "none": lambda sdk: (None,),
    "two-lists": lambda sdk: ([1, 2], ["a", "b"]),
    "lengths-differ": lambda sdk: ([1, 2], [1, 2, 3]),
    "one-and-many": lambda sdk: ([1], [1, 2, 3]),
    "one-empty": lambda sdk: ([], [1]),
    "unmapped": lambda sdk: ([1, 2], sdk.unmapped([3, 4])),
    "only-unmapped": lambda sdk: (sdk.unmapped([1, 2]),),
    "unmapped-text": lambda sdk: ([1, 2], sdk.unmapped("ab")),
    "quoted": lambda sdk: ([1, 2], sdk.quote([3, 4])),
    "only-quoted": lambda sdk: (sdk.quote([1, 2]),),
    "allowed": lambda sdk: (sdk.allow_failure([1, 2]),),
    "nothing": lambda sdk: (),
    "nested": lambda sdk: ([[1, 2], [3]],),
    "too-many": lambda sdk: ([1], [1], [1], [1]),
}


@over(arguments=ARGUMENTS)
def over_arguments(sdk: Sdk, arguments: Any) -> Any:
    @sdk.task
    def work(x: Any = "x", y: Any = "y", *, z: Any = "z") -> Any:
        return (x, y, z)

    @sdk.flow
    def main() -> Any:
        return work.map(*arguments(sdk)).result()

    return main()


@over(
    named={
        "one": {"y": [1, 2]},
        "two": {"x": [1, 2], "z": [3, 4]},
        "fixed": {"x": [1, 2], "z": 5},
        "unknown": {"a": [1]},
    }
)
def over_named_arguments(sdk: Sdk, named: Any) -> Any:
    @sdk.task
    def work(x: Any = "x", y: Any = "y", *, z: Any = "z") -> Any:
        return (x, y, z)

    @sdk.flow
    def main() -> Any:
        return work.map(**named).result()

    return main()


UPSTREAM = {
    "list": lambda make, sdk: make.submit([1, 2]),
    "number": lambda make, sdk: make.submit(5),
    "text": lambda make, sdk: make.submit("ab"),
    "failed": lambda make, sdk: make.submit(None),
    "failed-allowed": lambda make, sdk: sdk.allow_failure(make.submit(None)),
    "unmapped": lambda make, sdk: sdk.unmapped(make.submit([1, 2])),
    "list-of-futures": lambda make, sdk: [make.submit(1), make.submit(2)],
    "list-with-failed": lambda make, sdk: [make.submit(1), make.submit(None)],
    "list-with-failed-allowed": lambda make, sdk: sdk.allow_failure([make.submit(1), make.submit(None)]),
    "mapped": lambda make, sdk: make.map([1, 2]),
    "mapped-with-failed": lambda make, sdk: make.map([1, None]),
    "state": lambda make, sdk: make([1, 2], return_state=True),
}


@over(upstream=UPSTREAM)
def over_upstream(sdk: Sdk, upstream: Any) -> Any:
    @sdk.task
    def make(value: Any) -> Any:
        if value is None:
            raise ValueError("as I say")
        return value

    @sdk.task
    def work(x: Any) -> Any:
        return (x,)

    @sdk.flow
    def main() -> Any:
        try:
            futures = work.map(upstream(make, sdk))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            sdk.note("raised", describe(error))
            return None
        return [show(future.result(raise_on_failure=False)) for future in futures]

    return main()


@over(
    ends={
        "futures": lambda futures: futures,
        "results": lambda futures: futures.result(),
        "results-kept": lambda futures: futures.result(raise_on_failure=False),
        "states": lambda futures: (futures.wait(), [future.state for future in futures])[1],
    },
    values={"good": [1, 2], "one-bad": [1, None], "empty": []},
)
def flow_returns(sdk: Sdk, ends: Any, values: Any) -> Any:
    @sdk.task
    def work(x: Any) -> Any:
        if x is None:
            raise ValueError("as I say")
        return x

    @sdk.flow
    def main() -> Any:
        return ends(work.map(values))

    return main(return_state=True)


@over(values={"good": [1, 2], "one-bad": [1, None], "empty": []})
def returns_states(sdk: Sdk, values: Any) -> Any:
    @sdk.task
    def work(x: Any) -> Any:
        if x is None:
            raise ValueError("as I say")
        return x

    @sdk.flow
    def main() -> Any:
        states = work.map(values, return_state=True)
        sdk.note(*(show(state) for state in states))
        return "done"

    return main()


@case
def waits_for_a_failed_run(sdk: Sdk) -> Any:
    @sdk.task
    def work(x: Any) -> Any:
        if x is None:
            raise ValueError("as I say")
        return x

    @sdk.flow
    def main() -> Any:
        futures = work.map([1, 2], wait_for=[work.submit(None)])
        return [show(future.result(raise_on_failure=False)) for future in futures]

    return main()


@case
def outside_of_a_flow(sdk: Sdk) -> Any:
    @sdk.task
    def work(x: int) -> int:
        return x + 1

    return work.map([1, 2]).result()


@case
def of_a_method(sdk: Sdk) -> Any:
    class Adder:
        def __init__(self, by: int) -> None:
            self.by = by

        @sdk.task
        def add(self, x: int) -> int:
            return x + self.by

    @sdk.flow
    def main() -> Any:
        return Adder(5).add.map([1, 2]).result()

    return main()
