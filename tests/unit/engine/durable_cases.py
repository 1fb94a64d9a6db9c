"""The stories of durable runs: what each attempt calls, and what of that is executed.

Each is told twice: with plain functions, and with coroutine functions in a loop. An attempt that calls `die` is over, and the
run is opened again for the next one.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from headrace.engine.flow_definition import Flow
from headrace.engine.futures import allow_failure, quote
from headrace.engine.task_definition import Task
from headrace.states import Completed


class Call(NamedTuple):
    """A call of a task or flow, with an argument that may refer to what was returned before; `keywords` may say how."""

    name: str
    argument: Any = None
    how: str = "call"


Steps = Generator[Call, Any, Any]
"""Yields the calls it makes, and is sent what they return."""


class Of(NamedTuple):
    """Stands for what a call of the same attempt returned, by its number; or for one item of that."""

    call: int
    item: int | None = None


class Around(NamedTuple):
    """Stands for what is made of what another call returned."""

    make: Callable[[Any], Any]
    of: Of


class Fresh(NamedTuple):
    """Stands for something made anew for each call."""

    make: Callable[[], Any]


class Model:
    """Known by where it came from: one is not like the other, and none can be pickled the same way twice."""

    made = 0

    def __init__(self, value: Any) -> None:
        self.value = value
        Model.made += 1
        self.number = Model.made


@dataclass(frozen=True)
class Story:
    """`executed`: which tasks were, with their plain arguments, in each attempt; `values` what the last attempt's calls
    returned, `says` what its log holds, `options` those of the flow, `tasks` those of some tasks.
    """

    name: str
    attempts: Sequence[Sequence[Call]]
    executed: str
    values: Sequence[Any] | None = None
    says: str = ""
    options: Mapping[str, Any] = field(default_factory=lambda: {"durable": True})
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


def closing_over_a_lock() -> Callable[[], Any]:
    lock = threading.Lock()
    return lambda: lock


class Told:
    """A story's flow and tasks, and what they have done."""

    def __init__(self, story: Story, asynchronous: bool) -> None:
        self.story = story
        self.asynchronous = asynchronous
        self.executed: list[list[str]] = []
        self.values: list[Any] = []
        self.ticks = self.deaths = 0
        self.callables: dict[str, Any] = {
            name: self._define(name, body) for name, body in vars(type(self)).items() if name.startswith("t_")
        }
        self.flow = Flow(self._colour("story", self._attempt), name="story", **story.options)

    def _define(self, name: str, body: Callable[..., Any]) -> Any:
        name = name.removeprefix("t_")
        options = {"persist_result": True} if "flow" in name and "lock" not in name else {}
        kind: Any = Flow if "flow" in name else Task
        function = self._colour(name, body.__get__(self))
        return kind(function, name=name, **{**options, **self.story.tasks.get(name, {})})

    def _colour(self, name: str, body: Callable[..., Any]) -> Callable[..., Any]:
        """The body as a function of either colour. One that is a generator yields the calls it makes."""

        def one(x: Any = None) -> Any:
            steps = self._steps(name, body, x)
            reply = None
            try:
                while True:
                    reply = self._call(steps.send(reply))
            except StopIteration as end:
                return end.value

        async def one_in_loop(x: Any = None) -> Any:
            steps = self._steps(name, body, x)
            reply = None
            try:
                while True:
                    call = steps.send(reply)
                    reply = self._call(call)
                    reply = reply if call.how == "submit" else await reply
            except StopIteration as end:
                return end.value

        function = one_in_loop if self.asynchronous else one
        function.__name__ = function.__qualname__ = name
        return function

    def _steps(self, name: str, body: Callable[..., Any], x: Any) -> Steps:
        if name != "story" and "flow" not in name:
            self.executed[-1].append(f"{name}({x})" if isinstance(x, int) else name)
        result: Any = body(x)
        return (yield from cast("Steps", result)) if hasattr(result, "send") else result

    def _call(self, call: Call) -> Any:
        called = self.callables[f"t_{call.name}"]
        if call.how == "submit":
            return called.submit(call.argument)
        return called(call.argument, return_state=True) if call.how == "state" else called(call.argument)

    def _attempt(self, x: Any) -> Steps:
        calls = self.story.attempts[len(self.executed)]
        self.executed.append([])
        self.values = []
        for call in calls:
            self.values.append((yield call._replace(argument=self._resolve(call.argument))))
        return None

    def _resolve(self, argument: Any) -> Any:
        if isinstance(argument, Around):
            return argument.make(self._resolve(argument.of))
        if isinstance(argument, Of):
            value = self.values[argument.call]
            return value if argument.item is None else value[argument.item]
        return argument.make() if isinstance(argument, Fresh) else argument

    def begin(self) -> None:
        """Make the first attempt."""
        if self.asynchronous:
            asyncio.run(self.flow())
        else:
            self.flow()

    # what the tasks do

    def t_double(self, x: int) -> int:
        return 2 * x

    def t_other(self, x: Any) -> str:
        return "other"

    def t_tick(self, x: Any) -> int:
        self.ticks += 1
        return self.ticks

    def t_make(self, x: Any) -> Model:
        return Model(x)

    def t_pair(self, x: Any) -> tuple[Model, Model]:
        return Model(1), Model(2)

    def t_state(self, x: Any) -> Any:
        return Completed("all is well")

    def t_use(self, x: Any) -> str:
        if isinstance(x, socket.socket):
            x.close()
        return "used"

    def t_lock(self, x: Any) -> Any:
        return threading.Lock()

    def t_fail(self, x: Any) -> None:
        raise ValueError("no")

    def t_die(self, x: Any) -> None:
        raise SystemExit(9)

    def t_die_once(self, x: Any) -> None:
        self.deaths += 1
        if self.deaths == 1:
            raise SystemExit(9)

    def t_group(self, x: int) -> Steps:
        before = yield Call("double", x)
        yield Call("die_once")
        after = yield Call("double", x + 1)
        return before + after

    def t_flow(self, x: int) -> Steps:
        return (yield Call("double", x))

    def t_flow_that_dies(self, x: int) -> Steps:
        before = yield Call("double", x)
        yield Call("die_once")
        after = yield Call("double", x + 1)
        return before + after

    def t_fail_once(self, x: Any) -> None:
        self.deaths += 1
        if self.deaths == 1:
            raise ValueError("not yet")

    def t_flow_that_fails(self, x: int) -> Steps:
        before = yield Call("double", x)
        yield Call("fail_once")
        return before

    def t_flow_with_lock(self, x: int) -> Steps:
        yield Call("double", x)
        return threading.Lock()


