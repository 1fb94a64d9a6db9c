"""Cloning repositories with git. Nothing of what is asked for can become an option, and no shell sees it.

A token travels in the environment of git alone, and only to the host of its repository: it is in no list of processes, no
configuration file of the clone, and no message.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from headrace.base.errors import ConfigurationError

_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")
_REFERENCE = re.compile(r"[^\s~^:?*\[\\\x00-\x20\x7f]+")
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_CREDENTIALS = re.compile(r"(://)[^/@\s]+@")
# A repository that git was started from, in a hook say, is not the one that is meant here.
_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


class Source(Struct, frozen=True, kw_only=True):
    """What to clone: a repository, and of it a branch (or tag) or a commit; with its submodules, or only some directories."""

    repository: str
    branch: str | None = None
    commit_sha: str | None = None
    include_submodules: bool = False
    directories: tuple[str, ...] = ()
    access_token: str | None = None

    def __repr__(self) -> str:
        return f"Source({hide_credentials(self.repository)!r})"

    @property
    def name(self) -> str:
        """What the clone's folder is called: the repository, and the branch or commit where one was asked for."""
        last = re.split(r"[/:\\]", self.repository.rstrip("/\\"))[-1].removesuffix(".git")
        name = "repository" if last in {"", ".", ".."} else last
        chosen = self.branch or self.commit_sha
        return f"{name}-{chosen.replace('/', '-')}" if chosen else name


def hide_credentials(text: str) -> str:
    """The text with what stands before the host of its addresses hidden."""
    return _CREDENTIALS.sub(r"\1***@", text)


def clone(source: Source, folder: Path) -> Path:
    """Clone into a folder of the repository's name within `folder` and return it; one that is there is brought up to date.

    Only what is asked for is fetched, without history; a commit needs the history. Raises `ConfigurationError` in one
    line for what cannot be a repository, branch, commit or directory, and with git's own last line when it fails.
    """
    _check(source)
    target = folder / source.name
    if target.is_dir() and any(target.iterdir()):
        _update(source, target)
    else:
        _clone(source, target)
    return target


def find_origin(folder: Path) -> str | None:
    """The address that the repository around a folder was cloned from; None where there is neither."""
    return _ask(folder, "config", "--get", "remote.origin.url")


def find_branch(folder: Path) -> str | None:
    """The branch that is checked out in a folder."""
    return _ask(folder, "symbolic-ref", "--quiet", "--short", "HEAD")


def _clone(source: Source, target: Path) -> None:
    options = ["clone", "--quiet"]
    if source.commit_sha is None:
        options += ["--depth", "1"]
    if source.branch is not None:
        options += ["--branch", source.branch]
    partial = source.commit_sha is not None or bool(source.directories)
    if partial:
        options.append("--no-checkout")
    elif source.include_submodules:
        options += ["--recurse-submodules", "--shallow-submodules"]
    target.parent.mkdir(parents=True, exist_ok=True)
    _run(source, [*options, "--", source.repository, str(target.absolute())], target.parent)
    if partial:
        _choose_directories(source, target)
        _run(source, ["checkout", "--quiet", *_wanted(source)], target)
        _update_submodules(source, target)


def _update(source: Source, target: Path) -> None:
    origin = _ask(target, "config", "--get", "remote.origin.url") or ""
    # Of a relative path git notes an absolute one.
    same = (
        origin == source.repository
        or (target.parent / origin).resolve() == (target.parent / source.repository).resolve()
    )
    if not same or not (target / ".git").exists():
        raise ConfigurationError(
            f"{target} is in the way: it is there, and is no clone of {hide_credentials(source.repository)}."
        )
    if source.commit_sha is None:
        _run(source, ["fetch", "--quiet", "--depth", "1", "origin", "--", source.branch or "HEAD"], target)
    elif _ask(target, "cat-file", "-t", source.commit_sha) is None:
        _run(source, ["fetch", "--quiet", "origin"], target)
    _choose_directories(source, target)
    _run(source, ["checkout", "--quiet", "--detach", source.commit_sha or "FETCH_HEAD"], target)
    _update_submodules(source, target)


