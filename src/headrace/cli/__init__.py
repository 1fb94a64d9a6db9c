"""The command line: one file per noun, loaded when its commands are used."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command in `sys.argv` and exit with its code: 0, 1 for any error, 130 when interrupted."""
    _fill_in_streams()
    try:
        from headrace.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _fill_in_streams() -> None:
    """Have streams that were closed before the program began lead nowhere, and so no other file get their numbers."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)
            setattr(sys, name, os.fdopen(nowhere, "r" if name == "stdin" else "w", encoding="utf-8"))