def list_of(made: Any) -> list[Any]:
    return [(made, 1)]


def dict_of(made: Any) -> dict[str, Any]:
    return {"made": made}


DIE = Call("die")


def twice(*calls: Call) -> Sequence[Sequence[Call]]:
    """The calls, death, and the same calls again."""
    return [[*calls, DIE], calls]


ORDER = (
    Story(
        "goes on after what had finished",
        [[Call("double", 1), Call("double", 2), DIE], [Call("double", number) for number in (1, 2, 3)]],
        "double(1) double(2) die | double(3)",
        [2, 4, 6],
        "Resumed: 2 task runs are restored when they are called again, 1 had not finished.",
    ),
    Story(
        "knows calls by what they are called with, in whatever order they come",
        [[Call("double", 1), Call("double", 2), DIE], [Call("double", 2), Call("other"), Call("double", 1)]],
        "double(1) double(2) die | other",
        [4, "other", 2],
    ),
    Story(
        "knows calls by what is called",
        [[Call("double", 1), DIE], [Call("other", 1)]],
        "double(1) die | other(1)",
        says="What earlier attempts had finished and this one did not call: double-0.",
    ),
    Story(
        "calls again what has other inputs",
        [[Call("double", 1), DIE], [Call("double", 2)]],
        "double(1) die | double(2)",
        says="Not restored: no finished call of it had these inputs.",
    ),
    Story(
        "tells equal calls apart by their order",
        [[Call("tick"), Call("tick"), DIE], [Call("tick")] * 3],
        "tick tick die | tick",
        [1, 2, 3],
    ),
    Story(
        "dies again and again",
        [[Call("tick"), DIE], [Call("tick"), Call("double", 1), DIE], [Call("tick"), Call("double", 1)]],
        "tick die | double(1) die | ",
        [1, 2],
        "Resumed: 2 task runs",
    ),
    Story(
        "calls again what has failed",
        [[Call("fail", how="state"), DIE], [Call("fail", how="state")]],
        "fail die | fail",
    ),
)

