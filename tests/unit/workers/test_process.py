"""The warm process: what may be loaded into it."""

import logging
import os
from contextlib import closing
from pathlib import Path

import pytest

from headrace.base.errors import ConfigurationError
from headrace.workers.process import ProcessInfrastructure

THREAD = """
import os, threading
ended = threading.Event()
thread = threading.Thread(target=ended.wait, daemon=True)
thread.start()
"""

ENDING = """
def end():
    ended.set()
    thread.join()
os.register_at_fork(before=end)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "HEADRACE_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}


def warm_up(environ: dict[str, str], *preload: str) -> None:
    with closing(ProcessInfrastructure(preload, environ)) as infrastructure:
        infrastructure.warm_up()


@pytest.mark.parametrize(("code", "warned"), [(THREAD, True), (THREAD + ENDING, False), ("", False)])
def test_only_threads_that_go_on_at_a_fork_keep_a_module_from_being_preloaded(
    environ: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture, code: str, warned: bool
) -> None:
    (tmp_path / "wanted.py").write_text(code)
    with caplog.at_level(logging.WARNING, "headrace.worker"):
        warm_up(environ, "wanted")
    assert ("each run loads it for itself" in caplog.text) is warned


def test_a_module_that_cannot_be_loaded_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wanted.py").write_text("raise ValueError('no luck')")
    with pytest.raises(ConfigurationError, match="wanted cannot be preloaded: ValueError: no luck"):
        warm_up(environ, "wanted")
