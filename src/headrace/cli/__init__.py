"""The command line: one file per noun, loaded when its commands are used."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command in `sys.argv` and exit with its code: 0, 1 for any error, 130 when interrupted."""
    try:
        from headrace.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
