"""What a running flow notices of the vacuum: durable tasks through a server that keeps everything, and one that deletes."""

from dataclasses import dataclass
from pathlib import Path

from bench.calls import reach
from bench.children import ScriptFailed, run_script
from bench.generation import DAYS
from bench.servers import Server, serving

SETTING = "HEADRACE_RETENTION_RUNS_DAYS"
FOREVER = "forever"


@dataclass(frozen=True)
class Waits:
    """How long a task took, in seconds, and how many flow runs went a second meanwhile."""

    p50: float
    p99: float
    deleted: float


@dataclass(frozen=True)
class Witness:
    """Runs a flow through servers on one database, which is `home`'s or named by the settings."""

    python: Path
    home: Path
    settings: dict[str, str]

    def watch(self, repeat: int) -> tuple[Waits, Waits]:
        """Return what a flow waits for beside a vacuum at rest, and beside one that deletes a day and what goes on.

        Each repeat has one more day of the history deleted. Raises `ScriptFailed` when nothing was deleted meanwhile.
        """
        alone = self.run(FOREVER)
        beside = self.run(str(DAYS - 1 - repeat))
        if not beside.deleted:
            raise ScriptFailed("the vacuum deleted nothing while the flow ran")
        return alone, beside

    def run(self, kept: str) -> Waits:
        """Run the flow beside a server that keeps runs for so long."""
        with serving("headrace", self.python, self.home, {**self.settings, SETTING: kept}) as server:
            before = count(server)
            ended = run_script(self.python, ("headrace_waits.py",), self.home, server.settings)
            told, gone = ended.report, before + 1 - count(server)
        p50, p99 = told["p50"], told["p99"]
        if p50 is None or p99 is None:
            raise ScriptFailed("headrace_waits.py reported nothing")
        return Waits(p50, p99, max(gone, 0) / ended.seconds)


def count(server: Server) -> int:
    """Return how many flow runs there are."""
    with reach(server.url) as api:
        return api.post("/flow_runs/count", {})
