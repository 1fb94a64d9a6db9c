"""What each step does. Each returns its outputs, by name."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from headrace.base.errors import ConfigurationError
from headrace.outbound.git import Source, clone, hide_credentials
from headrace.projects.steps.inputs import GitClone, Inputs, PipInstallRequirements, RunShellScript, SetWorkingDirectory
from headrace.projects.steps.programs import Log, run_program

SHELL_SIGNS = frozenset({"|", "||", "&", "&&", ";", "<", "<<", ">", ">>", "2>", "&>"})


class Place(Struct):
    """Where steps are at: the directory they work in, where the code has come to, where they tell what they do, and what
    reads variables and blocks.
    """

    directory: Path
    code: Path
    log: Log
    variables: Callable[[str], Any]
    blocks: Callable[[str], Any]

    def find(self, directory: str | None) -> Path:
        """A directory by its path from where the steps work, or from where the code is. Raises `ConfigurationError`."""
        if directory is None:
            return self.directory
        path = Path(directory).expanduser()
        for base in (self.directory, self.code):
            if (base / path).is_dir():
                return base / path
        raise ConfigurationError(f"There is no directory {self.directory / path}.")


def perform(inputs: Inputs, place: Place) -> dict[str, Any]:
    """Do what a step is for, and return its outputs. Raises `ConfigurationError` in one line."""
    match inputs:
        case SetWorkingDirectory():
            place.directory = place.code = place.find(inputs.directory)
            return {"directory": str(place.directory)}
        case GitClone():
            return _clone(inputs, place)
        case RunShellScript():
            return _run_script(inputs, place)
        case PipInstallRequirements():
            return _install(inputs, place)


def install_missing(packages: Sequence[str], place: Place) -> None:
    """Install the packages that a step requires and that are not there; those of the field's own steps are built in."""
    missing = [package for package in packages if not _is_there(package)]
    for package in missing:
        if package.startswith("-"):
            raise ConfigurationError(f"{package!r} can be no package.")
    if missing:
        _run_pip(["--", *missing], place.directory, place.log)


def _clone(inputs: GitClone, place: Place) -> dict[str, Any]:
    source = Source(
        repository=inputs.repository,
        branch=inputs.branch,
        commit_sha=inputs.commit_sha,
        include_submodules=inputs.include_submodules,
        directories=tuple(inputs.directories or ()),
        access_token=inputs.access_token,
    )
    place.log(f"Cloning {hide_credentials(source.repository)} into {place.directory / source.name}.")
    place.code = clone(source, place.directory)
    return {"directory": str(place.code)}


def _run_script(inputs: RunShellScript, place: Place) -> dict[str, Any]:
    directory = place.find(inputs.directory)
    environ = {**os.environ, **(inputs.env or {})}
    outputs: list[tuple[str, str]] = []
    for number, line in enumerate(inputs.script.splitlines(), 1):
        try:
            command = _split(os.path.expandvars(line) if inputs.expand_env_vars else line)
            if command:
                outputs.append(run_program(command, directory, environ, place.log if inputs.stream_output else None))
        except ConfigurationError as error:
            raise ConfigurationError(f"Line {number} of the script: {error}") from None
    return {
        "stdout": "\n".join(out for out, _ in outputs if out),
        "stderr": "\n".join(err for _, err in outputs if err),
    }


def _split(line: str) -> list[str]:
    """A program and its arguments. What only a shell would understand is refused rather than handed to the program."""
    try:
        words = shlex.split(line, comments=True)
        signs = [word for word in shlex.split(line, comments=True, posix=False) if word in SHELL_SIGNS]
    except ValueError as error:
        raise ConfigurationError(f"It cannot be read: {str(error).lower()}.") from None
    if signs:
        raise ConfigurationError(f"No shell reads it, so {signs[0]} means nothing: write bash -c '…'.")
    return words


def _install(inputs: PipInstallRequirements, place: Place) -> dict[str, Any]:
    directory = place.find(inputs.directory)
    file = directory / inputs.requirements_file
    if not file.is_file():
        raise ConfigurationError(f"There is no file {file} to install from.")
    out, err = _run_pip(["-r", str(file)], directory, place.log if inputs.stream_output else None)
    return {"stdout": out, "stderr": err}


def _run_pip(arguments: Sequence[str], directory: Path, log: Log | None) -> tuple[str, str]:
    uv = shutil.which("uv")
    if find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    elif uv is not None:
        command = [uv, "pip", "install", "--python", sys.executable, *arguments]
    else:
        raise ConfigurationError(
            f"Neither pip nor uv is there to install with; this brings pip: {sys.executable} -m ensurepip."
        )
    return run_program(command, directory, os.environ, log)


def _is_there(package: str) -> bool:
    name = package.strip().lower()
    if name.startswith(("prefect", "headrace")):
        return True
    try:
        distribution(name)
    except (PackageNotFoundError, ValueError):
        return False
    return True
