"""What `make demo` runs: the taxi pipeline on real trips, then what was recorded about it, read back from the database.

Everything it leaves behind, the database included, is in one folder, HEADRACE_HOME.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from data import find_trips


def main() -> None:
    home = Path(os.environ["HEADRACE_HOME"]).resolve()
    for name in [*os.environ]:
        if name.startswith("HEADRACE_") and name not in {"HEADRACE_HOME", "HEADRACE_TAXI_DATA"}:
            del os.environ[name]  # the demo records in a database of its own, whatever this shell works with
    home.mkdir(parents=True, exist_ok=True)
    train, validation = (path.resolve() for path in find_trips(home / "data", say=headline))
    os.chdir(home)

    from orchestrate import main_flow

    rmse = main_flow(str(train), str(validation))

    newest = json.loads(read_back("flow-run", "ls", "--limit", "1", "-o", "json"))[0]
    headline(f"RMSE: {rmse:.3f} minutes")
    headline("The artifact that the run made")
    print(read_back("artifact", "inspect", "duration-model-report"))
    headline("The run, as the database has it")
    print(read_back("flow-run", "ls", "--limit", "5"))
    print(read_back("flow-run", "inspect", newest["id"]))
    shown = os.path.relpath(home, Path(__file__).parents[2])
    print(f"All of it is in {shown}. Look around: HEADRACE_HOME={shown} .venv/bin/headrace flow-run ls")


def read_back(*arguments: str) -> str:
    """What the command line says, which shares nothing with this process but the database."""
    command = [str(Path(sys.executable).with_name("headrace")), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def headline(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}", flush=True)


if __name__ == "__main__":
    main()
