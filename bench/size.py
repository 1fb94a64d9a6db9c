"""The installed size of a subject in an environment of its own, byte code included, in MiB."""

import os
import sys
import tempfile
from pathlib import Path

from bench.environments import REPOSITORY, Unavailable, find_uv, install
from bench.environments import run as run_step
from bench.measures import Run
from bench.progress import say
from bench.subjects import PEERS

BARE = {
    "pip",
    "setuptools",
    "wheel",
    "_distutils_hack",
    "distutils-precedence.pth",
    "_virtualenv.py",
    "_virtualenv.pth",
}
"""What an environment may have before anything is installed into it."""

UI = "headrace/server/static/index.html"


def measure_sizes(run: Run) -> None:
    """Weigh Headrace with its UI, freshly installed, and each peer's environment. One sample: sizes don't vary."""
    say("installed sizes")
    try:
        with tempfile.TemporaryDirectory(prefix="hb-size-") as folder:
            run.figures.add("size", "headrace", 0, install_and_weigh(Path(folder)))
    except Unavailable as reason:
        say(f"  headrace, size: {reason}")
        run.figures.fail("size", "headrace", str(reason))
    for subject in PEERS:
        if subject.key == subject.peer in run.interpreters:
            run.figures.add("size", subject.key, 0, weigh_packages(run.interpreters[subject.peer].parents[1]))


def install_and_weigh(folder: Path) -> float:
    """Return the MiB of Headrace as a wheel of the working tree brings it. Raises `Unavailable`."""
    environment = folder / "environment"
    install(environment, [str(build_wheel(folder))])
    if not any(environment.glob(f"lib/python*/site-packages/{UI}")):
        raise Unavailable("the wheel has no UI in it")
    return weigh_packages(environment)


def weigh_packages(environment: Path) -> float:
    """Return the MiB of what is installed into an environment."""
    [packages] = environment.glob("lib/python*/site-packages")
    return sum(weigh(path) for path in packages.iterdir() if path.name not in BARE) / 2**20


def build_wheel(folder: Path) -> Path:
    """Build a wheel of the working tree with the UI in it."""
    uv = find_uv()
    build = (
        [*uv, "build", "--wheel", "--out-dir"]
        if uv
        else [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir"]
    )
    run_step([*build, str(folder / "wheel"), str(REPOSITORY)], without="HEADRACE_SKIP_UI")
    [wheel] = (folder / "wheel").glob("*.whl")
    return wheel


def weigh(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(weigh(Path(entry.path)) for entry in os.scandir(path))
    return path.lstat().st_size
