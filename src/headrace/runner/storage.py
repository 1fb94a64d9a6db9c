"""Where the code of flows is kept: in a folder of this machine, or in a git repository."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headrace.base.errors import ConfigurationError, UsageError
from headrace.outbound.git import Source, clone, hide_credentials
from headrace.projects.placeholders import Known, find_placeholders
from headrace.projects.steps.naming import PREFIX
from headrace.projects.whereabouts import go_to

__all__ = ["GitRepository", "LocalStorage", "create_storage_from_source"]

_GIT = frozenset({"file", "git", "git+ssh", "http", "https", "ssh"})
_SCP = re.compile(r"[^/\s]+@[^/\s]+:\S+")
_CREDENTIALS = ("access_token", "username")


class LocalStorage:
    """A folder of this machine, which has to be there wherever the code is executed."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser().absolute()

    def fetch(self, folder: Path) -> Path:
        """The folder itself. Raises `UsageError` when there is none."""
        if not self.path.is_dir():
            raise UsageError(f"There is no folder {self.path} to load a flow from.")
        return self.path

    def to_pull_step(self) -> dict[str, Any]:
        """The step that goes there."""
        (step,) = go_to(self.path)
        return step

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.path)!r})"


class GitRepository:
    """A git repository: of it a branch (or tag) or a commit, with its submodules, or only some directories.

    `credentials` is `{"access_token": …}`, where the host wants one with a `username`. Deployments keep no secrets: for
    them the token is the placeholder of a variable in the environment of whoever executes them, `{{ $GITHUB_TOKEN }}`.
    Raises `UsageError` for what cannot be.
    """

    def __init__(
        self,
        url: str,
        credentials: Mapping[str, str] | None = None,
        branch: str | None = None,
        commit_sha: str | None = None,
        include_submodules: bool = False,
        directories: Sequence[str] | None = None,
    ) -> None:
        self.url = url
        self.branch = branch
        self.commit_sha = commit_sha
        self.include_submodules = include_submodules
        self.directories = tuple(directories or ())
        self._token = _read_token(credentials)

    def fetch(self, folder: Path) -> Path:
        """Clone it into a folder below `folder`, and return that. Raises `UsageError` in one line."""
        try:
            token = Known(environ=os.environ).fill_in(self._token)
            source = Source(
                repository=self.url,
                branch=self.branch,
                commit_sha=self.commit_sha,
                include_submodules=self.include_submodules,
                directories=self.directories,
                access_token=token,
            )
            return clone(source, folder)
        except ConfigurationError as error:
            raise UsageError(str(error)) from None

    def to_pull_step(self) -> dict[str, Any]:
        """The step that clones it. Raises `UsageError` for a secret, which would be stored with the deployment."""
        if urlsplit(self.url).password or (self._token is not None and not [*find_placeholders(self._token)]):
            raise UsageError(
                f"A deployment keeps no secrets: name a variable of the environment that its runs are executed in, "
                f'GitRepository({hide_credentials(self.url)!r}, credentials={{"access_token": "{{{{ $GIT_TOKEN }}}}"}}).'
            )
        given = {
            "repository": self.url,
            "branch": self.branch,
            "commit_sha": self.commit_sha,
            "include_submodules": self.include_submodules or None,
            "directories": [*self.directories] or None,
            "access_token": self._token,
        }
        return {f"{PREFIX}git_clone": {name: value for name, value in given.items() if value is not None}}

    def __repr__(self) -> str:
        return f"GitRepository({hide_credentials(self.url)!r})"


Storage = LocalStorage | GitRepository


def create_storage_from_source(source: Storage | Path | str) -> Storage:
    """The storage that a path or an address means; one that is a storage already. Raises `UsageError` for any other."""
    if isinstance(source, (LocalStorage, GitRepository)):
        return source
    if isinstance(source, Path):
        return LocalStorage(source)
    if not isinstance(source, str) or not source:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"A flow's source is a folder, the address of a git repository, or a storage, not {source!r}.")
    scheme = urlsplit(source).scheme if "://" in source else ""
    if scheme in _GIT or _SCP.fullmatch(source) or (not scheme and source.endswith(".git")):
        return GitRepository(source)
    if scheme:
        raise UsageError(
            f"Nothing here fetches code from {scheme}://: give a folder or the address of a git repository."
        )
    return LocalStorage(source)


def _read_token(credentials: Mapping[str, str] | None) -> str | None:
    if credentials is None:
        return None
    unknown = [name for name in credentials if name not in _CREDENTIALS]
    if unknown or not credentials.get("access_token"):
        said = f", not {unknown[0]!r}" if unknown else ""
        raise UsageError(f"The credentials of a repository are its access_token, perhaps with a username{said}.")
    token, username = credentials["access_token"], credentials.get("username")
    return f"{username}:{token}" if username else token
