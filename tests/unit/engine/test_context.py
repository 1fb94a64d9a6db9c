"""The run that executes here, its tags, and the numbers of its calls."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from headrace import flow, tags, task
from headrace.base import errors
from headrace.context import FlowRunContext, TaskRunContext, current_flow_run, current_run, current_task_run
from headrace.engine.context import FlowContext, TaskContext, _fork_contexts, current  # pyright: ignore[reportPrivateUsage]
from headrace.testing import RecordingRun
from tests.unit.engine.conftest import Stage


def flow_context() -> FlowContext:
    context = RecordingRun().context
    assert isinstance(context, FlowContext)
    return context


def test_outside_of_runs_there_is_none() -> None:
    assert current.get() is None
    for look in (current_run, current_flow_run, current_task_run):
        with pytest.raises(errors.MissingContextError, match="There is no run here"):
            look()
    assert (FlowRunContext.get(), TaskRunContext.get()) == (None, None)


def test_the_innermost_run_is_the_one_that_executes(stage: Stage) -> None:
    seen: dict[str, Any] = {}

    @task(tags=["one"])
    def load(path: str) -> None:
        seen["task"], seen["of the task"] = current_task_run(), current_flow_run()
        assert current_run() is TaskRunContext.get() is seen["task"]
        assert FlowRunContext.get() is seen["of the task"]

    @flow
    def inner() -> None:
        seen["inner"] = current_flow_run()

    @flow
    def outer(depth: int) -> None:
        seen["outer"] = current_flow_run()
        with pytest.raises(errors.MissingContextError, match="There is no task run here"):
            current_task_run()
        assert (FlowRunContext.get(), TaskRunContext.get()) == (seen["outer"], None)
        load("a.csv")
        inner()
        assert current_run() is seen["outer"]

    outer(3)
    run, inside, loading = seen["outer"], seen["inner"], seen["task"]
    assert isinstance(loading, TaskContext)
    assert seen["of the task"] is run
    assert run.flow_run is run
    assert run.flow_run.id == run.run.id
    assert (run.task_run_id, run.parameters, run.parent) == (None, {"depth": 3}, None)
    assert run.name == run.run.name
    assert (loading.flow_run_id, loading.parent, loading.parameters) == (run.flow_run_id, run, {"path": "a.csv"})
    assert loading.task_run_id == loading.run_id
    assert (loading.tags, loading.run_count) == (["one"], 1)
    assert inside is not run
    assert inside.parent.flow_run is run
    assert current.get() is None


def test_a_task_outside_of_a_flow_has_no_flow_run(stage: Stage) -> None:
    seen: list[TaskContext] = []

    @task
    def load() -> None:
        seen.append(current_task_run())
        with pytest.raises(errors.MissingContextError, match="this task was called outside of a flow"):
            current_flow_run()

    load()
    (context,) = seen
    assert context.flow_run_id is None
    assert context.parent is None


def test_tags_are_given_to_runs_that_begin_within(stage: Stage) -> None:
    @task(tags=["own"])
    def load() -> list[str]:
        return current_task_run().tags

    with tags("a", "b") as outer:
        assert outer == {"a", "b"}
        with tags("c") as inner:
            assert inner == {"a", "b", "c"}
            inner.add("changed")
            assert sorted(load()) == ["a", "b", "c", "own"]
        assert sorted(load()) == ["a", "b", "own"]
    assert load() == ["own"]


def test_tags_are_taken_back_when_the_block_raises(stage: Stage) -> None:
    @task
    def load() -> list[str]:
        return current_task_run().tags

    with pytest.raises(ZeroDivisionError), tags("a"):
        raise ZeroDivisionError
    assert load() == []


def test_calls_of_each_task_are_counted() -> None:
    context = flow_context()
    assert [context.next_call(key) for key in ("load", "load", "train", "load")] == ["0", "1", "0", "2"]


def test_a_retried_flow_counts_its_calls_anew() -> None:
    context = flow_context()
    context.begin_attempt(1)
    assert [context.next_call("load") for _ in range(2)] == ["0", "1"]
    context.begin_attempt(2)
    assert [context.next_call("load") for _ in range(2)] == ["2-0", "2-1"]


def test_calls_of_many_threads_have_numbers_of_their_own() -> None:
    context, lock, numbers = flow_context(), threading.Lock(), list[str]()

    def call() -> None:
        for _ in range(100):
            number = context.next_call("load")
            with lock:
                numbers.append(number)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(int, numbers)) == list(range(400))


def test_a_forked_run_counts_on_a_branch_of_its_own() -> None:
    context = flow_context()
    context.next_call("load")
    lineage, runner = context.lineage, context.runner()
    _fork_contexts()
    assert context.next_call("load") == f"{os.getpid()}-1"
    context.begin_attempt(2)
    assert context.next_call("load") == f"2-{os.getpid()}-0"
    assert context.lineage is not lineage
    assert context.runner() is not runner


def test_the_runner_is_started_once_and_stopped_when_the_run_settles() -> None:
    context, done = flow_context(), list[int]()
    context.settle()
    runner = context.runner()
    assert context.runner() is runner is not context.flow.task_runner
    runner.submit(lambda: done.append(1))
    context.settle()
    assert done == [1]
    assert context.runner() is not runner
