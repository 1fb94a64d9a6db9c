"""The environment of the contract's own client, made on demand: its version is pinned, and it knows nothing of us."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".envs" / "judge"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = FOLDER / "bin" / "python"
MADE = FOLDER / "made.txt"


def make_environment() -> Path:
    """The interpreter of the environment. Several processes may ask at once; one makes it."""
    FOLDER.parent.mkdir(exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = REQUIREMENTS.read_text()
        if not MADE.exists() or MADE.read_text() != wanted:
            shutil.rmtree(FOLDER, ignore_errors=True)
            _install()
            MADE.write_text(wanted)
    return PYTHON


def _install() -> None:
    uv = next((str(path) for path in (ROOT / ".uv" / "bin" / "uv",) if path.exists()), shutil.which("uv"))
    if uv is None:
        _run(sys.executable, "-m", "venv", str(FOLDER))
        _run(str(PYTHON), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS))
    else:
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(FOLDER))
        _run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON), "-r", str(REQUIREMENTS))


def _run(*command: str) -> None:
    environ = {"UV_SYSTEM_CERTS": "true", **os.environ}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {ended.stderr.strip()[-500:]}")
