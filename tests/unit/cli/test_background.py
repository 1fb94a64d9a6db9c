"""Processes in the background and their logs; what stands for a server is a script."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.cli import background
from headrace.cli.background import Ended, start_in_background
from headrace.cli.invocation import Invocation

READY = "import os, sys; print(sys.argv[1], flush=True); os.write(int(sys.argv[-1]), b'http://here')"
SILENT = "pass"


@pytest.fixture
def invocation(home: Path) -> Invocation:
    return Invocation({"HEADRACE_HOME": str(home), "PATH": os.environ["PATH"]})


@pytest.fixture(autouse=True)
def waited_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is left to run on its own is waited for at the end of the test."""
    make: Any = subprocess.Popen
    processes: list[subprocess.Popen[bytes]] = []

    def note(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        processes.append(make(*arguments, **options))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", note)
    yield
    for process in processes:
        process.wait(30)


def start(invocation: Invocation, code: str, said: str) -> Path:
    _, url, log = start_in_background(invocation, [sys.executable, "-c", code, said], 4200)
    assert url == "http://here"
    return log


def test_what_the_process_before_said_stays_in_the_log(invocation: Invocation, home: Path) -> None:
    log = start(invocation, READY, "it crashes")
    assert start(invocation, READY, "it is started anew") == log == home / "servers" / "4200.log"
    assert log.read_text() == "it crashes\nit is started anew\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_large_log_is_put_away_once(invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LARGEST_LOG", 5)
    for said in ("first", "second", "third"):
        log = start(invocation, READY, said)
    assert log.read_text() == "third\n"
    assert {path.name for path in log.parent.iterdir()} == {"4200.log", "4200.log.1"}
    assert log.with_name("4200.log.1").read_text() == "second\n"


def test_why_a_process_ended_is_not_what_the_one_before_said(invocation: Invocation) -> None:
    start(invocation, READY, "another trouble")
    with pytest.raises(Ended, match=r"^The process ended before it was ready"):
        start(invocation, SILENT, "")
    with pytest.raises(Ended, match=r"^The port is taken$"):
        start(invocation, "print('Error: The port is taken')", "")
