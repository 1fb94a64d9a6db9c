"""Where a flow of this process is for others: what they are told, they can load."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headrace.base.errors import UsageError
from headrace.flows import Flow, flow
from headrace.projects.entrypoints import load_flow
from headrace.projects.whereabouts import EntrypointType, go_to, locate

CODE = """
from headrace import flow

@flow
def etl(n: int = 1): ...

def plain(): ...

renamed = flow(plain, name="other")
slow = etl.with_options(name="slow")

class Team:
    @flow
    def work(self): ...

    @staticmethod
    @flow
    def rest(): ...

def make():
    @flow
    def inner(): ...
    return inner

hidden = [flow(lambda: 1, name="hidden")]
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    folder = tmp_path / "project" / "flows"
    folder.mkdir(parents=True)
    (folder / "where_flows_are.py").write_text(CODE, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "where_flows_are", raising=False)
    return __import__("where_flows_are")


def look(pick: Callable[[Any], Any], module: ModuleType) -> Flow[..., Any]:
    return pick(module)


FOUND: list[tuple[Callable[[Any], Any], str]] = [
    (lambda m: m.etl, "etl"),
    (lambda m: m.renamed, "renamed"),
    (lambda m: m.slow, "slow"),
    (lambda m: m.etl.with_options(name="unnamed"), "etl"),
    (lambda m: m.Team.rest, "Team.rest"),
]


@pytest.mark.parametrize(
    ("pick", "name"),
    FOUND,
)
def test_a_flow_is_found_by_its_file_below_the_working_directory(
    pick: Callable[[Any], Any], name: str, module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = look(pick, module)
    place = locate(found)
    assert place.entrypoint == f"project/flows/where_flows_are.py:{name}"
    assert place.pull_steps == go_to(tmp_path)
    assert load_flow(place.entrypoint, tmp_path).fn is found.fn


def test_a_file_elsewhere_is_loaded_from_its_own_folder(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    place = locate(look(lambda m: m.etl, module))
    assert place.entrypoint == "where_flows_are.py:etl"
    assert place.pull_steps == go_to(tmp_path / "project" / "flows")


def test_a_flow_is_found_by_its_module(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(lambda m: m.etl, module)
    monkeypatch.chdir(tmp_path)
    assert locate(found, EntrypointType.MODULE_PATH).entrypoint == "where_flows_are:etl"
    assert locate(found, EntrypointType.MODULE_PATH).pull_steps == go_to(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert locate(found, EntrypointType.MODULE_PATH).pull_steps == []


def test_a_script_has_no_module_unless_it_was_started_as_one(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = look(lambda m: m.etl, module)
    monkeypatch.setattr(found.fn, "__module__", "__main__")
    main = ModuleType("__main__")
    main.etl = found  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "__main__", main)
    with pytest.raises(UsageError, match="Flow 'etl' stands in a script, which is no module: start it with python -m"):
        locate(found, EntrypointType.MODULE_PATH)
    main.__spec__ = module.__spec__
    assert locate(found, EntrypointType.MODULE_PATH).entrypoint == "where_flows_are:etl"


HIDDEN: list[Callable[[Any], Any]] = [lambda m: m.make(), lambda m: m.hidden[0], lambda m: m.Team().work]


@pytest.mark.parametrize(
    "pick",
    HIDDEN,
    ids=["in a function", "in a list", "of an instance"],
)
def test_a_flow_that_others_cannot_find_is_refused(pick: Callable[[Any], Any], module: ModuleType) -> None:
    with pytest.raises(UsageError, match="has no name at the top level of its module"):
        locate(look(pick, module))


def test_a_flow_without_a_file_is_refused() -> None:
    code: dict[str, Any] = {"__name__": "typed_in"}
    exec("def etl(): ...", code)
    for function in (code["etl"], len):
        with pytest.raises(UsageError, match="stands in no file, so no other process can load it"):
            locate(flow(function))
