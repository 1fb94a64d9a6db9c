"""The process that beats for another, started by `client.heart`: `python -m headrace.client.pulse`.

It reads lines from its standard input: what it is to do, then the attempts that begin and end. The end of the input is
the end of the process it beats for, and its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import time

import msgspec

from headrace.base import errors
from headrace.client.execution import RemoteExecution
from headrace.client.transport import Transport
from headrace.schema.orchestration import Beat
from headrace.schema.pulse import Attempt, Charge

INPUT = 0


def beat_for_another() -> None:
    """Beat until the input ends."""
    lines = Lines()
    while not lines.ready and lines.read(None):
        pass
    if not lines.ready:
        return
    charge = msgspec.json.decode(lines.ready.pop(0), type=Charge)
    execution = RemoteExecution(Transport(charge.api_url, charge.api_key))
    attempts: dict[str, Beat] = {}
    due = time.monotonic()
    while True:
        while lines.ready:
            attempt = msgspec.json.decode(lines.ready.pop(0), type=Attempt)
            if attempt.epoch is None:
                attempts.pop(str(attempt.flow_run_id), None)
            else:
                attempts[str(attempt.flow_run_id)] = Beat(flow_run_id=attempt.flow_run_id, epoch=attempt.epoch)
        if time.monotonic() >= due:
            with contextlib.suppress(errors.HeadraceError):
                for fenced in execution.beat([*attempts.values()]) if attempts else ():
                    attempts.pop(str(fenced), None)
            due = time.monotonic() + charge.interval
        if not lines.read(max(due - time.monotonic(), 0.0)):
            return


class Lines:
    """Lines of the standard input as they come."""

    def __init__(self) -> None:
        self.ready: list[bytes] = []
        self._rest = b""

    def read(self, timeout: float | None) -> bool:
        """Wait for more, `timeout` seconds at most; False when the input has ended."""
        if not select.select([INPUT], [], [], timeout)[0]:
            return True
        data = os.read(INPUT, 65_536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.ready += lines
        return bool(data)


if __name__ == "__main__":
    beat_for_another()
