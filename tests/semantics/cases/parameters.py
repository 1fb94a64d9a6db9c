# pyright: basic
"""What a call's arguments become, and which calls are refused."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tests.semantics.collection import case, over
from tests.semantics.sdk import Sdk
from tests.semantics.ways import FEW, FLOWS, PLAIN, Use


class Colour(enum.Enum):
    RED = "red"


class Model(BaseModel):
    x: int
    y: str = "y"


@dataclass
class Point:
    x: int
    y: int = 0


class Plain:
    def __repr__(self) -> str:
        return "Plain()"


CONVERSIONS: dict[str, tuple[Any, Any]] = {
    "int": (int, 5),
    "text-for-int": (int, "5"),
    "float-for-int": (int, 5.0),
    "fraction-for-int": (int, 5.5),
    "bool-for-int": (int, True),
    "word-for-int": (int, "five"),
    "none-for-int": (int, None),
    "int-for-text": (str, 5),
    "int-for-float": (float, 5),
    "text-for-bool": (bool, "yes"),
    "int-for-bool": (bool, 1),
    "two-for-bool": (bool, 2),
    "text-for-date": (date, "2026-01-02"),
    "text-for-datetime": (datetime, "2026-01-02T03:04:05Z"),
    "number-for-timedelta": (timedelta, 90),
    "text-for-path": (Path, "a/b"),
    "text-for-uuid": (UUID, "12345678-1234-5678-1234-567812345678"),
    "list-of-texts-for-ints": (list[int], ["1", "2"]),
    "tuple-for-list": (list[int], (1, 2)),
    "set-for-list": (list[int], {1}),
    "text-for-list": (list[str], "ab"),
    "list-for-set": (set[int], [1, 1, 2]),
    "list-for-tuple": (tuple[int, str], [1, "a"]),
    "dict-of-texts": (dict[str, int], {"a": "1"}),
    "union": (int | str, "5"),
    "optional": (int | None, "5"),
    "literal": (Literal["a", "b"], "a"),
    "literal-other": (Literal["a", "b"], "c"),
    "enum-by-value": (Colour, "red"),
    "enum-other": (Colour, "blue"),
    "model": (Model, Model(x=1)),
    "dict-for-model": (Model, {"x": "1"}),
    "bad-dict-for-model": (Model, {"y": "1"}),
    "dict-for-dataclass": (Point, {"x": "1"}),
    "constrained": (Annotated[int, Field(gt=3)], 5),
    "constrained-broken": (Annotated[int, Field(gt=3)], 1),
    "plain-class": (Plain, Plain()),
    "plain-class-other": (Plain, 5),
    "any": (Any, [1]),
    "object": (object, [1]),
    "unannotated": (None, [1]),
    "none": (type(None), None),
    "bytes": (bytes, "ab"),
}


@over(use={"flow": FLOWS["flow"], "task": PLAIN["task"]}, conversion=CONVERSIONS)
def conversions(sdk: Sdk, use: Use, conversion: Any) -> Any:
    annotation, value = conversion

    def work(x: Any) -> Any:
        return f"{type(x).__name__} {x!r}"

    work.__annotations__ = {} if annotation is None else {"x": annotation}
    return use.run(use.define()(work), value)


@over(
    conversion={
        name: CONVERSIONS[name] for name in ("text-for-int", "word-for-int", "dict-for-model", "plain-class-other")
    }
)
def unvalidated(sdk: Sdk, conversion: Any) -> Any:
    annotation, value = conversion

    def work(x: Any) -> Any:
        return f"{type(x).__name__} {x!r}"

    work.__annotations__ = {"x": annotation}
    return sdk.flow(validate_parameters=False)(work)(value)


CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "enough": ((1,), {}),
    "all": ((1, 2), {"z": 3}),
    "by-name": ((), {"x": 1, "z": 3}),
    "missing": ((), {}),
    "too-many": ((1, 2, 3), {}),
    "unknown": ((1,), {"a": 1}),
    "twice": ((1,), {"x": 1}),
}


@over(use={name: PLAIN[name] for name in ("flow-state", "async-flow", "subflow", "task", "submit-threads")}, call=CALLS)
def calls(sdk: Sdk, use: Use, call: Any) -> Any:
    @use.define()
    def work(x: Any, y: Any = "y", *, z: Any = "z") -> Any:
        return (x, y, z)

    return use.run(work, *call[0], **call[1])


STAR_CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "one": ((1,), {}),
    "more": ((1, 2, 3), {}),
    "names": ((1,), {"a": 1, "b": 2}),
    "both": ((1, 2), {"a": 1}),
    "args-name": ((1,), {"args": 5}),
    "kwargs-name": ((1,), {"kwargs": 5}),
    "none": ((), {}),
}


@over(use={name: FEW[name] for name in ("flow-state", "task-state", "submit-threads")}, call=STAR_CALLS)
def star_calls(sdk: Sdk, use: Use, call: Any) -> Any:
    @use.define()
    def work(x: Any, *args: Any, **kwargs: Any) -> Any:
        return (x, args, kwargs)

    return use.run(work, *call[0], **call[1])


@over(kind={"flow": True, "task": False}, call={"one": (1,), "two": (1, 2), "none": ()})
def positional_only(sdk: Sdk, kind: bool, call: Any) -> Any:
    def work(x: Any, y: Any = "y", /) -> Any:
        return (x, y)

    return (sdk.flow if kind else sdk.task)(work)(*call)


@over(kind={"flow": True, "task": False}, name={"wait_for": "wait_for", "return_state": "return_state"})
def reserved_names(sdk: Sdk, kind: bool, name: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(f"def work({name}=None): return {name}", namespace)
    return (sdk.flow if kind else sdk.task)(namespace["work"])()


@over(
    default={
        "none-for-int": (int, None),
        "text-for-int": (int, "5"),
        "word-for-int": (int, "five"),
        "mutable": (list, []),
    }
)
def defaults(sdk: Sdk, default: Any) -> Any:
    annotation, value = default

    def work(x: Any = value) -> Any:
        return f"{type(x).__name__} {x!r}"

    work.__annotations__ = {"x": annotation}
    return sdk.flow(work)()


@case
def mutable_default(sdk: Sdk) -> Any:
    @sdk.task
    def work(values: list[int] = []) -> int:  # noqa: B006 - what becomes of it is the question
        values.append(1)
        return len(values)

    return [work(), work()]


@over(kind={"flow": True, "task": False}, validated={"validated": True, "not-validated": False})
def same_object(sdk: Sdk, kind: bool, validated: bool) -> Any:
    """Whether the function gets the very list that was given."""

    def work(x: list[int]) -> None:
        x.append(3)

    given = [1, 2]
    (sdk.flow(validate_parameters=validated) if kind else sdk.task)(work)(given)
    return given


@case
def two_wrong(sdk: Sdk) -> Any:
    @sdk.flow
    def work(x: int, y: int) -> Any:
        return (x, y)

    return work("a", "b", return_state=True)


@over(use={"subflow": FLOWS["subflow"], "subflow-state": FLOWS["subflow-state"], "flow-state": FLOWS["flow-state"]})
def wrong_type(sdk: Sdk, use: Use) -> Any:
    @use.define(retries=1)
    def work(x: int) -> Any:
        sdk.note("executed")
        return x

    return use.run(work, "a")


@case
def forward_reference(sdk: Sdk) -> Any:
    def work(x: Any) -> Any:
        return f"{type(x).__name__} {x!r}"

    work.__annotations__ = {"x": "Model"}
    return sdk.flow(work)({"x": 1})


@case
def unknown_reference(sdk: Sdk) -> Any:
    def work(x: Any) -> Any:
        return f"{type(x).__name__} {x!r}"

    work.__annotations__ = {"x": "Nowhere"}
    return sdk.flow(work)({"x": 1})


@case
def seen_at_run_time(sdk: Sdk) -> Any:
    @sdk.flow
    def main(x: int, y: str = "y") -> Any:
        return sdk.runtime.flow_run.parameters

    return main("5")


@case
def context_of_a_call(sdk: Sdk) -> Any:
    """`return_state=False` and `wait_for=None` are as if nothing had been said."""

    @sdk.task
    def work(x: int) -> int:
        return x

    return work(1, return_state=False, wait_for=None)
