"""The ways in which a function is run: as a flow or a task, of each colour, called, submitted, mapped, iterated.

A case that is played over ways is written once, with a plain function; `Use` makes the definition and runs it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.semantics.sdk import Sdk


@dataclass(frozen=True)
class Way:
    """How a function is run: `kind` says as what, `call` how it is asked to, `around` in a flow of which colour, if in any."""

    kind: str
    colour: str = "sync"
    call: str = "call"
    around: str | None = None
    runner: str | None = None

    @property
    def is_concurrent(self) -> bool:
        """Whether several runs go on at once, so that what they note comes in any order."""
        return self.call == "map"


RUNNERS: Mapping[str, Callable[[Sdk], Any]] = {
    "threads": lambda sdk: sdk.task_runners.ThreadPoolTaskRunner(max_workers=4),
}
"""The task runners, each of which executes what is submitted and mapped."""

FLOWS: Mapping[str, Way] = {
    "flow": Way("flow"),
    "flow-state": Way("flow", call="state"),
    "async-flow": Way("flow", "async"),
    "async-flow-state": Way("flow", "async", "state"),
    "subflow": Way("flow", around="sync"),
    "subflow-state": Way("flow", call="state", around="sync"),
    "async-subflow": Way("flow", "async", around="async"),
    "async-subflow-state": Way("flow", "async", "state", "async"),
}
CALLED: Mapping[str, Way] = {
    "task": Way("task", around="sync"),
    "task-state": Way("task", call="state", around="sync"),
    "async-task": Way("task", "async", around="async"),
    "async-task-state": Way("task", "async", "state", "async"),
    "task-alone": Way("task"),
    "async-task-alone": Way("task", "async"),
}
SUBMITTED: Mapping[str, Way] = {
    f"{colour}{call}-{runner}": Way("task", colour.strip("-") or "sync", call, "sync", runner)
    for runner in RUNNERS
    for colour in ("", "async-")
    for call in ("submit", "submit-state", "map")
}
ITERATED: Mapping[str, Way] = {
    "flow-items": Way("flow", "generator", "items"),
    "async-flow-items": Way("flow", "async-generator", "items"),
    "task-items": Way("task", "generator", "items", "sync"),
    "async-task-items": Way("task", "async-generator", "items", "async"),
}
TASKS = {**CALLED, **SUBMITTED}
PLAIN = {**FLOWS, **TASKS}
SOME = {
    name: PLAIN[name]
    for name in (
        *("flow", "async-flow-state", "subflow-state", "task", "async-task-state"),
        *(f"{call}-{runner}" for runner in RUNNERS for call in ("submit-state", "map")),
    )
}
"""At least one of everything that can make a difference."""

FEW = {name: PLAIN[name] for name in ("flow-state", "async-flow", "task-state", "async-task", "submit-threads")}
"""For what has little to do with the way."""


class Use:
    """One way, on one SDK."""

    def __init__(self, sdk: Sdk, way: Way) -> None:
        self.sdk = sdk
        self.way = way

    def define(self, **options: Any) -> Callable[[Callable[..., Any]], Any]:
        """Decorate a plain function: it becomes a flow or a task, of the way's colour."""
        decorator = self.sdk.flow if self.way.kind == "flow" else self.sdk.task
        return lambda body: decorator(**options)(_COLOURS[self.way.colour](body))

    def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        """Run it: its value, or its state; what it raises is raised. A `map` runs it twice, with 0 and 1 as `item`."""
        around = self.way.around
        if around is None:
            call = self._call(work, args, kwargs)
            return asyncio.run(call) if inspect.iscoroutine(call) else call
        told: list[Any] = []
        options = {"task_runner": RUNNERS[self.way.runner](self.sdk)} if self.way.runner else {}
        make = self._in_flow if around == "sync" else self._in_async_flow
        ran = self.sdk.flow(name="around", **options)(make(told, work, args, kwargs))()
        if around == "async":
            asyncio.run(ran)
        if isinstance(told[0], _Raised):
            raise told[0].error
        return told[0]

    def _in_flow(self, told: list[Any], work: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], None]:
        def in_flow() -> None:
            try:
                told.append(self._call(work, args, kwargs))
            except BaseException as error:  # noqa: BLE001 - whatever it is, the case asked for it
                told.append(_Raised(error))

        return in_flow

    def _in_async_flow(
        self, told: list[Any], work: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[], Any]:
        async def in_flow() -> None:
            try:
                told.append(await self._call(work, args, kwargs))
            except BaseException as error:  # noqa: BLE001 - as above
                told.append(_Raised(error))

        return in_flow

    def _call(self, work: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        match self.way.call:
            case "call":
                return work(*args, **kwargs)
            case "state":
                return work(*args, return_state=True, **kwargs)
            case "submit":
                return work.submit(*args, **kwargs).result()
            case "submit-state":
                return work.submit(*args, return_state=True, **kwargs)
            case "map":
                same = {name: self.sdk.unmapped(value) for name, value in kwargs.items()}
                return work.map([0, 1], *map(self.sdk.unmapped, args), **same).result()
            case _:
                return self._items(work(*args, **kwargs))

    def _items(self, items: Any) -> Any:
        if self.way.colour == "generator":
            return list(items)

        async def gather() -> list[Any]:
            return [item async for item in items]

        return gather()


@dataclass
class _Raised:
    error: BaseException


def _plain(body: Callable[..., Any]) -> Callable[..., Any]:
    return body


def _in_loop(body: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(body)
    async def work(*args: Any, **kwargs: Any) -> Any:
        value = body(*args, **kwargs)
        return await value if inspect.isawaitable(value) else value

    return work


def _item_by_item(body: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(body)
    def work(*args: Any, **kwargs: Any) -> Any:
        yield body(*args, **kwargs)

    return work


def _item_by_item_in_loop(body: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(body)
    async def work(*args: Any, **kwargs: Any) -> Any:
        yield body(*args, **kwargs)

    return work


_COLOURS: Mapping[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "sync": _plain,
    "async": _in_loop,
    "generator": _item_by_item,
    "async-generator": _item_by_item_in_loop,
}
