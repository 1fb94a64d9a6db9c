"""Servers and workers at rest, and what they make of a flow run: one repeat after another, subjects in turn."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from bench import dispatch
from bench.children import ScriptFailed, prepare
from bench.dispatch import LIBRARIES, Timing
from bench.measures import Run
from bench.processes import observe
from bench.progress import say
from bench.servers import Server, serving, working
from bench.subjects import PREFECT_SETTINGS

GROUPS = ("server", "worker", "dispatch")

SETTLE = 5.0
"""Seconds until what has just been started counts as at rest."""
WINDOW = 20.0
"""Seconds over which it is watched."""

SETTINGS = {"headrace": {}, "prefect": PREFECT_SETTINGS}
SERVERS = {"headrace": "headrace", "prefect": "prefect-server"}
"""The peers that have a server, and the subject whose figures are the server's."""
WORKERS = {"headrace": "headrace", "prefect": "prefect-worker"}
POOL = "idle"


def measure_services(run: Run, peers: list[str], groups: set[str]) -> None:
    """Take all samples. The order of the subjects moves on by one with each repeat."""
    ready = [peer for peer in SERVERS if peer in {"headrace", *peers} and peer in run.interpreters]
    with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as folder:
        for repeat in range(run.repeats if ready else 0):
            turn = [ready[(place + repeat) % len(ready)] for place in range(len(ready))]
            home = Path(folder) / str(repeat)
            if groups & {"server", "worker"}:
                say(f"repeat {repeat + 1} of {run.repeats}: servers and workers at rest")
                Rest(run, repeat, home / "rest", groups).take(turn)
            if "dispatch" in groups:
                for peer in turn:
                    take_dispatch(run, repeat, home / "dispatch", peer)


class Rest:
    """One repeat of what costs nothing but being there. Subjects are started in turn and watched at the same time."""

    def __init__(self, run: Run, repeat: int, home: Path, groups: set[str]) -> None:
        self._run = run
        self._repeat = repeat
        self._home = home
        self._groups = groups

    def take(self, peers: list[str]) -> None:
        """Start the servers and watch them, then the workers."""
        with contextlib.ExitStack() as stack:
            servers: dict[str, Server] = {}
            for peer in peers:
                with self._blame("server", SERVERS[peer]):
                    servers[peer] = self._start(stack, peer)
            if "server" in self._groups:
                self._watch("server", {SERVERS[peer]: server.process for peer, server in servers.items()})
            if "worker" not in self._groups:
                return
            workers: dict[str, subprocess.Popen[bytes]] = {}
            for peer, server in servers.items():
                with self._blame("worker", WORKERS[peer]):
                    python, home = self._run.interpreters[peer], self._home / peer
                    workers[WORKERS[peer]] = stack.enter_context(working(peer, python, home, server, POOL))
            self._watch("worker", workers)

    def _start(self, stack: contextlib.ExitStack, peer: str) -> Server:
        """Start the peer's server on an empty home, and again on the home that is there then."""
        python, home, settings = self._run.interpreters[peer], self._home / peer, dict(SETTINGS[peer])
        prepare(home)
        with serving(peer, python, home, settings) as server:
            first = server.seconds
        server = stack.enter_context(serving(peer, python, home, settings))
        if "server" in self._groups:
            self._run.figures.add("server-first", SERVERS[peer], self._repeat, first)
            self._run.figures.add("server-start", SERVERS[peer], self._repeat, server.seconds)
        return server

    def _watch(self, what: str, programs: dict[str, subprocess.Popen[bytes]]) -> None:
        time.sleep(SETTLE)
        try:
            costs = observe([*programs.values()], WINDOW)
        except ScriptFailed as reason:
            for subject in programs:
                self._run.figures.fail(what, subject, str(reason))
            return
        for subject, cost in zip(programs, costs, strict=True):
            self._run.figures.add(f"{what}-memory", subject, self._repeat, cost.memory)
            self._run.figures.add(f"{what}-processor", subject, self._repeat, cost.share)

    @contextlib.contextmanager
    def _blame(self, what: str, subject: str) -> Generator[None]:
        """Remember a failure as this subject's."""
        try:
            yield
        except ScriptFailed as reason:
            say(f"  {subject}, {what}: {reason}")
            self._run.figures.fail(what, subject, str(reason))


def take_dispatch(run: Run, repeat: int, folder: Path, peer: str) -> None:
    """Take one repeat of a peer's dispatch; what fails is remembered."""
    python = run.interpreters[peer]
    ways: dict[str, Callable[[Path], Iterator[Timing]]] = {}
    if peer == "prefect":
        ways["prefect-worker"] = lambda home: dispatch.time_prefect(python, home, PREFECT_SETTINGS, repeat)
    else:
        ways["headrace"] = lambda home: dispatch.time_headrace(python, home, repeat)
        if (libraries := run.interpreters.get(LIBRARIES)) is not None:
            ways[LIBRARIES] = lambda home: dispatch.time_libraries(libraries, home, repeat)
    for name, time_all in ways.items():
        say(f"repeat {repeat + 1} of {run.repeats}: dispatch, {name}")
        prepare(folder / name)
        try:
            for timing in time_all(folder / name):
                run.figures.add(timing.measure, timing.subject, repeat, timing.p50)
                run.figures.add(f"{timing.measure}-p95", timing.subject, repeat, timing.p95)
        except ScriptFailed as reason:
            say(f"  {name}, dispatch: {reason}")
            run.figures.fail("dispatch", name.removesuffix("-libraries"), str(reason))
