"""An environment of its own for each subject, made with uv, or with venv and pip where uv is missing."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
REPOSITORY = BENCH.parent
ENVIRONMENTS = BENCH / ".envs"

INSTALL_LIMIT = 1800
"""Seconds after which an installation is given up."""


class Unavailable(Exception):
    """A subject can't be measured here; the message says why."""


def provide(name: str) -> Path:
    """Return the interpreter of the environment, made or brought up to date first.

    Byte code is compiled on installation, so that import times are those of an installed package. Headrace itself is
    installed anew from the working tree each time. Raises `Unavailable` with the installer's last words.
    """
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    requirements = BENCH / "requirements" / f"{name}.txt"
    if name.startswith("headrace"):
        more = ["--requirement", str(requirements)] if requirements.exists() else []
        install(folder, [f"headrace[postgres] @ {REPOSITORY.as_uri()}", *more], again="headrace")
        return python
    stamp = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        install(folder, ["--requirement", str(requirements)])
        stamp.write_text(wanted)
    return python


def install(folder: Path, what: list[str], again: str | None = None) -> None:
    """Create the environment if it isn't there, and install into it; the package `again` even if it is there."""
    python = folder / "bin" / "python"
    uv = find_uv()
    if not python.exists():
        make = [*uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
        run([*make, str(folder)])
    if uv:
        anew = ["--reinstall-package", again] if again else []
        run([*uv, "pip", "install", "--python", str(python), "--compile-bytecode", *anew, *what])
    else:
        run([str(python), "-m", "pip", "install", *what])
        if again:
            run([str(python), "-m", "pip", "install", "--force-reinstall", "--no-deps", *what])


def find_uv() -> list[str]:
    """Return the command that starts uv, empty if there is none."""
    for known in (REPOSITORY / ".uv" / "bin" / "uv", Path(sys.executable).with_name("uv")):
        if known.exists():
            return [str(known)]
    found = shutil.which("uv")
    return [found] if found else []


def run(command: list[str], without: str | None = None) -> None:
    """Run one step of an installation, without one of our environment's variables. Raises `Unavailable`."""
    environment = {**os.environ, "UV_NO_PROGRESS": "1"}
    environment.pop(without or "", None)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"could not be installed: {error}") from error
    if done.returncode:
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Unavailable(f"could not be installed: {' '.join(lines[-4:])[:300]}")
