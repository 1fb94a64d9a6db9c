"""Records what the official SDK makes of every case: `make semantics-record`, or for some `… record.py endings/ retries/`.

Its version is pinned beside the judge's tests; it runs in an environment of its own with a server of its own on loopback,
in a folder that is thrown away. What is written, `official.json`, are outcomes: facts that the suite compares ours with.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.judge.environment import ROOT, make_environment
from tests.semantics.collection import collect_cases
from tests.semantics.facts import OFFICIAL, read_facts, write_facts

SHARES = 2
"""Processes that play at once."""

PATIENCE = 30.0
"""Seconds after which a case counts as hanging."""

HANGS = {"hangs": True}
"""The outcome of a case that never ends."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_CLI_PROMPT": "false",
}


def record(names: Sequence[str]) -> dict[str, Any]:
    """The outcome of each of these cases."""
    python = make_environment()
    with tempfile.TemporaryDirectory() as home, _serving(python, Path(home)) as environ:
        with ThreadPoolExecutor(SHARES) as shares:
            played = shares.map(partial(_play, python, environ), [names[first::SHARES] for first in range(SHARES)])
            outcomes = {name: outcome for share in played for name, outcome in share.items()}
        ended = [name for name in names if outcomes[name] != HANGS]
        runs = _read(python, environ, ended)
        while (again := _read(python, environ, ended)) != runs:  # the server takes note of what it is told by and by
            runs = again
    return {name: {**outcome, **({"runs": runs[name]} if runs.get(name) else {})} for name, outcome in outcomes.items()}


@contextmanager
def _serving(python: Path, home: Path) -> Generator[dict[str, str]]:
    """A server of the official SDK, and the environment variables of those who use it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
    url = f"http://127.0.0.1:{port}/api"
    environ = {**kept, **QUIET, "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _await(f"{url}/health", server)
            yield {**environ, "PREFECT_API_URL": url}
        finally:
            server.terminate()
            server.wait(60)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            selectors.DefaultSelector().select(0.2)
    raise RuntimeError("The official server does not start.")


def _play(python: Path, environ: dict[str, str], names: Sequence[str]) -> dict[str, Any]:
    """Play all. A case that hangs, or ends the process, is noted as such, and those after it are played in another."""
    outcomes: dict[str, Any] = {}
    while left := [name for name in names if name not in outcomes]:
        at = left[0]
        for what, name, outcome in _tell(python, environ, "play", left):
            at = name
            if what == "ended":
                outcomes[name] = outcome
        if len(outcomes) < len(names) and at not in outcomes:
            outcomes[at] = HANGS
            sys.stderr.write(f"{at} never ends\n")
    return outcomes


def _read(python: Path, environ: dict[str, str], names: Sequence[str]) -> dict[str, Any]:
    return {name: runs for _, name, runs in _tell(python, environ, "read", names)}


def _tell(python: Path, environ: dict[str, str], verb: str, names: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """What a process of the official environment says, line by line, until it ends or says nothing for too long."""
    command = [python, "-m", "tests.semantics.official", verb]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(names).encode())
        process.stdin.close()
        with selectors.DefaultSelector() as heard:
            heard.register(process.stdout, selectors.EVENT_READ)
            text = b""
            while heard.select(PATIENCE):
                read = os.read(process.stdout.fileno(), 65536)
                if not read:
                    return
                *lines, text = (text + read).split(b"\n")
                yield from map(json.loads, lines)
        process.kill()


def main(wanted: list[str]) -> None:
    """Record all, or those whose ids begin so, each module on a server of its own; the others stay as they are."""
    cases = collect_cases()
    facts = {name: outcome for name, outcome in read_facts(OFFICIAL).items() if name in cases}
    names = [name for name in cases if not wanted or name.startswith(tuple(wanted))]
    for module, chosen in groupby(names, key=lambda name: name.partition("/")[0]):
        outcomes = record(list(chosen))
        facts |= outcomes
        write_facts(OFFICIAL, facts)
        sys.stderr.write(f"{module}: {len(outcomes)} outcomes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
