# pyright: basic
"""Flows and tasks that are methods, and other things that can be called."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from tests.semantics.collection import over
from tests.semantics.sdk import Sdk

KINDS = {"flow": True, "task": False}


def _make(sdk: Sdk, is_flow: bool) -> Any:
    decorate = sdk.flow if is_flow else sdk.task

    class Adder:
        by = 10

        def __init__(self, by: int) -> None:
            self.by = by

        @decorate
        def method(self, x: int) -> int:
            return x + self.by

        @decorate
        @classmethod
        def of_class(cls, x: int) -> int:
            return x + cls.by

        @decorate
        @staticmethod
        def of_none(x: int) -> int:
            return x + 1

        @classmethod
        @decorate
        def class_outside(cls, x: int) -> int:
            return x + cls.by

        @staticmethod
        @decorate
        def static_outside(x: int) -> int:
            return x + 1

        @decorate
        async def in_loop(self, x: int) -> int:
            return x + self.by

    return Adder


CALLS = {
    "method": lambda adder: adder(5).method(1),
    "method-by-name": lambda adder: adder(5).method(x=1),
    "of-class": lambda adder: adder.of_class(1),
    "of-class-by-instance": lambda adder: adder(5).of_class(1),
    "of-none": lambda adder: adder.of_none(1),
    "of-none-by-instance": lambda adder: adder(5).of_none(1),
    "class-outside": lambda adder: adder.class_outside(1),
    "static-outside": lambda adder: adder.static_outside(1),
    "in-loop": lambda adder: asyncio.run(adder(5).in_loop(1)),
    "unbound": lambda adder: adder.method(adder(5), 1),
    "state": lambda adder: adder(5).method(1, return_state=True),
    "options": lambda adder: adder(5).method.with_options(name="other")(1),
    "two-instances": lambda adder: [adder(5).method(1), adder(6).method(1)],
    "name": lambda adder: adder(5).method.name,
    "missing": lambda adder: adder(5).method(),
}


@over(kind=KINDS, call=CALLS)
def bound(sdk: Sdk, kind: bool, call: Any) -> Any:
    return call(_make(sdk, kind))


@over(
    call={
        "submit": lambda adder: adder(5).method.submit(1).result(),
        "map": lambda adder: adder(5).method.map([1, 2]).result(),
    }
)
def bound_and_submitted(sdk: Sdk, call: Any) -> Any:
    adder = _make(sdk, False)
    return sdk.flow(name="around")(lambda: call(adder))()


class Callable:
    """An object that can be called."""

    def __call__(self, x: int = 1) -> int:
        return x + 1


GIVEN = {
    "lambda": lambda: lambda x=1: x + 1,
    "builtin": lambda: len,
    "partial": lambda: partial(lambda x, y: x + y, 1),
    "object": Callable,
    "class": lambda: Callable,
    "text": lambda: "no function",
}


@over(kind=KINDS, given=GIVEN)
def other_callables(sdk: Sdk, kind: bool, given: Any) -> Any:
    try:
        made = (sdk.flow if kind else sdk.task)(name="work")(given())
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"
    return "made" if made.name == "work" else made.name
