"""The API against what its own description allows, and against much that it does not: nothing breaks, nothing is misdescribed.

`make test` tries ten examples of every operation, `make fuzz` a thousand, on both databases.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.server.openapi import FILE
from tests.acceptance.serving import ServerProcess

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = int(os.environ.get("FUZZ", "0"))
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

ENDLESS = "/api/live"
"""A stream that ends with its client; its first event is tested elsewhere."""

ALIKE = (
    r"/api/(artifacts/(latest/filter|latest/count|count)|task_runs/(filter|paginate|history|count)"
    r"|flows/(filter|paginate|count)|flow_runs/(paginate|history|lateness|count)|deployments/(filter|paginate|count)"
    r"|ui/flow_runs/history|ui/task_runs/.*counts?)"
)
"""Operations that take the very selection that /api/flow_runs/filter takes. To try each of its fields in each of them takes
longer than all the rest, so only `make fuzz` does.
"""


def fuzz(server: ServerProcess, folder: Path, phases: str, without: str) -> None:
    limits = ["--max-examples", str(EXAMPLES)] if EXAMPLES else ["--max-examples", "10", "--seed", "1"]
    ended = subprocess.run(
        [
            *(str(PROGRAM), "--config-file", str(CONFIGURATION), "run", str(FILE)),
            *("--url", server.url.removesuffix("/api"), "--workers", "2"),
            *("--phases", phases, "--exclude-path-regex", f"^({without})$", *limits),
        ],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr[-2_000:]


@pytest.mark.timeout(0 if EXAMPLES else 900)
@pytest.mark.parametrize("kind", KINDS if EXAMPLES else KINDS[:1])
def test_the_api_is_as_it_is_described(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = {"HEADRACE_DATABASE_URL": request.getfixturevalue("postgresql_url")} if kind == "postgresql" else {}
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log", **url)
    server.start()
    try:
        fuzz(server, tmp_path, "coverage", ENDLESS if EXAMPLES else f"{ENDLESS}|{ALIKE}")
        fuzz(server, tmp_path, "examples,fuzzing,stateful", ENDLESS)
    finally:
        server.stop()
