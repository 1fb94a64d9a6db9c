"""Where the code of flows is kept."""

from pathlib import Path
from typing import Any

import pytest

from headrace.base.errors import UsageError
from headrace.runner.storage import GitRepository, LocalStorage, create_storage_from_source
from tests.unit.outbound.repositories import make_repository

CLONE = "headrace.deployments.steps.git_clone"
SECRET = {"access_token": "{{ $GIT_TOKEN }}"}


# sources


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("https://example.org/team/flows", GitRepository),
        ("ssh://git@example.org/team/flows.git", GitRepository),
        ("git@example.org:team/flows.git", GitRepository),
        ("/srv/git/flows.git", GitRepository),
        ("flows", LocalStorage),
        ("/srv/flows", LocalStorage),
        (Path("flows.git"), LocalStorage),
    ],
)
def test_a_source_is_a_folder_or_a_repository(source: str | Path, kind: type) -> None:
    assert type(create_storage_from_source(source)) is kind


def test_a_storage_is_a_source() -> None:
    for storage in (LocalStorage("flows"), GitRepository("https://example.org/flows")):
        assert create_storage_from_source(storage) is storage


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("s3://bucket/flows", "Nothing here fetches code from s3://"),
        ("", "A flow's source is a folder, the address of a git repository, or a storage, not ''."),
        (3, "A flow's source is a folder, the address of a git repository, or a storage, not 3."),
    ],
)
def test_other_sources_are_refused(source: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        create_storage_from_source(source)


# folders


def test_a_folder_is_where_it_is(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    assert storage.fetch(Path("/elsewhere")) == tmp_path
    assert storage.to_pull_step() == {"headrace.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}
    assert repr(storage) == f"LocalStorage('{tmp_path}')"


def test_a_folder_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no folder .*/nowhere to load a flow from"):
        LocalStorage(tmp_path / "nowhere").fetch(tmp_path)


# repositories


def test_a_repository_is_cloned(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "origin", {"flows.py": "one", "deep/other.py": "two"})
    folder = GitRepository(str(repository), branch="main").fetch(tmp_path / "clones")
    assert (folder / "flows.py").read_text(encoding="utf-8") == "one"
    assert folder.is_relative_to(tmp_path / "clones")


def test_the_step_of_a_repository_says_what_was_chosen() -> None:
    chosen: dict[str, Any] = {"branch": "main", "include_submodules": True, "directories": ["flows"]}
    address = "https://example.org/flows"
    assert GitRepository(address).to_pull_step() == {CLONE: {"repository": address}}
    assert GitRepository(address, **chosen).to_pull_step() == {CLONE: {"repository": address, **chosen}}
    assert GitRepository(address, commit_sha="abc123").to_pull_step() == {
        CLONE: {"repository": address, "commit_sha": "abc123"}
    }


@pytest.mark.parametrize(
    ("credentials", "token"),
    [(SECRET, "{{ $GIT_TOKEN }}"), ({**SECRET, "username": "oauth2"}, "oauth2:{{ $GIT_TOKEN }}")],
)
def test_a_token_is_named_not_kept(credentials: dict[str, str], token: str) -> None:
    (given,) = GitRepository("https://example.org/flows", credentials).to_pull_step().values()
    assert given["access_token"] == token


@pytest.mark.parametrize(
    "storage",
    [
        GitRepository("https://example.org/flows", {"access_token": "ghp_secret"}),
        GitRepository("https://someone:ghp_secret@example.org/flows"),
    ],
)
def test_a_deployment_keeps_no_secret(storage: GitRepository) -> None:
    with pytest.raises(UsageError, match="A deployment keeps no secrets: name a variable") as refused:
        storage.to_pull_step()
    assert "ghp_secret" not in f"{refused.value} {storage!r}"


@pytest.mark.parametrize(
    ("credentials", "says"),
    [
        ({"token": "x"}, "are its access_token, perhaps with a username, not 'token'"),
        ({}, "are its access_token, perhaps with a username."),
        ({"access_token": ""}, "are its access_token, perhaps with a username."),
    ],
)
def test_other_credentials_are_refused(credentials: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        GitRepository("https://example.org/flows", credentials)


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        (GitRepository("https://example.org/flows", SECRET), "there is no environment variable GIT_TOKEN"),
        (GitRepository("/nowhere/flows.git"), "git clone of /nowhere/flows.git failed"),
        (GitRepository("https://example.org/flows", branch="a", commit_sha="abcd"), "give one of both"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_line(storage: GitRepository, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        storage.fetch(tmp_path)
    assert "\n" not in str(refused.value)