def _wanted(source: Source) -> list[str]:
    return ["--detach", source.commit_sha] if source.commit_sha is not None else []


def _choose_directories(source: Source, target: Path) -> None:
    if source.directories:
        _run(source, ["sparse-checkout", "set", "--cone", "--stdin"], target, "\n".join(source.directories) + "\n")


def _update_submodules(source: Source, target: Path) -> None:
    if source.include_submodules:
        _run(source, ["submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1"], target)


def _check(source: Source) -> None:
    """Raise `ConfigurationError` for what git would take for an option, a program to start, or a place outside."""
    shown = hide_credentials(source.repository)
    given = {"repository": [source.repository], "branch": [source.branch], "commit": [source.commit_sha]}
    for what, texts in {**given, "directory": source.directories}.items():
        for text in texts:
            if text is not None and (not text.strip() or text.startswith("-") or not text.isprintable()):
                raise ConfigurationError(f"{hide_credentials(text)!r} can be no {what} of git's.")
    if _HELPER.match(source.repository):
        raise ConfigurationError(f"{shown!r} would start a program: give the repository's address or path.")
    if source.branch is not None and (not _REFERENCE.fullmatch(source.branch) or ".." in source.branch):
        raise ConfigurationError(f"{source.branch!r} can be no branch of git's.")
    if source.commit_sha is not None and not _COMMIT.fullmatch(source.commit_sha):
        raise ConfigurationError(f"{source.commit_sha!r} is no commit: give its digits, 4 to 64 of 0-9 and a-f.")
    if source.branch is not None and source.commit_sha is not None:
        raise ConfigurationError(f"Of {shown} a branch and a commit were asked for: give one of both.")
    for directory in source.directories:
        if directory.startswith("/") or ".." in Path(directory).parts:
            raise ConfigurationError(f"{directory!r} is no directory within {shown}.")
    if source.access_token is not None:
        if not source.access_token.isprintable() or not source.access_token:
            raise ConfigurationError(f"The access token for {shown} is empty, or more than one line.")
        if urlsplit(source.repository).scheme not in {"http", "https"}:
            raise ConfigurationError(f"An access token goes with an address of https://, not with {shown}.")


def _run(source: Source, arguments: Sequence[str], folder: Path | None = None, given: str = "") -> None:
    ran = subprocess.run(
        [_find_git(), *arguments],
        cwd=folder,
        env=_make_environment(source),
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode != 0:
        said = [line.strip() for line in ran.stderr.splitlines() if line.strip()]
        reason = _hide(source, said[-1] if said else f"it ended with exit code {ran.returncode}")
        shown = hide_credentials(source.repository)
        raise ConfigurationError(f"git {arguments[0]} of {shown} failed: {reason.rstrip('.')}.")


def _hide(source: Source, text: str) -> str:
    text = hide_credentials(text)
    return text.replace(source.access_token, "***") if source.access_token else text


def _make_environment(source: Source) -> dict[str, str]:
    """This process's environment, in which git asks nobody, gives up on a transfer that stands still, and has the token."""
    environment = _plain_environment()
    environment.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
    settings = {"http.lowSpeedLimit": "1000", "http.lowSpeedTime": "60"}
    if source.access_token is not None:
        address = urlsplit(source.repository)
        host = address.netloc.rpartition("@")[2]
        token = source.access_token if ":" in source.access_token else f"x-access-token:{source.access_token}"
        header = f"Authorization: Basic {b64encode(token.encode()).decode()}"
        settings[f"http.{address.scheme}://{host}/.extraHeader"] = header
    return environment | _as_variables(environment, settings)


def _as_variables(environment: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Git's settings as variables, after those that are there."""
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdigit() else 0
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _plain_environment() -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in _PLACES}
    return environment | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _ask(folder: Path, *arguments: str) -> str | None:
    """What git says of the repository around a folder, if it says anything."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(folder), *arguments]
    ran = subprocess.run(command, env=_plain_environment(), capture_output=True, text=True, check=False)
    return (ran.stdout.strip() or None) if ran.returncode == 0 else None


def _find_git() -> str:
    git = shutil.which("git")
    if git is None:
        raise ConfigurationError("git is not installed here, or not on the path: install it to clone repositories.")
    return git
