"""P5: what was finished and recorded when its process was killed is never executed again; everything else is.

`HEADRACE_CHAOS_POINTS` says at how many points (50 unless said).
"""

import os
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.acceptance.serving import ServerProcess
from tests.chaos.killing import SHAPES, Killing, kill_and_resume

POINTS = int(os.environ.get("HEADRACE_CHAOS_POINTS", "50"))
WITH_SERVER = 10
PART = 5
"""Kills in one test."""


@cache
def expect(shape: str) -> str:
    """The value of a run that is never killed."""
    with TemporaryDirectory() as folder:
        return Killing(Path(folder) / "whole", shape).run()


@pytest.mark.parametrize("part", range(0, POINTS, PART))
def test_a_killed_run_goes_on_where_it_was(part: int, tmp_path: Path) -> None:
    for point in range(part, min(part + PART, POINTS)):
        shape = SHAPES[point % len(SHAPES)]
        killing = Killing(tmp_path / str(point), shape)
        print(point, shape, kill_and_resume(killing, random.Random(point), expect(shape)))


@pytest.mark.parametrize("point", range(WITH_SERVER))
def test_a_run_goes_on_that_was_killed_together_with_its_server(point: int, tmp_path: Path) -> None:
    shape = SHAPES[point % len(SHAPES)]
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    server.start()
    try:
        killing = Killing(tmp_path / "run", shape, server)
        chance = random.Random(1000 + point)
        print(point, shape, kill_and_resume(killing, chance, expect(shape)))
    finally:
        server.stop()
