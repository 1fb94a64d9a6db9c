# pyright: basic
"""How runs are named and tagged."""

from __future__ import annotations

from typing import Any

from tests.semantics.collection import case, over
from tests.semantics.outcomes import describe
from tests.semantics.sdk import Sdk, own_tags
from tests.semantics.ways import FEW, PLAIN, Use

NAMES: dict[str, Any] = {
    "text": "by hand",
    "template": "load {x}",
    "two": "{x}-{y}",
    "attribute": "{x.real}",
    "item": "{z[a]}",
    "format": "{x:03d}",
    "unknown": "load {unknown}",
    "braces": "{{x}}",
    "unbalanced": "load {x",
    "function": lambda: "by function",
    "failing-function": lambda: 1 // 0,
    "number-function": lambda: 5,
    "none-function": lambda: None,
    "empty": "",
    "flow-template": "{flow_run}",
}
_PLACES = {name: PLAIN[name] for name in ("flow-state", "task-state", "submit-threads")}


@over(use=_PLACES, name=NAMES)
def run_names(sdk: Sdk, use: Use, name: Any) -> Any:
    is_flow = use.way.kind == "flow"

    @use.define(**{"flow_run_name" if is_flow else "task_run_name": name})
    def work(item: int = 0, x: int = 1, y: str = "b", z: dict[str, int] = {"a": 5}) -> Any:  # noqa: B006 - as given
        told = (sdk.runtime.flow_run if is_flow else sdk.runtime.task_run).name
        return told if name else bool(told)

    return use.run(work)


@over(use=_PLACES)
def function_of_parameters(sdk: Sdk, use: Use) -> Any:
    is_flow = use.way.kind == "flow"

    def name() -> str:
        parameters = (sdk.runtime.flow_run if is_flow else sdk.runtime.task_run).parameters
        return f"{parameters['x']} of {(sdk.runtime.flow_run if is_flow else sdk.runtime.task_run).name != ''}"

    @use.define(**{"flow_run_name" if is_flow else "task_run_name": name})
    def work(item: int = 0, x: int = 1) -> Any:
        return (sdk.runtime.flow_run if is_flow else sdk.runtime.task_run).name

    return use.run(work)


DEFINITIONS = {
    "text": "a name", "empty": "", "slash": "a/b", "percent": "a%b", "long": "n" * 300, "accents": "fête", "number": 5,
}  # fmt: skip


@over(kind={"flow": True, "task": False}, name=DEFINITIONS)
def definition_names(sdk: Sdk, kind: bool, name: Any) -> Any:
    def work() -> int:
        return 1

    try:
        made = (sdk.flow if kind else sdk.task)(name=name)(work)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return f"refused: {describe(error)}"
    return (made.name, made())


@case
def names_of_definitions(sdk: Sdk) -> Any:
    @sdk.flow
    def some_flow() -> None:
        pass

    @sdk.task
    def some_task() -> None:
        pass

    return (some_flow.name, some_task.name, sdk.task(lambda: None).name, sdk.flow(name="named")(lambda: None).name)


@case
def names_of_runs(sdk: Sdk) -> Any:
    """Runs of one task in one flow are told apart by what is behind their names."""

    @sdk.task
    def work() -> Any:
        return sdk.runtime.task_run.name.partition("-")[0]

    @sdk.flow
    def main() -> Any:
        return [work(), work()]

    return main()


TAGGED = {
    "none": ((), ()),
    "outer": (("a",), ()),
    "own": ((), ("b",)),
    "both": (("a",), ("b",)),
    "same": (("a",), ("a",)),
}


@over(tags=TAGGED, call={"call": False, "submit": True})
def tags_of_tasks(sdk: Sdk, tags: Any, call: bool) -> Any:
    outer, own = tags

    @sdk.task(tags=own)
    def work() -> Any:
        return own_tags(sdk.runtime.task_run.tags)

    @sdk.flow
    def main() -> Any:
        with sdk.tags(*outer):
            return work.submit().result() if call else work()

    return main()


@case
def tags_reach_down(sdk: Sdk) -> Any:
    @sdk.task(tags=["task"])
    def work() -> Any:
        return own_tags(sdk.runtime.task_run.tags)

    @sdk.flow
    def inner() -> Any:
        return [sdk.tags_here(), work()]

    @sdk.flow
    def main() -> Any:
        with sdk.tags("outer"):
            return [sdk.tags_here(), inner(), work()]

    with sdk.tags("around"):
        return main()


@case
def tags_end(sdk: Sdk) -> Any:
    @sdk.task
    def work() -> Any:
        return own_tags(sdk.runtime.task_run.tags)

    @sdk.flow
    def main() -> Any:
        with sdk.tags("a", "b") as first, sdk.tags("c"):
            sdk.note(own_tags(first))
            within = work()
        return [within, work()]

    return main()


@case
def tags_of_mapped(sdk: Sdk) -> Any:
    @sdk.task(tags={"own"})
    def work(x: int) -> Any:
        return own_tags(sdk.runtime.task_run.tags)

    @sdk.flow
    def main() -> Any:
        with sdk.tags("a"):
            return work.map([1, 2]).result()

    return main()


@case
def tags_in_options(sdk: Sdk) -> Any:
    @sdk.task(tags=["a"])
    def work() -> Any:
        return own_tags(sdk.runtime.task_run.tags)

    return [work(), work.with_options(tags=["b"])(), work.with_options(name="other")()]


@over(use={**FEW, "subflow": PLAIN["subflow"], "task-alone": PLAIN["task-alone"]})
def runtime_of_runs(sdk: Sdk, use: Use) -> Any:
    """What a run knows about itself."""

    @use.define()
    def work(item: int = 0) -> Any:
        flow, task = sdk.runtime.flow_run, sdk.runtime.task_run
        return (
            flow.id is None, flow.flow_name, flow.run_count, flow.parent_flow_run_id is None, flow.parameters,
            task.id is None, task.task_name, task.run_count, task.parameters,
        )  # fmt: skip

    return use.run(work)


@case
def runtime_outside(sdk: Sdk) -> Any:
    flow, task = sdk.runtime.flow_run, sdk.runtime.task_run
    return (
        flow.id,
        flow.name,
        flow.flow_name,
        flow.parameters,
        flow.run_count,
        task.id,
        task.name,
        task.run_count,
        task.parameters,
    )
