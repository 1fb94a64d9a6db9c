"""What makes a call the same call in a later attempt, in whatever process that is."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from headrace.base import errors
from headrace.engine.futures import Future, FutureList, allow_failure, quote, unmapped
from headrace.engine.identity import Origin, identify, name_origins
from headrace.engine.lineage import Lineage
from headrace.schema.state import State, StateDetails, StateType

RUN, OTHER = UUID(int=1), UUID(int=2)


class Model:
    """Pickled with a number that no other has."""

    def __init__(self) -> None:
        self.number = uuid4()


@dataclass
class Setting:
    depth: int


def digest(scope: str = "", key: str = "load", lineage: Lineage | None = None, **arguments: Any) -> str:
    return identify(scope, key, arguments, lineage or Lineage())


def state(**details: Any) -> State:
    return State(type=StateType.COMPLETED, state_details=StateDetails(**details))


def future(run_id: UUID = RUN) -> Future[Any]:
    return Future(run_id, "load")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": 1}, {"x": 2}),
        ({"x": 1}, {"y": 1}),
        ({"x": 1}, {"x": 1.0}),
        ({"x": 1}, {"x": True}),
        ({"x": [1, 2]}, {"x": (1, 2)}),
        ({"x": "1", "y": ""}, {"x": "", "y": "1"}),
        ({"x": Setting(1)}, {"x": Setting(2)}),
        ({"x": state(task_run_id=RUN)}, {"x": state(task_run_id=OTHER)}),
        ({"x": future(RUN)}, {"x": future(OTHER)}),
        ({"x": future(RUN)}, {"x": str(RUN)}),
        ({"x": 3}, {"x": quote(3)}),
        ({"scope": "a", "key": "b"}, {"scope": "ab", "key": ""}),
        ({"scope": "a"}, {"scope": "b"}),
        ({"key": "load"}, {"key": "save"}),
    ],
)
def test_other_calls_have_other_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(**one) != digest(**other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"a": 1, "b": [2.5, None]},
        lambda: Setting(3),
        lambda: {"one", "two", "three"},
        lambda: frozenset({(1, "a"), (2, "b")}),
        lambda: state(task_run_id=RUN),
        lambda: state(flow_run_id=RUN),
        future,
        lambda: FutureList([future()]),
        lambda: [{"a": (future(), {future()})}],
        lambda: allow_failure(future()),
        lambda: unmapped([future()]),
        lambda: quote([1]),
    ],
)
def test_equal_calls_have_one(make: Callable[[], Any]) -> None:
    assert digest(x=make()) == digest(x=make())


def test_dictionaries_are_equal_in_whatever_order_they_were_filled() -> None:
    assert digest(x={"a": future(), "b": (1,)}) == digest(x={"b": (1,), "a": future()})


def closing_over(value: Any) -> Callable[[], Any]:
    return lambda: value


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (threading.Lock, "lock"),
        (lambda: closing_over(threading.Lock()), "function"),
        (lambda: [{"deep": threading.Lock()}], "list"),
        (lambda: (item for item in ()), "generator"),
        (state, "State"),
    ],
)
def test_what_is_not_the_same_in_every_process_has_none(make: Callable[[], Any], kind: str) -> None:
    with pytest.raises(errors.SerializationError) as raised:
        digest(x=make())
    assert str(raised.value) == f"argument 'x' ({kind}) is not the same in every process"


def test_an_open_socket_has_none() -> None:
    with socket.socket() as opened, pytest.raises(errors.SerializationError, match=r"'x' \(socket\)"):
        digest(x=opened)


def test_a_list_in_itself_has_none() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(errors.SerializationError, match=r"'x' \(list\)"):
        digest(x=circle)


def test_what_a_run_returned_is_named_by_it_and_not_looked_at() -> None:
    first, again = Lineage(), Lineage()
    lock, model, same = threading.Lock(), Model(), Model()
    first.record(model, RUN)
    again.record(same, RUN)
    assert digest(x=model, lineage=first) == digest(x=same, lineage=again)
    assert digest(x=[model], lineage=first) == digest(x=[same], lineage=again)
    assert digest(x=model) != digest(x=same)
    first.record(lock, OTHER)
    assert digest(x=lock, lineage=first) != digest(x=model, lineage=first)


def test_what_a_run_returned_among_others_is_named_by_its_place() -> None:
    lineage, pair = Lineage(), (Model(), Model())
    lineage.record(pair, RUN)
    assert name_origins(pair[0], lineage) == Origin(f"{RUN}[0]")
    assert name_origins(pair, lineage) == (Origin(f"{RUN}[0]"), Origin(f"{RUN}[1]"))


def test_containers_are_looked_at_whoever_returned_them() -> None:
    lineage, values = Lineage(), [1, 2]
    lineage.record(values, RUN)
    assert digest(x=values, lineage=lineage) == digest(x=[1, 2])


def test_another_object_at_the_same_place_in_memory_is_not_named() -> None:
    lineage, before, later = Lineage(), Model(), Model()
    lineage.record(before, RUN)
    origins: dict[int, Any] = lineage._origins  # pyright: ignore[reportPrivateUsage]
    origins[id(later)] = origins.pop(id(before))
    assert lineage.name(later) is None


def test_what_is_quoted_is_not_looked_into_for_runs() -> None:
    lineage, model = Lineage(), Model()
    lineage.record(model, RUN)
    named: Any = name_origins(quote(model), lineage)
    assert named == ("quote", model)


SCRIPT = """
import sys
from dataclasses import dataclass
from headrace.engine.identity import identify
from headrace.engine.lineage import Lineage

@dataclass
class Setting:
    depth: int

def double(x):
    return 2 * x

def tell():
    arguments = {"x": Setting(3), "y": {"one", "two", "three"}, "z": [double, Setting]}
    print(identify("", "load", arguments, Lineage()))

if __name__ == "__main__":
    tell()
"""


def test_a_call_in_a_script_is_the_same_where_the_script_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "package"
    for folder, name in ((tmp_path, "script"), (package, "package.script")):
        folder.mkdir(exist_ok=True)
        if folder is package:
            (folder / "__init__.py").touch()
        (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
        commands = ([str(folder / "script.py")], ["-m", name], ["-c", f"from {name} import tell; tell()"])
        told = {
            subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, check=True).stdout
            for command in commands
        }
        assert len(told) == 1
