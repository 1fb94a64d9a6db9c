"""Completion in the shell, asked of bash itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Machine


def complete(script: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words."""
    bash = shutil.which("bash")
    if bash is None:
        reason = "There is no bash here, which completion is asked of."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    typed = " ".join(f"'{word}'" for word in ("headrace", *words))
    code = f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _headrace; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    ended = subprocess.run([bash, "--norc", "-c", code], capture_output=True, text=True, check=True)
    return {*ended.stdout.split()}


def test_bash_completes_nouns_verbs_and_options(machine: Machine, tmp_path: Path) -> None:
    script = tmp_path / "headrace.bash"
    shown = machine.read("--install-completion", "--shell", "bash", "-o", str(script))
    assert shown == f"The completion for bash is in {script}.\n"
    assert complete(script, "flow-") >= {"flow-run"}
    assert complete(script, "deployment", "sch") == {"schedule"}
    assert complete(script, "deployment", "schedule", "cr") == {"create"}
    assert complete(script, "flow-run", "ls", "--state") >= {"--state", "--state-type"}


@pytest.mark.parametrize("shell", ["fish", "powershell", "zsh"])
def test_other_shells_have_scripts_too(machine: Machine, tmp_path: Path, shell: str) -> None:
    script = tmp_path / "script"
    machine.read("--install-completion", "--shell", shell, "--output", str(script))
    assert "flow-run" in script.read_text()


def test_it_is_loaded_when_the_shell_starts(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    (tmp_path / ".bashrc").write_text("alias ll='ls -l'\n")
    assert "started from now on" in machine.read("--install-completion", "--shell", "bash")
    lines = (tmp_path / ".bashrc").read_text()
    assert lines.startswith("alias ll")
    assert "headrace" in lines


def test_what_cannot_be_written_or_told_is_said(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "script")
    assert "cannot be written" in machine.fail("--install-completion", "--shell", "bash", "-o", place)
    assert "tcsh" in machine.fail("--install-completion", "--shell", "tcsh")

    from cyclopts.completion.detect import ShellDetectionError

    def fail() -> str:
        raise ShellDetectionError

    monkeypatch.setattr("cyclopts.completion.detect.detect_shell", fail)
    assert "name it with --shell" in machine.fail("--install-completion")
