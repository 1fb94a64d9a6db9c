"""The official client as tests use it: its scripts, its command line, in processes that know nothing of us."""

import os
import signal
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
OURS = ("HEADRACE_", "COVERAGE_", "PREFECT_")
EAGER = {
    # What waits, waits a second instead of ten; and nothing is sent anywhere but to our server.
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "DO_NOT_TRACK": "1",
}
WIDE = {"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1"}


class Official:
    """The client of one user, who works in `folder` and has set the address of a server."""

    def __init__(self, python: Path, url: str, folder: Path, **environ: str) -> None:
        self.python = python
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environ |= {"PREFECT_HOME": str(folder / "official"), "PREFECT_API_URL": url, **EAGER, **WIDE, **environ}

    def start(self, script: str, *arguments: str) -> "Program":
        """Start one of the scripts beside this file."""
        return self._launch(script, str(self.python), "-u", str(HERE / script), *arguments)

    def run(self, script: str, *arguments: str) -> str:
        """Run a script to its good end and return what it said."""
        return self.start(script, *arguments).finish()

    def start_command(self, *arguments: str) -> "Program":
        """Start a command of the client's own command line."""
        command = str(self.python.with_name("prefect"))
        return self._launch(" ".join(arguments), command, "--no-prompt", *arguments)

    def command(self, *arguments: str) -> str:
        """Run a command to its good end and return what it said."""
        return self.start_command(*arguments).finish()

    def _launch(self, title: str, *command: str) -> "Program":
        process = subprocess.Popen(
            command,
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Program(title, process)


class Program:
    """A process of the client."""

    def __init__(self, title: str, process: subprocess.Popen[str]) -> None:
        self.title = title
        self.process = process

    def read_line(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def finish(self, text: str | None = None) -> str:
        """Wait for the good end, and return what was said on the way."""
        said, shown = self.process.communicate(text, timeout=150)
        assert self.process.returncode == 0, f"{self.title}: {said[-2000:]}\n{shown[-4000:]}"
        assert "Traceback" not in shown, shown
        assert "EventsWorker failed" not in shown, shown
        return said

    def interrupt(self) -> None:
        """End it as Ctrl-C does, with all that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.communicate(timeout=60)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.communicate()
