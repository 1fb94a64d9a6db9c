"""What a flow consists of is found out by its own code, with none of its tasks run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from headrace import allow_failure, flow, get_run_logger, quote, task, unmapped
from headrace.artifacts import create_markdown_artifact
from headrace.concurrency.sync import concurrency
from headrace.drawings import Graph
from headrace.engine.session import swap_session
from headrace.exceptions import FlowVisualizationError, ParameterBindError, ParameterTypeError
from headrace.futures import as_completed, wait
from headrace.schema.run import TaskRunResult
from headrace.variables import Variable

ran: list[str] = []


@task
def load(path: Any = None) -> Any:
    ran.append("load")


@task
def clean(rows: Any, day: int = 0) -> Any:
    ran.append("clean")


@task
async def fetch(url: Any = None) -> Any:
    ran.append("fetch")


@task(viz_return_value=[1, 2, 3])
def list_days() -> list[int]:
    ran.append("list_days")
    return []


@task
def count(to: int = 3) -> Generator[int, None, None]:
    ran.append("count")
    yield from range(to)


@task(viz_return_value=["a", "b"])
async def listen() -> AsyncGenerator[str]:
    ran.append("listen")
    yield "a"


@flow
def publish(report: Any = None) -> Any:
    ran.append("publish")


@flow
async def publish_later(report: Any = None) -> Any:
    ran.append("publish_later")


@pytest.fixture(autouse=True)
def nothing_runs() -> Generator[None]:
    """No task or subflow is executed, and no session is opened."""
    ran.clear()
    before = swap_session(None)
    yield
    assert ran == []
    assert swap_session(before) is None


def steps(graph: Graph) -> list[str]:
    """Each step with what it needs, those that it only waits for in brackets."""
    return [
        step.label
        + "".join(
            f" <({graph.steps[need.step].name})" if need.waits else f" <{graph.steps[need.step].name}"
            for need in step.needs
        )
        for step in graph.steps
    ]


def draw(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    return steps(flow(function).visualize(*args, **kwargs).graph)


def refuse(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(FlowVisualizationError) as refused:
        flow(name="etl")(function).visualize(*args, **kwargs)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# calls


def test_calls_need_those_whose_values_they_are_given() -> None:
    def etl() -> None:
        rows = load("a")
        clean(clean(rows), day=load("b"))

    assert draw(etl) == ["load-1", "clean-1 <load-1", "load-2", "clean-2 <clean-1 <load-2"]


def test_values_are_found_within_others() -> None:
    def etl() -> None:
        one, two, three = load(1), load(2), load(3)
        clean({"a": [one, (two,)], "b": {"c": frozenset({three})}})
        clean([quote(one), allow_failure(two)])

    assert draw(etl)[3:] == ["clean-1 <load-1 <load-2 <load-3", "clean-2 <load-1 <load-2"]


def test_parts_and_what_is_computed_come_from_the_same_calls() -> None:
    def etl() -> None:
        one, two = load(1), load(2)
        clean(one.rows["x"].head(two) + 1)
        clean(1 - two > one)
        clean(f"{two}")

    assert draw(etl)[2:] == ["clean-1 <load-1 <load-2", "clean-2 <load-1 <load-2", "clean-3"]


def test_a_value_can_be_awaited_shown_and_be_a_key() -> None:
    async def etl() -> None:
        rows = await load()
        names = {rows: 1}
        assert names[rows] == 1
        assert repr(rows) == "<the value of task 'load'>"
        assert not hasattr(rows, "__array__")
        clean(rows.read(names)(load()))

    assert draw(etl) == ["load-1", "load-2", "clean <load-1 <load-2"]


def test_what_contains_itself_is_looked_through_once() -> None:
    def etl() -> None:
        rows: list[Any] = [load()]
        rows.append(rows)
        clean(rows)

    assert draw(etl) == ["load", "clean <load"]


def test_wait_for_is_told_from_values() -> None:
    def etl() -> None:
        one = load.submit(1)
        two = load(2, return_state=True)
        clean(one, wait_for=[one, two])
        clean(0, wait_for=one)

    assert draw(etl)[2:] == ["clean-1 <load-1 <(load-2)", "clean-2 <(load-1)"]


def test_futures_and_states_behave_as_ended_ones() -> None:
    def etl() -> None:
        future = load.submit("a")
        assert future.done()
        assert future.state.is_completed()
        assert [*as_completed([future])] == [future]
        assert wait([future]).done == {future}
        clean(future.result())
        clean(load.submit("b", return_state=True).result())
        clean(load.submit("c", return_state=True))

    assert [step for step in draw(etl) if "clean" in step] == [
        "clean-1 <load-1",
        "clean-2 <load-2",
        "clean-3 <load-3",
    ]


def test_deferred_calls_are_steps_like_submitted_ones() -> None:
    def etl() -> None:
        one = load.delay("a")
        assert one.done()
        two = load.apply_async(["b"], wait_for=[one])
        clean.delay(one, day=two.result())
        clean.apply_async(kwargs={"rows": 0}, dependencies={"of": [one, TaskRunResult(id=two.task_run_id)]})
        clean.apply_async((count.delay().result(),))

    assert draw(etl) == [
        "load-1",
        "load-2 <(load-1)",
        "clean-1 <load-1 <load-2",
        "clean-2 <load-1 <load-2",
        "count",
        "clean-3 <count",
    ]


def test_deferred_calls_are_checked_as_ever() -> None:
    def without_rows() -> None:
        clean.delay()

    def with_a_keyword_of_calls() -> None:
        load.delay(return_state=True)

    assert "cannot be called" in refuse(without_rows)
    assert "return_state" in refuse(with_a_keyword_of_calls)


def test_a_map_is_one_step() -> None:
    def etl() -> None:
        rows = load()
        cleaned = clean.map([1, 2, 3], day=unmapped(rows))
        assert len(cleaned) == 3
        clean(cleaned)
        clean(cleaned.result())
        clean(cleaned[0])
        states = clean.map(rows, return_state=True)
        clean(states, wait_for=cleaned)

    assert draw(etl) == [
        "load",
        "clean-1 × 3 <load",
        "clean-2 <clean-1",
        "clean-3 <clean-1",
        "clean-4 <clean-1",
        "clean-5 × n <load",
        "clean-6 <clean-5 <(clean-1)",
    ]


def test_maps_over_futures_are_as_long_as_they_give() -> None:
    def etl() -> None:
        clean.map(list_days.submit())
        clean.map(load.submit())

    assert draw(etl) == ["list_days", "clean-1 × 3 <list_days", "load", "clean-2 × n <load"]


def test_subflows_are_steps_that_are_not_looked_into() -> None:
    def etl() -> None:
        clean(publish(load()))
        clean(publish(return_state=True))

    graph = flow(etl).visualize().graph
    assert steps(graph) == ["load", "publish-1 <load", "clean-1 <publish-1", "publish-2", "clean-2 <publish-2"]
    assert [step.is_flow for step in graph.steps] == [False, True, False, True, False]


# values given


def test_a_value_given_can_be_looked_at() -> None:
    def etl() -> None:
        days = list_days()
        for day in days:
            load(day)
        clean(days)

    assert draw(etl) == ["list_days", "load-1", "load-2", "load-3", "clean <list_days"]


def test_values_of_two_calls_are_told_apart() -> None:
    def etl() -> None:
        one = list_days()
        two = list_days()
        clean(two)
        clean(one)

    assert draw(etl)[2:] == ["clean-1 <list_days-2", "clean-2 <list_days-1"]


def test_a_value_that_cannot_be_copied_is_given_itself() -> None:
    class Single:
        def __copy__(self) -> Single:
            raise TypeError

    single = Single()
    connect = load.with_options(viz_return_value=single, name="connect")

    def etl() -> None:
        assert connect() is single
        clean(single)

    assert draw(etl) == ["connect", "clean <connect"]


# colours


def test_asynchronous_flows_are_drawn_where_no_loop_runs_and_where_one_does() -> None:
    async def etl() -> None:
        one, two = await asyncio.gather(fetch("a"), fetch("b"))
        future = fetch.submit(one)
        await publish_later([two, await future])
        state = await fetch(return_state=True)
        assert state.is_completed()

    async def main() -> list[list[str]]:
        made = flow(etl)
        return [steps(made.visualize().graph), steps((await made.avisualize()).graph)]

    expected = ["fetch-1", "fetch-2", "fetch-3 <fetch-1", "publish-later <fetch-2 <fetch-3", "fetch-4"]
    assert draw(etl) == expected
    assert asyncio.run(main()) == [expected, expected]


def test_generators_are_gone_through() -> None:
    def etl() -> Generator[Any, None, None]:
        for item in count(2):
            yield clean(item)
        clean(count.submit().result())

    async def stream() -> AsyncGenerator[Any]:
        async for item in listen():
            yield item
            load(item)

    assert draw(etl) == ["count-1", "clean-1 <count-1", "count-2", "clean-2 <count-2"]
    assert draw(stream) == ["listen", "load-1", "load-2"]


def test_methods_are_drawn() -> None:
    class Pipeline:
        @task
        def load(self) -> int:
            return 1

        @flow
        def run(self, day: int) -> int:
            return clean(self.load(), day)

    assert steps(Pipeline().run.visualize(3).graph) == ["load", "clean <load"]


# parameters


def test_parameters_have_the_values_they_are_given_or_their_defaults() -> None:
    def etl(first: int, second: int = 2, *more: int, last: int = 3) -> None:
        assert (first, second, more, last) == (1, 2, (), 4)
        for _ in range(first + second):
            load()

    assert draw(etl, "1", last=4) == ["load-1", "load-2", "load-3"]


def test_a_parameter_without_a_value_can_be_passed_on() -> None:
    def etl(path: Path, day: int) -> None:
        clean(load(path / "rows"), day)

    assert draw(etl) == ["load", "clean <load"]
    assert draw(etl, day=3) == ["load", "clean <load"]


def test_parameters_are_checked() -> None:
    def etl(day: int) -> None:
        """Never called."""
        raise AssertionError

    with pytest.raises(ParameterTypeError, match="day='x'"):
        flow(etl).visualize("x")
    with pytest.raises(ParameterBindError, match="unexpected keyword argument 'dya'"):
        flow(etl).visualize(dya=3)
    with pytest.raises(FlowVisualizationError, match="AssertionError"):
        flow(validate_parameters=False)(etl).visualize("x")


# what cannot be drawn


def contains_one(value: Any) -> bool:
    return 1 in value


def change(value: Any) -> None:
    value["x"].update({"y": 1})
    value["x"]["y"] = 2


def compare(value: Any) -> bool:
    return value == 1 and value > 0


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (bool, "decides by"),
        (list, "goes through"),
        (len, "looks into"),
        (contains_one, "looks into"),
        (int, "calculates with"),
        (range, "calculates with"),
        (open, "opens"),
        (change, "changes"),
        (compare, "decides by"),
    ],
)
def test_who_looks_at_a_value_is_told_to_give_one(use: Callable[[Any], Any], says: str) -> None:
    assert refuse(lambda: use(load())) == (
        f"Flow 'etl' cannot be drawn: it {says} the value of task 'load', which only a run knows. "
        "Give the task 'load' a viz_return_value."
    )


def test_who_enters_a_value_is_told_to_give_one() -> None:
    def etl() -> None:
        with load():
            raise AssertionError

    assert "it opens the value of task 'load'" in refuse(etl)


def test_who_looks_at_a_parameter_or_a_subflow_is_told_what_it_is() -> None:
    def by_parameter(day: Any) -> None:
        if day:
            raise AssertionError

    def by_subflow() -> None:
        if publish():
            raise AssertionError

    assert refuse(by_parameter) == (
        "Flow 'etl' cannot be drawn: it decides by its parameter 'day', which only a run knows. Give day a value."
    )
    assert "the value of subflow 'publish', which only a run knows. What a subflow gives can only" in refuse(by_subflow)


def test_code_that_fails_is_told_with_its_error() -> None:
    def etl() -> None:
        raise KeyError("rows")

    assert refuse(etl).startswith("Flow 'etl' cannot be drawn: its own code raised KeyError: 'rows'. Where it uses")


def test_an_asynchronous_flow_that_fails_says_so() -> None:
    async def etl() -> None:
        if await fetch():
            raise AssertionError

    assert "it decides by the value of task 'fetch'" in refuse(etl)


def test_code_that_needs_a_run_is_told_so() -> None:
    def etl() -> None:
        with concurrency("database"):
            raise AssertionError

    assert "its own code asks the orchestrator (acquire_slots), which only a run can do." in refuse(etl)


# beside tasks


def test_logs_and_artifacts_of_the_flow_itself_are_dropped() -> None:
    def etl() -> None:
        get_run_logger().info("begins")
        create_markdown_artifact("# Report", "report")
        load()

    assert draw(etl) == ["load"]


def test_variables_are_read() -> None:
    Variable.set("city", "lisbon")
    seen: list[Any] = []
    flow(name="etl")(lambda: seen.append(Variable.get("city"))).visualize()
    assert seen == ["lisbon"]
    session = swap_session(None)
    assert session is not None
    session.close()


def test_whatever_is_called_afterwards_runs() -> None:
    def etl() -> None:
        load()

    assert draw(etl) == ["load"]
    refuse(lambda: bool(load()))
    assert load.fn() is None
    assert ran == ["load"]
    ran.clear()
