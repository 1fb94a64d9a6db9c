"""The tutorial, typed as it says: each file is written, each command executed, each output compared."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"


class Block(NamedTuple):
    """A block of the page: what it is, and its text."""

    kind: str
    text: str


def read_blocks() -> Iterator[Block]:
    """The blocks in their order."""
    for kind, text in re.findall(
        r"^```(.+?)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    ):
        yield Block(kind, text)


def says(output: str, line: str) -> bool:
    """Whether the output has the line; `…` stands for anything."""
    return re.search(".*".join(map(re.escape, line.split("…"))), output) is not None


def test_the_tutorial_holds(tmp_path: Path) -> None:
    folder, tools = tmp_path / "folder", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    for name in ("python", "headrace"):
        script = tools / name
        script.unlink(missing_ok=True)
        module = "" if name == "python" else "-m headrace "
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n', encoding="utf-8")
        script.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HEADRACE_HOME": str(tmp_path / "home")}
    output = ""
    checked = 0
    for kind, text in read_blocks():
        if kind.startswith("python"):
            (folder / kind.split('"')[1]).write_text(text, encoding="utf-8")
        elif kind == "console":
            output = ""
            for line in text.splitlines():
                command = line.removeprefix("$ ")
                ended = subprocess.run(
                    ["/bin/bash", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, check=False
                )
                output += ended.stdout + ended.stderr
                assert ended.returncode == 0, f"{command}\n{output}"
        else:
            assert kind == "text"
            for line in text.splitlines():
                assert says(output, line), f"{line!r} is not in what was said:\n{output}"
                checked += 1
    assert output
    assert checked > 15
    done = (folder / "done.txt").read_text(encoding="utf-8").split()
    assert done == ["2021-01", "2021-02", "2021-03"] * 2, "resumed once, and run again from `survive` once"
