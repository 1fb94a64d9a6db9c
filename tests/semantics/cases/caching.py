# pyright: basic
"""When a task's value is used again."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe
from tests.semantics.sdk import Sdk
from tests.semantics.ways import TASKS, Use

POLICIES = {
    "none-given": lambda of: {},
    "inputs": lambda of: {"cache_policy": of.INPUTS},
    "source": lambda of: {"cache_policy": of.TASK_SOURCE},
    "run-id": lambda of: {"cache_policy": of.RUN_ID},
    "flow-parameters": lambda of: {"cache_policy": of.FLOW_PARAMETERS},
    "default": lambda of: {"cache_policy": of.DEFAULT},
    "no-cache": lambda of: {"cache_policy": of.NO_CACHE},
    "inputs-and-source": lambda of: {"cache_policy": of.INPUTS + of.TASK_SOURCE},
    "inputs-and-run": lambda of: {"cache_policy": of.INPUTS + of.RUN_ID},
    "without-y": lambda of: {"cache_policy": of.INPUTS - "y"},
    "without-both": lambda of: {"cache_policy": of.INPUTS - "x" - "y"},
    "default-without-y": lambda of: {"cache_policy": of.DEFAULT - "y"},
    "source-without-y": lambda of: {"cache_policy": of.TASK_SOURCE - "y"},
    "with-no-cache": lambda of: {"cache_policy": of.INPUTS + of.NO_CACHE},
    "fixed-key": lambda of: {"cache_key_fn": lambda context, inputs: "fixed"},
    "key-of-x": lambda of: {"cache_key_fn": lambda context, inputs: f"x is {inputs['x']}"},
    "no-key": lambda of: {"cache_key_fn": lambda context, inputs: None},
    "failing-key": lambda of: {"cache_key_fn": lambda context, inputs: 1 // 0},
    "key-policy": lambda of: {"cache_policy": of.CacheKeyFnPolicy(cache_key_fn=lambda context, inputs: "fixed")},
}

PERSISTED = {"persisted": {"persist_result": True}, "unsaid": {}, "not-persisted": {"persist_result": False}}


@over(policy=POLICIES, persisted=PERSISTED)
def policies(sdk: Sdk, policy: Any, persisted: Any) -> Any:
    """The same call twice in one flow, another call, and all of it once more in another run of the flow."""

    @sdk.task(**policy(sdk.cache_policies), **persisted)
    def work(x: int, y: int) -> int:
        sdk.note("computed", x, y)
        return x + y

    @sdk.flow
    def main(p: int) -> Any:
        return [work(x, y, return_state=True).name for x, y in ((1, 1), (1, 1), (1, 2))]

    return [main(1), main(2)]


@over(use={name: TASKS[name] for name in ("task", "task-state", "async-task", "submit-threads", "task-alone")})
def each_way(sdk: Sdk, use: Use) -> Any:
    @use.define(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work(x: int, item: int = 0) -> int:
        sdk.note("computed")
        return x

    return [use.run(work, 1), use.run(work, 1)]


VALUES = {
    "none": lambda sdk: None,
    "list": lambda sdk: [1, 2],
    "completed": lambda sdk: sdk.states.Completed(data=5),
    "named": lambda sdk: sdk.states.Completed(data=5, name="Skipped"),
    "failed": lambda sdk: sdk.states.Failed(message="as I say"),
    "unpicklable": lambda sdk: Lock(),
    "error": lambda sdk: ValueError("as I say"),
}


@over(value=VALUES)
def values(sdk: Sdk, value: Any) -> Any:
    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work() -> Any:
        sdk.note("computed")
        return value(sdk)

    @sdk.flow
    def main() -> Any:
        return [(state.type.value, state.name) for state in (work(return_state=True), work(return_state=True))]

    return main()


INPUTS = {
    "equal-lists": ([1], [1]),
    "int-and-float": (1, 1.0),
    "bool-and-int": (True, 1),
    "list-and-tuple": ([1], (1,)),
    "dict-orders": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "sets": ({1, 2}, {2, 1}),
    "none-and-text": (None, "None"),
    "functions": (len, len),
    "nan": (float("nan"), float("nan")),
    "bytes": (b"a", b"a"),
    "lock": (Lock(), Lock()),
}


@over(pair=INPUTS)
def inputs(sdk: Sdk, pair: Any) -> Any:
    """Which arguments are the same to INPUTS."""

    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work(x: Any) -> str:
        sdk.note("computed")
        return "done"

    @sdk.flow
    def main() -> Any:
        return [work(x, return_state=True).name for x in pair]

    return main()


@over(
    pair={
        "default-said": (lambda work: work(1), lambda work: work(1, 0)),
        "by-name": (lambda work: work(1, 2), lambda work: work(x=1, y=2)),
        "upstream": (lambda work: work(1, 2), lambda work: work(1, work.submit(1, 1))),
    }
)
def calls(sdk: Sdk, pair: Any) -> Any:
    """Which ways of writing a call are the same."""

    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work(x: int, y: int = 0) -> int:
        sdk.note("computed", x, y)
        return x + y

    @sdk.flow
    def main() -> Any:
        return [call(work) for call in pair]

    return main()


@over(by={"decorator": False, "options": True})
def refreshed(sdk: Sdk, by: bool) -> Any:
    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work(x: int) -> int:
        return sdk.count("computed")

    again = work.with_options(refresh_cache=True)

    @sdk.flow
    def main() -> Any:
        return [work(1), again(1) if by else work(1), work(1)]

    return main()


@over(lifetime={"long": timedelta(days=1), "over": timedelta(seconds=-1), "zero": timedelta(0)})
def expiring(sdk: Sdk, lifetime: timedelta) -> Any:
    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True, cache_expiration=lifetime)
    def work(x: int) -> int:
        return sdk.count("computed")

    @sdk.flow
    def main() -> Any:
        return [work(1), work(1)]

    return main()


@case
def shared_by_key(sdk: Sdk) -> Any:
    """Two tasks that make the same key share their values."""

    def key(context: Any, inputs: dict[str, Any]) -> str:
        return "shared"

    @sdk.task(cache_key_fn=key, persist_result=True)
    def first() -> str:
        return "first"

    @sdk.task(cache_key_fn=key, persist_result=True)
    def second() -> str:
        return "second"

    @sdk.flow
    def main() -> Any:
        return [first(), second()]

    return main()


@case
def shared_by_inputs(sdk: Sdk) -> Any:
    """Two tasks with the same inputs, of which only one is computed by those who look at nothing else."""

    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def first(x: int) -> str:
        return "first"

    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def second(x: int) -> str:
        return "second"

    @sdk.flow
    def main() -> Any:
        return [first(1), second(1)]

    return main()


@case
def both_given(sdk: Sdk) -> Any:
    try:

        @sdk.task(
            cache_policy=sdk.cache_policies.INPUTS, cache_key_fn=lambda context, inputs: "fixed", persist_result=True
        )
        def work(x: int) -> int:
            sdk.note("computed", x)
            return x
    except Exception:  # noqa: BLE001 - which one it is says little
        return "refused"
    return [work(1), work(2)]


@case
def key_function_is_told(sdk: Sdk) -> Any:
    def key(context: Any, inputs: dict[str, Any]) -> str:
        sdk.note(sorted(inputs), context.task.name, context.task_run.name != "")
        return "fixed"

    @sdk.task(cache_key_fn=key, persist_result=True)
    def work(x: int, *rest: int, y: int = 2, **others: int) -> int:
        return x

    return work(1, 5, z=3)


@case
def own_policy(sdk: Sdk) -> Any:
    class ByX(sdk.cache_policies.CachePolicy):
        def compute_key(self, task_ctx: Any, inputs: Any, flow_parameters: Any, **kwargs: Any) -> str:
            return f"x{inputs['x']}{sorted(flow_parameters)}"

    @sdk.task(cache_policy=ByX(), persist_result=True)
    def work(x: int, y: int) -> int:
        return sdk.count("computed")

    @sdk.flow
    def main(p: int) -> Any:
        return [work(1, 1), work(1, 2), work(2, 2)]

    return main(1)


@case
def failure_is_not_kept(sdk: Sdk) -> Any:
    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True)
    def work() -> str:
        if sdk.count("try") == 1:
            raise ValueError("as I say")
        return "done"

    @sdk.flow
    def main() -> Any:
        return [work(return_state=True).name, work(return_state=True).name]

    return main()


@case
def retried_then_kept(sdk: Sdk) -> Any:
    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True, retries=1)
    def work() -> str:
        if sdk.count("try") == 1:
            raise ValueError("as I say")
        return "done"

    @sdk.flow
    def main() -> Any:
        return [work(), work(return_state=True).name]

    return main()


@case
def hooks_of_a_cached_run(sdk: Sdk) -> Any:
    def told(task: Any, run: Any, state: Any) -> None:
        sdk.note(state.type.value, state.name)

    @sdk.task(cache_policy=sdk.cache_policies.INPUTS, persist_result=True, on_completion=[told], on_running=[told])
    def work() -> str:
        return "done"

    @sdk.flow
    def main() -> Any:
        return [work(), work()]

    return main()


@case
def storage_key(sdk: Sdk) -> Any:
    """A key of one's own for the result is where the next call finds it."""

    @sdk.task(persist_result=True, result_storage_key="kept-{parameters[x]}")
    def work(x: int) -> int:
        sdk.note("computed", x)
        return x

    @sdk.flow
    def main() -> Any:
        return [work(1, return_state=True).name, work(1, return_state=True).name, work(2, return_state=True).name]

    return main()


@over(persisted=PERSISTED, stored={"in-memory": True, "not-in-memory": False})
def results_of_flows(sdk: Sdk, persisted: Any, stored: bool) -> Any:
    @sdk.flow(**persisted, cache_result_in_memory=stored)
    def main() -> Any:
        return [1, 2]

    return main(return_state=True)


@over(persisted=PERSISTED, stored={"in-memory": True, "not-in-memory": False})
def results_of_tasks(sdk: Sdk, persisted: Any, stored: bool) -> Any:
    @sdk.task(**persisted, cache_result_in_memory=stored)
    def work() -> Any:
        return [1, 2]

    @sdk.flow
    def main() -> None:
        try:
            sdk.note(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            sdk.note("raised", describe(error))

    return main()


@over(
    serializer={"pickle": "pickle", "json": "json"},
    value={"list": [1, 2], "tuple": (1, 2)},
)
def serializers(sdk: Sdk, serializer: str, value: Any) -> Any:
    """What comes back from the store."""

    @sdk.task(persist_result=True, result_serializer=serializer, cache_policy=sdk.cache_policies.INPUTS)
    def work() -> Any:
        return value

    @sdk.flow
    def main() -> Any:
        return [work(), work()]

    return main()
