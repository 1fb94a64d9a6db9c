"""Flows in a file of the test's own, a database, and a way to look at what became of them there."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from uuid import UUID

import pytest

from headrace.base.settings import load_settings
from headrace.connect import open_administration
from headrace.engine.session import close_session
from headrace.flows import Flow
from headrace.gateway.administration import Administration
from headrace.schema.deployment import Deployment
from headrace.schema.work_pool import WorkPoolCreate

CODE = """
from headrace import flow

@flow(description="Loads rows.", version="7")
def etl(rows: int = 1, names: list[str] | None = None):
    return rows

@flow
def needy(rows: int): ...
"""


class Bench:
    """What tests deploy, and what they see of it."""

    def __init__(self, folder: Path, module: ModuleType, administration: Administration) -> None:
        self.folder = folder
        self.administration = administration
        self.etl: Flow[..., Any] = module.etl
        self.needy: Flow[..., Any] = module.needy

    def read(self, deployment: UUID | str) -> Deployment:
        if isinstance(deployment, UUID):
            return self.administration.read_deployment(deployment)
        flow, _, name = deployment.partition("/")
        return self.administration.read_deployment_by_name(flow, name)

    def is_empty(self) -> bool:
        """Whether nothing has been made."""
        return not self.administration.list_deployments() and not self.administration.list_flows()


@pytest.fixture
def bench(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet_logging: None) -> Iterator[Bench]:
    """A folder with flows, which is the working directory, and a database with one work pool."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "flows_of_bench.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    path = [*sys.path]
    sys.path.insert(0, str(folder))
    module = __import__("flows_of_bench")
    with closing(cast("Any", open_administration(load_settings()))) as administration:
        administration.create_work_pool(WorkPoolCreate(name="local", type="process"))
        yield Bench(folder, module, administration)
    close_session()
    sys.path[:] = path
    for name, loaded in [*sys.modules.items()]:
        if str(getattr(loaded, "__file__", None)).startswith(f"{tmp_path}/"):
            del sys.modules[name]
