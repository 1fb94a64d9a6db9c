"""Cloning: what is asked for comes, what would be an option does not, and a token is seen by nobody."""

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from headrace.base.errors import ConfigurationError
from headrace.outbound import git as module
from headrace.outbound.git import Source, clone, find_branch, find_origin, hide_credentials
from tests.unit.outbound.repositories import commit, git, make_repository

FILES = {"flow.py": "one = 1\n", "data/a/deep.txt": "a", "data/b/deep.txt": "b", "docs/page.md": "page"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "remote" / "flows.git", FILES)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


def test_a_repository_is_cloned_without_its_history(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"flow.py": "one = 2\n"})
    cloned = clone(Source(repository=repository.as_uri()), tmp_path)
    assert cloned == tmp_path / "flows"
    assert names(cloned) == FILES.keys()
    assert (cloned / "flow.py").read_text() == "one = 2\n"
    assert git(cloned, "rev-list", "--count", "HEAD") == "1"


def test_a_path_is_a_repository_too(repository: Path, tmp_path: Path) -> None:
    assert names(clone(Source(repository=str(repository)), tmp_path)) == FILES.keys()


def test_a_path_begins_where_the_clone_is_put(repository: Path, tmp_path: Path) -> None:
    source = Source(repository="./remote/flows.git")
    assert names(clone(source, tmp_path)) == names(clone(source, tmp_path)) == FILES.keys()


def test_a_branch_is_cloned_beside_the_others(repository: Path, tmp_path: Path) -> None:
    commit(repository, {"flow.py": "one = 3\n"}, "try/this")
    main = clone(Source(repository=str(repository), branch="main"), tmp_path)
    tried = clone(Source(repository=str(repository), branch="try/this"), tmp_path)
    assert (main.name, tried.name) == ("flows-main", "flows-try-this")
    assert (tried / "flow.py").read_text() == "one = 3\n"
    assert find_branch(tried) == "try/this"


def test_a_commit_is_cloned_by_its_first_digits(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "main")
    commit(repository, {"flow.py": "one = 4\n"})
    cloned = clone(Source(repository=repository.as_uri(), commit_sha=first[:10]), tmp_path)
    assert cloned.name == f"flows-{first[:10]}"
    assert (cloned / "flow.py").read_text() == "one = 1\n"
    assert find_branch(cloned) is None


def test_only_some_directories_come(repository: Path, tmp_path: Path) -> None:
    cloned = clone(Source(repository=repository.as_uri(), directories=("data/a",)), tmp_path)
    assert names(cloned) == {"flow.py", "data/a/deep.txt"}


def test_submodules_come_when_they_are_asked_for(repository: Path, tmp_path: Path, monkeypatch: Any) -> None:
    inner = make_repository(tmp_path / "remote" / "inner.git", {"inner.txt": "inner"})
    tree = repository.with_suffix(".tree")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.as_uri(), "inner")
    first = commit(repository, {"more.txt": "more"})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    without = clone(Source(repository=repository.as_uri()), tmp_path / "without")
    cloned = clone(Source(repository=repository.as_uri(), include_submodules=True), tmp_path / "with")
    of_commit = clone(Source(repository=repository.as_uri(), include_submodules=True, commit_sha=first), tmp_path)
    assert not (without / "inner" / "inner.txt").exists()
    assert (cloned / "inner" / "inner.txt").exists()
    assert (of_commit / "inner" / "inner.txt").exists()


def test_a_clone_that_is_there_is_brought_up_to_date(repository: Path, tmp_path: Path) -> None:
    source = Source(repository=repository.as_uri())
    cloned = clone(source, tmp_path)
    changed = commit(repository, {"flow.py": "one = 5\n"})
    assert clone(source, tmp_path) == cloned
    assert (cloned / "flow.py").read_text() == "one = 5\n"
    pinned = Source(repository=repository.as_uri(), commit_sha=changed)
    first = clone(pinned, tmp_path)
    assert clone(pinned, tmp_path) == first


