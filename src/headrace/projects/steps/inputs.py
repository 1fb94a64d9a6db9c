"""What each step is given."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import Struct

from headrace.base.errors import ConfigurationError


class SetWorkingDirectory(Struct, kw_only=True, forbid_unknown_fields=True):
    """Goes on in a directory."""

    directory: str


class GitClone(Struct, kw_only=True, forbid_unknown_fields=True):
    """Clones a repository beside what is there."""

    repository: str
    branch: str | None = None
    commit_sha: str | None = None
    include_submodules: bool = False
    access_token: str | None = None
    directories: list[str] | None = None


class RunShellScript(Struct, kw_only=True, forbid_unknown_fields=True):
    """Runs the lines of a script, one after the other, each as a program with its arguments."""

    script: str
    directory: str | None = None
    env: dict[str, str] | None = None
    stream_output: bool = True
    expand_env_vars: bool = False


class PipInstallRequirements(Struct, kw_only=True, forbid_unknown_fields=True):
    """Installs what a file of requirements names, into this interpreter's environment."""

    directory: str | None = None
    requirements_file: str = "requirements.txt"
    stream_output: bool = True


Inputs = SetWorkingDirectory | GitClone | RunShellScript | PipInstallRequirements

INPUTS: dict[str, type[Inputs]] = {
    "git_clone": GitClone,
    "pip_install_requirements": PipInstallRequirements,
    "run_shell_script": RunShellScript,
    "set_working_directory": SetWorkingDirectory,
}


def check_names(step: str, given: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for what a step knows nothing of, or what it lacks."""
    fields = msgspec.structs.fields(INPUTS[step])
    names = [field.name for field in fields]
    for name in given:
        if name not in names:
            nearest = get_close_matches(str(name), [*names, "id", "requires"], n=1)
            advice = f"did you mean {nearest[0]!r}?" if nearest else f"it is given {', '.join(names)}."
            raise ConfigurationError(f"Step {step} knows no {name!r}; {advice}")
    for field in fields:
        if field.required and given.get(field.name) is None:
            raise ConfigurationError(f"Step {step} needs its {field.name!r}.")


def read_inputs(step: str, given: Mapping[str, Any]) -> Inputs:
    """What a step is given, each value as it must be. Raises `ConfigurationError` for one that cannot be."""
    check_names(step, given)
    said = {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(said, INPUTS[step], strict=False)
    except msgspec.ValidationError as error:
        told, _, place = str(error).partition(" - at `$.")
        raise ConfigurationError(f"Step {step}: {place.rstrip('`') or 'it'}: {told[:1].lower()}{told[1:]}.") from None
