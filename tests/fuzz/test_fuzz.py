"""The API against what its own description allows, and against much that it does not: nothing breaks, nothing is misdescribed.

`make test` tries ten examples of every operation on SQLite, `make fuzz` a thousand on both databases, in shares of 250
with a server each. The coverage phase, which goes through every field of every body, reads the whole description in
`make fuzz`; in `make test` it tries large components that many operations take in one of them (`documents.py`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.server.openapi import FILE
from tests.acceptance.serving import ServerProcess
from tests.fuzz.documents import thinned

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("hooks.py")
ROOT = Path(__file__).parents[2]

EXAMPLES = int(os.environ.get("FUZZ", "0"))
SHARE = 250
"""How many examples of each operation one server gets: the more it has stored, the longer it takes over each."""

SHARES = [min(SHARE, EXAMPLES - begin) for begin in range(0, EXAMPLES, SHARE)] or [10]
KINDS = [pytest.param("postgresql", marks=pytest.mark.postgresql), "sqlite"]

ENDLESS = "/api/live"
"""A stream that ends with its client; its first event is tested elsewhere."""

AUTOMATIONS = "/api/automations/.*"
"""Hundreds of them, all of which look at whatever happens, would make everything else wait."""

pytestmark = [
    pytest.mark.timeout(0 if EXAMPLES else 900),
    pytest.mark.parametrize("kind", KINDS if EXAMPLES else KINDS[1:]),
]


@pytest.fixture
def server(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    url = {"HEADRACE_DATABASE_URL": request.getfixturevalue("postgresql_url")} if kind == "postgresql" else {}
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log", **url)
    server.start()
    yield server
    server.stop()


def fuzz(server: ServerProcess, document: Path, phases: str, *options: str) -> None:
    """Have Schemathesis try its phases; what it found is shown, with the seed that finds it again.

    One thread, since Hypothesis sets the interpreter's recursion limit, and what another is compiling then fails.
    """
    folder = server.home.parent
    command = [
        *(str(PROGRAM), "--config-file", str(CONFIGURATION), "run", str(document)),
        *("--url", server.url.removesuffix("/api"), "--workers", "1", "--phases", phases, *options),
        *(() if EXAMPLES else ("--seed", "1")),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environ |= {"SCHEMATHESIS_HOOKS": str(HOOKS), "FUZZ_URL": server.url, "PYTHONPATH": str(ROOT)}
    with (folder / "found.txt").open("w+") as found:  # for those who don't want to wait for the end of an hour
        ended = subprocess.run(command, cwd=folder, env=environ, stdout=found, stderr=found, check=False)
        found.seek(0)
        assert ended.returncode == 0, found.read()[-20_000:]


@pytest.mark.parametrize("share", range(len(SHARES)))
def test_examples_of_every_operation_are_answered_as_described(server: ServerProcess, share: int) -> None:
    examples = ("--max-examples", str(SHARES[share]))
    fuzz(server, FILE, "examples,fuzzing,stateful", *examples, "--exclude-path-regex", f"^{ENDLESS}$")


@pytest.mark.parametrize("part", ["automations", "all else"])
def test_every_field_of_every_body_is_read_as_described(server: ServerProcess, part: str, tmp_path: Path) -> None:
    document = FILE
    if not EXAMPLES:
        document = tmp_path / "openapi.json"
        document.write_text(json.dumps(thinned(json.loads(FILE.read_bytes()))), encoding="utf-8")
    which = ("include", AUTOMATIONS) if part == "automations" else ("exclude", f"{ENDLESS}|{AUTOMATIONS}")
    fuzz(server, document, "coverage", f"--{which[0]}-path-regex", f"^({which[1]})$")
