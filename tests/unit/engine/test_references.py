"""Flows and tasks travel by name where they can be imported, else by what they are made of."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

from headrace.engine import references
from headrace.engine.flow_definition import Flow
from headrace.engine.references import find_named, is_importable, travel_by_value
from headrace.engine.task_definition import Task

CODE = """
from headrace.engine.flow_definition import Flow
from headrace.engine.task_definition import Task

def double(x):
    return 2 * x

class Thing:
    @staticmethod
    def inside(x):
        return x

Thing.inside_task = Task(Thing.inside)
inside = Thing.inside
double = Task(double, retries=1)
flow = Flow(lambda: 3, name="three")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module that can be imported, as any process with this path could."""
    (tmp_path / "somewhere.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]
    references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]
    import somewhere  # pyright: ignore[reportMissingImports]

    yield somewhere
    del sys.modules["somewhere"]
    references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]


def travel(value: Any) -> Any:
    return pickle.loads(cloudpickle.dumps(value))  # pyright: ignore[reportUnknownMemberType]


def test_what_has_a_name_travels_by_name(module: Any) -> None:
    assert travel(module.double) is module.double
    assert b"somewhere" in cloudpickle.dumps(module.double)  # pyright: ignore[reportUnknownMemberType]


def test_what_was_made_of_it_is_made_of_it_again(module: Any) -> None:
    other = travel(module.double.with_options(retries=3, name="other"))
    assert (other.name, other.retries, other.fn) == ("other", 3, module.double.fn)


def test_what_has_no_name_travels_by_value(module: Any) -> None:
    found = travel(module.flow)
    assert found is not module.flow
    assert (found.name, found.fn()) == ("three", 3)
    local = travel(Task(lambda: 2, name="two"))
    assert (local.name, local.fn()) == ("two", 2)


def test_a_name_in_a_class_is_looked_for_there(module: Any) -> None:
    assert find_named(module.Thing.inside_task) is module.inside
    assert travel(module.Thing.inside_task).fn(4) == 4


def test_a_callable_without_a_name_has_none() -> None:
    class Add:
        def __call__(self, x: int) -> int:
            return x + 1

    assert find_named(Add()) is None


def test_a_script_is_not_imported_by_others() -> None:
    assert not is_importable("__main__")
    assert not is_importable("nowhere_at_all")
    assert is_importable("headrace.engine.references")
    assert is_importable("sys")


@pytest.mark.parametrize("name", ["made_here", "made_here.below"])
def test_a_module_that_nobody_finds_travels_by_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made: Any = ModuleType(name)
    exec("def give():\n    return 7\n", made.__dict__)
    monkeypatch.setitem(sys.modules, name, made)
    references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        travel_by_value(name)
        content = cloudpickle.dumps(made.give)  # pyright: ignore[reportUnknownMemberType]
        monkeypatch.delitem(sys.modules, name)
        assert pickle.loads(content)() == 7
    finally:
        cloudpickle.unregister_pickle_by_value(made)  # pyright: ignore[reportUnknownMemberType]
        references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("name", [None, "__main__", "nowhere_at_all", "headrace.engine.references"])
def test_other_modules_are_left_as_they_are(name: str | None) -> None:
    travel_by_value(name)
    registered: Any = cloudpickle.list_registry_pickle_by_value()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    assert name not in registered


def test_a_file_that_was_loaded_under_another_files_name_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ModuleType("json")
    made.__file__ = str(tmp_path / "json.py")
    monkeypatch.setitem(sys.modules, "json", made)
    references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert not is_importable("json")
    references._is_found.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_a_copy_of_a_flow_is_one() -> None:
    flow = travel(Flow(lambda: None, name="f", retries=2))
    assert (flow.name, flow.retries) == ("f", 2)
