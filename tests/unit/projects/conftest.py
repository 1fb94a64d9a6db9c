"""Projects to deploy: a folder with a flow, and a database with a work pool."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.projects.blueprints import Deployed
from headrace.projects.deploying import Wishes, deploy
from headrace.projects.project_files import choose_drafts, open_project
from headrace.schema.work_pool import WorkPoolCreate

FLOW = '''
from datetime import date
from headrace import flow

@flow(description="Trains it.")
def train(rows: int, start: int = 1, names: list[str] = [], since: date | None = None):
    """Train.

    Args:
        rows: How many rows.
    """

@flow
def report(): ...
'''


class Workshop:
    """A folder for a project's files, and what becomes of them in a database."""

    def __init__(self, folder: Path, administration: Administration, execution: Execution) -> None:
        self.folder = folder
        self.administration = administration
        self.execution = execution
        self.notes: list[str] = []
        self.lines: list[str] = []

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def deploy(self, *names: str, every: bool = False, file: str | None = None, **wishes: Any) -> list[Deployed]:
        """Deploy what the project's file says."""
        project = open_project(self.folder, Path(file) if file else None)
        self.notes = project.notes
        wanted = [(draft, Wishes(**wishes)) for draft in choose_drafts(project, [*names], every=every)]
        return deploy(project, wanted, self.administration, lambda: self.execution, self.lines.append)

    def only(self, **wishes: Any) -> Deployed:
        """Deploy the only deployment that the project's file has."""
        (made,) = self.deploy(**wishes)
        return made

    def is_empty(self) -> bool:
        """Whether nothing has been made."""
        return not self.administration.list_deployments() and not self.administration.list_flows()


@pytest.fixture(autouse=True)
def own_imports(tmp_path: Path) -> Iterator[None]:
    """Each test imports its own files only."""
    path = [*sys.path]
    yield
    sys.path[:] = path
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", None)).startswith(f"{tmp_path}/"):
            del sys.modules[name]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    folder = tmp_path / "project"
    folder.mkdir()
    with (
        closing(cast("Any", open_administration(load_settings()))) as administration,
        closing(open_execution(load_settings())) as execution,
    ):
        administration.create_work_pool(WorkPoolCreate(name="local"))
        workshop = Workshop(folder, administration, execution)
        workshop.write("flow.py", FLOW)
        yield workshop
