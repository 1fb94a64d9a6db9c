"""How far a run is."""

import sys


def say(line: str) -> None:
    """Tell on standard error how far the run is."""
    print(line, file=sys.stderr, flush=True)
