"""The flow behind `headrace shell`: a command of the shell, with what it writes as log lines."""

from __future__ import annotations

import signal
import subprocess
from collections import deque

from headrace.flows import flow
from headrace.logging import get_run_logger
from headrace.states import Completed, Failed, State


@flow(name="shell-command")
def run_shell_command(command: str, log_output: bool = True, stream_stdout: bool = False) -> State:
    """Run a command with the shell. The run fails when the command does."""
    logger = get_run_logger()
    last: deque[str] = deque(maxlen=1)
    # The command is for the shell: that is what was asked for.
    process = subprocess.Popen(  # noqa: S602
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        assert process.stdout is not None
        for written in process.stdout:
            line = written.rstrip("\n")
            last.append(line)
            if log_output:
                logger.info("%s", line)
            if stream_stdout:
                print(line, flush=True)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    return Failed(message=describe_end(code, last[0] if last else "")) if code else Completed()


def describe_end(code: int, line: str) -> str:
    """How a command ended that failed, with the last thing that it wrote."""
    try:
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    except ValueError:
        how = f"was ended by signal {-code}"
    return f"The command {how}{f': {line.strip()}' if line.strip() else '.'}"
