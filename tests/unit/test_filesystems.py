"""Files are kept in places, and none leads out of its place."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from headrace import task
from headrace.base.errors import ConfigurationError, UsageError
from headrace.blocks.fields import SecretDict
from headrace.filesystems import LocalFileSystem, RemoteFileSystem, WritableFileSystem

OUTSIDE = ["../x", "a/../../x", "/etc/passwd", "~/x"]


@pytest.fixture
def place(tmp_path: Path) -> LocalFileSystem:
    (tmp_path / "place").mkdir()
    return LocalFileSystem(basepath=str(tmp_path / "place"))


@pytest.fixture
def remote() -> RemoteFileSystem:
    return RemoteFileSystem(basepath=f"memory://{uuid4().hex}/base/")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with some files, one of them a link."""
    folder = tmp_path / "tree"
    for name in ("a.py", "b.txt", "deep/c.py", "deep/d.log", "keep/e.log", ".git/config"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("/etc/passwd")
    (tmp_path / "ignored").write_text("# what stays here\n*.log\n!e.log\n\n.git/\n")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_what_is_written_can_be_read(place: LocalFileSystem, tmp_path: Path) -> None:
    assert isinstance(place, WritableFileSystem)
    where = place.write_path("a/b.bin", b"\x00one")
    assert where == str(tmp_path / "place" / "a" / "b.bin")
    assert place.read_path("a/b.bin") == place.read_path(where) == b"\x00one"
    asyncio.run(place.awrite_path("a/b.bin", b"two"))
    assert asyncio.run(place.aread_path("a/b.bin")) == b"two"
    assert names(tmp_path / "place") == ["a/b.bin"]
    for missing in ("none", "a"):
        with pytest.raises(ValueError, match="There is no file"):
            place.read_path(missing)


def test_without_a_folder_it_is_where_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    LocalFileSystem().write_path("x", b"1")
    assert (tmp_path / "x").read_bytes() == b"1"


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out(place: LocalFileSystem, tmp_path: Path, path: str) -> None:
    for do in (
        lambda: place.read_path(path),
        lambda: place.write_path(path, b""),
        lambda: place.get_directory(path, str(tmp_path)),
        lambda: place.put_directory(str(tmp_path), path),
    ):
        with pytest.raises(UsageError, match="leads out of"):
            do()


def test_no_link_leads_out(place: LocalFileSystem, tmp_path: Path) -> None:
    (tmp_path / "place" / "out").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leads out of"):
        place.write_path("out/x", b"")


def test_directories_are_brought(place: LocalFileSystem, tree: Path, tmp_path: Path) -> None:
    everything = [".git/config", "a.py", "b.txt", "deep/c.py", "deep/d.log", "keep/e.log"]
    assert place.put_directory(str(tree), "all") == 6
    assert names(tmp_path / "place" / "all") == everything
    assert place.put_directory(str(tree), "some", ignore_file=str(tmp_path / "ignored")) == 4
    assert names(tmp_path / "place" / "some") == ["a.py", "b.txt", "deep/c.py", "keep/e.log"]
    assert place.get_directory("all", str(tmp_path / "back")) == str(tmp_path / "back")
    assert names(tmp_path / "back") == everything
    assert asyncio.run(place.aget_directory("all/deep", str(tmp_path / "deep")))
    assert names(tmp_path / "deep") == ["c.py", "d.log"]
    assert asyncio.run(place.aput_directory(str(tmp_path / "deep"), "again")) == 2


def test_a_place_within_what_is_put_is_not_put_into_itself(tree: Path) -> None:
    inner = LocalFileSystem(basepath=str(tree / "place"))
    assert inner.put_directory(str(tree)) == 6
    assert inner.put_directory(str(tree)) == 6
    assert inner.put_directory(str(tree / "place")) == 0
    assert inner.get_directory(local_path=str(tree / "place")) == str(tree / "place")


def test_what_is_not_there_is_said(place: LocalFileSystem, tmp_path: Path) -> None:
    for do in (lambda: place.get_directory("none"), lambda: place.put_directory(str(tmp_path / "none"))):
        with pytest.raises(ValueError, match="There is no folder"):
            do()
    with pytest.raises(UsageError, match=r"The patterns in .* cannot be read: No such file"):
        place.put_directory(str(tmp_path), "x", ignore_file=str(tmp_path / "none"))


def test_results_can_be_kept_in_a_place(place: LocalFileSystem, remote: RemoteFileSystem, tmp_path: Path) -> None:
    @task(persist_result=True, result_storage=place, result_storage_key="six")
    def compute() -> int:
        return 6

    assert compute() == 6
    assert names(tmp_path / "place") == ["si/six"]
    with pytest.raises(UsageError, match="result_storage is a path or a LocalFileSystem, not a RemoteFileSystem"):
        task(result_storage=remote)(compute.fn)  # pyright: ignore[reportCallIssue, reportArgumentType]


# elsewhere


def test_what_is_written_elsewhere_can_be_read(remote: RemoteFileSystem, tree: Path, tmp_path: Path) -> None:
    where = remote.write_path("a/b.bin", b"one")
    assert where == f"{remote.basepath}a/b.bin"
    assert remote.read_path("a/b.bin") == remote.read_path(where) == b"one"
    assert remote.put_directory(str(tree), "some", ignore_file=str(tmp_path / "ignored")) == 4
    assert remote.get_directory("some", str(tmp_path / "back")) == str(tmp_path / "back")
    assert names(tmp_path / "back") == ["a.py", "b.txt", "deep/c.py", "keep/e.log"]
    remote.get_directory(local_path=str(tmp_path / "whole"))
    assert "a/b.bin" in names(tmp_path / "whole")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "memory://other/x"])
def test_no_path_leads_out_elsewhere(remote: RemoteFileSystem, path: str) -> None:
    for do in (lambda: remote.read_path(path), lambda: remote.write_path(path, b"")):
        with pytest.raises(UsageError, match="leads out of"):
            do()


@pytest.mark.parametrize("address", ["no-scheme", "://x", "s3://", "file:///tmp", "local:///tmp"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        RemoteFileSystem(basepath=address)


def test_an_unknown_scheme_is_said() -> None:
    with pytest.raises(ConfigurationError, match="fsspec does not reach nothing://"):
        RemoteFileSystem(basepath="nothing://x", settings=SecretDict({})).read_path("a")


@pytest.fixture
def no_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)


def test_what_is_missing_is_named(remote: RemoteFileSystem, no_fsspec: None) -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'headrace\[fsspec\]'"):
        remote.read_path("a")