INPUTS = (
    Story("is given what a task returned", twice(Call("make"), Call("use", Of(0))), "make use die | "),
    Story(
        "is given one of several that a task returned",
        twice(Call("pair"), Call("use", Of(0, 1)), Call("use", Of(0, 0))),
        "pair use use die | ",
    ),
    Story(
        "is given the other one of them",
        [[Call("pair"), Call("use", Of(0, 1)), DIE], [Call("pair"), Call("use", Of(0, 0))]],
        "pair use die | use",
    ),
    Story("is given what a task will return", twice(Call("make", how="submit"), Call("use", Of(0))), "make use die | "),
    Story("is given a state", twice(Call("make", how="state"), Call("use", Of(0))), "make use die | "),
    Story(
        "is given it in a list",
        twice(Call("make"), Call("use", Around(list_of, Of(0)))),
        "make use die | ",
    ),
    Story("is given it in a dictionary", twice(Call("make"), Call("use", Around(dict_of, Of(0)))), "make use die | "),
    Story(
        "is given it with leave to have failed",
        twice(Call("make"), Call("use", Around(allow_failure, Of(0)))),
        "make use die | ",
    ),
    Story("is given it quoted", twice(Call("double", 1), Call("use", Around(quote, Of(0)))), "double(1) use(2) die | "),
    Story(
        "is given the state of a subflow",
        twice(Call("flow", 1, how="state"), Call("use", Of(0))),
        "double(1) use(2) die | ",
    ),
    Story(
        "is given what is made anew",
        [[Call("lock"), Call("use", Of(0)), DIE], [Call("lock"), Call("use", Of(0))]],
        "lock use die | lock use",
        says="Its value cannot be kept, so after a crash it would run again",
    ),
    Story(
        "is given a lock",
        twice(Call("use", Fresh(threading.Lock))),
        "use die | use",
        says="Not restored: argument 'x' (lock) is not the same in every process.",
    ),
    Story(
        "is given an open socket",
        twice(Call("use", Fresh(socket.socket))),
        "use die | use",
        says="Not restored: argument 'x' (socket) is not the same in every process.",
    ),
    Story(
        "is given what closes over a lock",
        twice(Call("use", Fresh(closing_over_a_lock))),
        "use die | use",
        says="Not restored: argument 'x' (function) is not the same in every process.",
    ),
)

VALUES = (
    Story("returned a state", twice(Call("state")), "state die | ", [None]),
    Story(
        "returned what is not kept in memory",
        twice(Call("double", 1)),
        "double(1) die | ",
        [2],
        tasks={"double": {"cache_result_in_memory": False}},
    ),
    Story(
        "returned what cannot be kept",
        twice(Call("lock")),
        "lock die | lock",
        says="Not restored: the value it had was not kept.",
    ),
)

SCOPES = (
    Story(
        "calls from a task what had finished, from where it had died",
        [[Call("group", 1)], [Call("group", 1)]],
        "group(1) double(1) die_once | group(1) die_once double(2)",
        [6],
    ),
    Story(
        "does not take a call from a task for one from the flow",
        [[Call("double", 2), Call("group", 1)], [Call("group", 1)]],
        "double(2) group(1) double(1) die_once | group(1) die_once double(2)",
        [6],
    ),
    Story(
        "calls from a task that is not durable",
        [[Call("group", 1)], [Call("group", 1)]],
        "group(1) double(1) die_once | group(1) double(1) die_once double(2)",
        [6],
        "Not restored: the task it is called from is not durable.",
        tasks={"group": {"durable": False}},
    ),
    Story(
        "calls a task that is not durable",
        twice(Call("double", 1), Call("other", 1)),
        "double(1) other(1) die | double(1)",
        tasks={"double": {"durable": False}},
    ),
    Story(
        "calls a durable task and is not durable itself",
        twice(Call("double", 1), Call("other", 1)),
        "double(1) other(1) die | other(1)",
        options={},
        tasks={"double": {"durable": True}},
    ),
)

SUBFLOWS = (
    Story("has a subflow that had finished", twice(Call("flow", 1)), "double(1) die | ", [2]),
    Story(
        "has a subflow that had not",
        [[Call("flow_that_dies", 1)], [Call("flow_that_dies", 1)]],
        "double(1) die_once | die_once double(2)",
        [6],
        "Resumed: 1 task runs are restored when they are called again, 1 had not finished.",
    ),
    Story(
        "has a subflow whose value could not be kept",
        twice(Call("flow_with_lock", 1)),
        "double(1) die | ",
        says="Not restored: the value it had was not kept.",
    ),
    Story(
        "has a subflow that is not durable",
        twice(Call("flow", 1)),
        "double(1) die | double(1)",
        [2],
        tasks={"flow": {"durable": False}},
    ),
)

RETRIES = (
    Story(
        "is tried again in its process",
        [[Call("double", 1), Call("fail")], [Call("double", 1), Call("other")]],
        "double(1) fail | other",
        [2, "other"],
        options={"durable": True, "retries": 1},
    ),
    Story(
        "is tried again in its process, of which only a task is durable",
        [[Call("double", 1), Call("tick"), Call("fail")], [Call("double", 1), Call("tick")]],
        "double(1) tick fail | tick",
        [2, 2],
        options={"retries": 1},
        tasks={"double": {"durable": True}},
    ),
    Story(
        "is tried again in its process, subflow and all",
        [[Call("double", 1), Call("flow_that_fails", 3)]] * 2,
        "double(1) double(3) fail_once | fail_once",
        [2, 6],
        options={"durable": True, "retries": 1},
    ),
)

STORIES = (*ORDER, *INPUTS, *VALUES, *SCOPES, *SUBFLOWS, *RETRIES)