def test_a_folder_that_is_no_clone_is_left_alone(repository: Path, tmp_path: Path) -> None:
    mine = tmp_path / "flows" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ConfigurationError, match="is in the way"):
        clone(Source(repository=str(repository)), tmp_path)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"repository": "--upload-pack=touch pwned"}, "can be no repository of git's"),
        ({"repository": ""}, "can be no repository of git's"),
        ({"repository": "a\nb"}, "can be no repository of git's"),
        ({"repository": "ext::sh -c 'touch pwned'"}, "would start a program"),
        ({"branch": "--upload-pack=touch pwned"}, "can be no branch of git's"),
        ({"branch": "-b"}, "can be no branch of git's"),
        ({"branch": "a b"}, "can be no branch of git's"),
        ({"branch": "a..b"}, "can be no branch of git's"),
        ({"commit_sha": "--orphan=x"}, "can be no commit of git's"),
        ({"commit_sha": "HEAD~1"}, "is no commit"),
        ({"branch": "main", "commit_sha": "abcdef"}, "give one of both"),
        ({"directories": ("--skip-checks",)}, "can be no directory of git's"),
        ({"directories": ("../x",)}, "is no directory within"),
        ({"directories": ("/etc",)}, "is no directory within"),
        ({"directories": ("a\nb",)}, "can be no directory of git's"),
        ({"access_token": "secret"}, "goes with an address of https://"),
        ({"access_token": "a\nb", "repository": "https://localhost/x"}, "is empty, or more than one line"),
    ],
)
def test_what_git_would_take_for_something_else_is_refused(
    given: dict[str, Any], message: str, repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message) as refusal:
        clone(structs.replace(Source(repository=str(repository)), **given), tmp_path / "to")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "to").exists()
    assert "secret" not in str(refusal.value)


def test_git_says_in_its_last_line_why_it_failed(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"git clone of .*: fatal: Remote branch nowhere not found") as refusal:
        clone(Source(repository=str(repository), branch="nowhere"), tmp_path)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ConfigurationError, match=r"git clone of .*/missing failed: fatal: "):
        clone(Source(repository=str(tmp_path / "missing")), tmp_path)
    with pytest.raises(ConfigurationError, match=r"git checkout of .* failed: fatal: "):
        clone(Source(repository=str(repository), commit_sha="0123456789"), tmp_path)


def test_without_git_one_line_says_so(monkeypatch: Any, tmp_path: Path, repository: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="git is not installed here"):
        clone(Source(repository=str(repository)), tmp_path)
    assert find_origin(tmp_path) is None


def test_the_origin_of_a_clone_is_known(repository: Path, tmp_path: Path) -> None:
    cloned = clone(Source(repository=str(repository)), tmp_path)
    assert find_origin(cloned / "data") == str(repository)
    assert find_branch(cloned) == "main"
    assert find_origin(repository) is None


class Refusing(BaseHTTPRequestHandler):
    """Notes what it was shown and lets nobody in."""

    shown: list[str]

    def do_GET(self) -> None:
        self.shown.append(self.headers.get("Authorization", ""))
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so it is called there
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[str]]]:
    shown: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Refusing,), {"shown": shown}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}", shown
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("token", "shown"), [("s3cret-token", "x-access-token:s3cret-token"), ("ann:s3cret-token", "ann:s3cret-token")]
)
def test_a_token_is_shown_to_its_host_and_to_nobody_else(
    token: str, shown: str, refusing: tuple[str, list[str]], tmp_path: Path, monkeypatch: Any
) -> None:
    host, seen = refusing
    commands: list[list[str]] = []
    run: Callable[..., Any] = module.subprocess.run

    def watch(command: list[str], **options: Any) -> Any:
        commands.append(command)
        return run(command, **options)

    monkeypatch.setattr(module.subprocess, "run", watch)
    source = Source(repository=f"http://{host}/team/flows.git", access_token=token)
    with pytest.raises(ConfigurationError, match="The requested URL returned error: 403") as refusal:
        clone(source, tmp_path)
    assert seen
    assert {base64.b64decode(each.removeprefix("Basic ")).decode() for each in seen} == {shown}
    assert commands
    assert "s3cret" not in f"{commands} {refusal.value} {source!r}"


def test_a_password_in_an_address_is_not_repeated(refusing: tuple[str, list[str]], tmp_path: Path) -> None:
    host, _ = refusing
    with pytest.raises(ConfigurationError) as refusal:
        clone(Source(repository=f"http://ann:s3cret@{host}/flows"), tmp_path)
    assert "s3cret" not in str(refusal.value)
    assert (
        hide_credentials("see https://t0ken@host/x and ssh://git@host/y")
        == "see https://***@host/x and ssh://***@host/y"
    )


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("https://example.com/team/flows.git", "flows"),
        ("git@example.com:flows.git", "flows"),
        ("/srv/flows/", "flows"),
        ("https://example.com/team/.git", "repository"),
        ("/srv/..", "repository"),
    ],
)
def test_a_clone_is_called_as_its_repository(repository: str, name: str) -> None:
    assert Source(repository=repository).name == name
