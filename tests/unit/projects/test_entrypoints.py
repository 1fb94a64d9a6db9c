"""Loading flows: by file and by module, each error in one line that says what to do."""

import pickle
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.entrypoints import find_flow, load_flow

FLOW = """
from dataclasses import dataclass
from headrace import flow

@dataclass
class Point:
    x: "int"

@flow
def train(start: int = 1) -> None: ...

def plain(): ...

number = 3
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def fail(entrypoint: str, folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refusal:
        load_flow(entrypoint, folder)
    assert "\n" not in str(refusal.value)
    return refusal.value


def test_a_flow_is_loaded_from_a_file(tmp_path: Path) -> None:
    write(tmp_path, "flows/train_it.py", FLOW)
    found = load_flow("flows/train_it.py:train", tmp_path)
    assert (found.name, found.fn.__module__) == ("train", "train_it")
    assert load_flow("flows/train_it.py:train", tmp_path) is found
    assert load_flow(str(tmp_path / "flows/train_it.py:train"), tmp_path) is found


def test_what_a_file_defines_can_be_pickled(tmp_path: Path) -> None:
    write(tmp_path, "has_points.py", FLOW)
    load_flow("has_points.py:train", tmp_path)
    point = sys.modules["has_points"].Point(3)
    assert pickle.loads(pickle.dumps(point)) == point


def test_files_import_what_is_beside_them_and_in_the_project(tmp_path: Path) -> None:
    write(tmp_path, "in_the_project.py", "one = 1")
    write(tmp_path, "flows/beside_it.py", "two = 2")
    write(tmp_path, "flows/imports_both.py", "import in_the_project, beside_it\n" + FLOW)
    assert load_flow("flows/imports_both.py:train", tmp_path).name == "train"


def test_a_file_in_a_package_is_loaded_as_its_module(tmp_path: Path) -> None:
    write(tmp_path, "the_package/__init__.py", "")
    write(tmp_path, "the_package/inner/__init__.py", "")
    write(tmp_path, "the_package/inner/flows.py", "from ..values import one\n" + FLOW)
    write(tmp_path, "the_package/values.py", "one = 1")
    by_file = load_flow("the_package/inner/flows.py:train", tmp_path)
    assert by_file.fn.__module__ == "the_package.inner.flows"
    assert load_flow("the_package.inner.flows:train", tmp_path) is by_file


def test_a_file_takes_nobodys_name(tmp_path: Path) -> None:
    import json

    write(tmp_path, "json.py", FLOW)
    write(tmp_path / "a", "same_name.py", FLOW)
    write(tmp_path / "b", "same_name.py", FLOW.replace("start", "begin"))
    found = load_flow("json.py:train", tmp_path)
    assert sys.modules["json"] is json
    assert found.fn.__module__.startswith("json_")
    assert load_flow("json.py:train", tmp_path) is found
    one, other = load_flow("a/same_name.py:train", tmp_path), load_flow("b/same_name.py:train", tmp_path)
    assert (one.signature.names, other.signature.names) == (("start",), ("begin",))


def test_the_only_flow_needs_no_name(tmp_path: Path) -> None:
    write(tmp_path, "only_one.py", FLOW)
    write(
        tmp_path,
        "imports_one.py",
        "from only_one import train as imported\nfrom headrace import flow\n@flow\ndef mine(): ...\nsame = mine",
    )
    entrypoint, found = find_flow("only_one.py", tmp_path)
    assert (entrypoint, found.name) == ("only_one.py:train", "train")
    assert find_flow(f"{tmp_path}/imports_one.py", tmp_path)[0] == "imports_one.py:mine"


def test_a_flow_that_belongs_to_a_class_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        "has_class.py",
        """
        from headrace import flow

        class Model:
            @staticmethod
            @flow
            def train(): ...
        """,
    )
    assert load_flow("has_class.py:Model.train", tmp_path).name == "train"


@pytest.mark.parametrize(
    ("entrypoint", "message"),
    [
        ("trian.py:train", "There is no file trian.py; did you mean train.py?"),
        ("flows/none.py:train", "There is no file flows/none.py in "),
        (":train", "Entrypoint ':train' names no file: write path/to/file.py:function."),
        ("train.py:trian", "There is no 'trian' in train.py; did you mean train.py:train?"),
        ("train.py:else_", "There is no 'else_' in train.py; its flows are train."),
        ("train.py:plain", "train.py:plain is no flow but a function: decorate the function with @flow."),
        ("train.py:number", "train.py:number is no flow but of type int: decorate the function with @flow."),
        ("empty.py", "There is no flow in empty.py: decorate a function with @flow."),
        ("empty.py:flow", "There is no 'flow' in empty.py: it has no flows."),
        ("two.py", "two.py has several flows; name one: two.py:one, two.py:other."),
        ("no_such_module:train", "There is no module 'no_such_module' to import no_such_module from."),
        ("raises.py:train", "raises.py, line 2 cannot be loaded: ValueError: not today, really."),
        ("exits.py:train", "exits.py, line 1 cannot be loaded: SystemExit: 3."),
        ("broken.py:train", "broken.py, line 2 cannot be loaded: SyntaxError: "),
        ("needs.py:train", "needs.py, line 1 cannot be loaded: ModuleNotFoundError: No module named 'not_there'."),
        ("needs:train", "needs cannot be loaded: ModuleNotFoundError: No module named 'not_there'."),
        ("broken:train", "broken, line 2 cannot be loaded: SyntaxError: "),
        ("bare.py:train", "bare.py, line 1 cannot be loaded: KeyboardError."),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(entrypoint: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "train.py", FLOW)
    write(tmp_path, "empty.py", "")
    write(tmp_path, "two.py", "from headrace import flow\n@flow\ndef one(): ...\n@flow\ndef other(): ...")
    write(tmp_path, "raises.py", "# A comment.\nraise ValueError('not today,\\nreally.')")
    write(tmp_path, "exits.py", "raise SystemExit(3)")
    write(tmp_path, "broken.py", "one = 1\ntwo = = 2")
    write(tmp_path, "needs.py", "import not_there")
    write(tmp_path, "bare.py", "raise type('KeyboardError', (Exception,), {})")
    assert str(fail(entrypoint, tmp_path)).startswith(message)


def test_what_the_file_raised_is_the_cause(tmp_path: Path) -> None:
    write(tmp_path, "raises_it.py", "1 / 0")
    assert isinstance(fail("raises_it.py:train", tmp_path).__cause__, ZeroDivisionError)
    assert "raises_it" not in sys.modules


def test_a_file_of_a_package_that_is_missing_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a_package/__init__.py", "1 / 0")
    write(tmp_path, "a_package/flows.py", FLOW)
    assert "ZeroDivisionError" in str(fail("a_package/flows.py:train", tmp_path))
