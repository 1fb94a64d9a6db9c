"""Tasks are loaded from files and modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.projects.task_entrypoints import load_tasks

CODE = """
from headrace import flow, task

@task
def add(): ...

@task(name="subtract")
def sub(): ...

class Sums:
    total = add

@flow
def etl(): ...
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", [str(tmp_path), "before"])
    (tmp_path / "served_sums.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "served_others.py").write_text("from served_sums import add\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("entrypoint", "names"),
    [
        ("served_sums.py:add", ["add"]),
        ("served_sums.py:Sums.total", ["add"]),
        ("served_sums.py", ["add", "subtract"]),
        ("served_sums", ["add", "subtract"]),
        ("served_others:add", ["add"]),
    ],
)
def test_tasks_are_found(folder: Path, entrypoint: str, names: list[str]) -> None:
    assert [task.name for task in load_tasks(entrypoint, folder)] == names


@pytest.mark.parametrize(
    ("entrypoint", "text"),
    [
        (":add", "names no file"),
        ("served_sums.py:ad", "There is no 'ad' in served_sums.py; did you mean served_sums.py:add?"),
        ("served_sums.py:nothing_like_it", "There is no 'nothing_like_it' in served_sums.py."),
        ("served_sums.py:etl", "served_sums.py:etl is no task: decorate the function with @task."),
        ("served_others.py", "There is no task in served_others.py: decorate a function with @task."),
        ("served_none.py:add", "There is no file served_none.py"),
        ("served_none", "There is no module 'served_none'"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, entrypoint: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text.replace("?", r"\?").replace(".", r"\.")):
        load_tasks(entrypoint, folder)
