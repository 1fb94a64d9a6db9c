"""Places that files are kept in, as blocks: a folder of this machine, or whatever fsspec reaches.

Paths are within the place: one that leads out of it is refused.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, TypeVar

from pydantic import Field, field_validator

from headrace.base.errors import ConfigurationError, UsageError
from headrace.blocks.core import Block
from headrace.blocks.fields import SecretDict

__all__ = [
    "LocalFileSystem",
    "ReadableFileSystem",
    "RemoteFileSystem",
    "WritableDeploymentStorage",
    "WritableFileSystem",
]

T = TypeVar("T")


class ReadableFileSystem(Block, ABC):
    """A place that files can be read from."""

    _is_contract: ClassVar[bool] = True
    _block_schema_capabilities: ClassVar[list[str]] = ["read-path"]

    @abstractmethod
    def read_path(self, path: str) -> bytes:
        """What is in a file."""


class WritableFileSystem(ReadableFileSystem, ABC):
    """A place that files can be read from and written to."""

    _is_contract: ClassVar[bool] = True
    _block_schema_capabilities: ClassVar[list[str]] = ["read-path", "write-path"]

    @abstractmethod
    def write_path(self, path: str, content: bytes) -> str:
        """Write a file, whole or not at all, and return where it is."""


class WritableDeploymentStorage(Block, ABC):
    """A place that whole directories are brought to and from."""

    _is_contract: ClassVar[bool] = True
    _block_schema_capabilities: ClassVar[list[str]] = ["get-directory", "put-directory"]

    @abstractmethod
    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> Any:
        """Copy a directory of the place to this machine."""

    @abstractmethod
    def put_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """Copy a directory of this machine to the place, but for what the patterns in a file name; how many files it was."""


class _FileSystem(WritableFileSystem, WritableDeploymentStorage, ABC):
    """The twins for coroutines."""

    _is_contract: ClassVar[bool] = True

    async def aread_path(self, path: str) -> bytes:
        """As `read_path`."""
        return await _beside(partial(self.read_path, path))

    async def awrite_path(self, path: str, content: bytes) -> str:
        """As `write_path`."""
        return await _beside(partial(self.write_path, path, content))

    async def aget_directory(self, from_path: str | None = None, local_path: str | None = None) -> Any:
        """As `get_directory`."""
        return await _beside(partial(self.get_directory, from_path, local_path))

    async def aput_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """As `put_directory`."""
        return await _beside(partial(self.put_directory, local_path, to_path, ignore_file))


class LocalFileSystem(_FileSystem):
    """A folder of this machine."""

    _block_type_name: ClassVar[str | None] = "Local File System"

    basepath: str | None = Field(default=None, description="The folder; else the one that code runs in.")

    def __fspath__(self) -> str:
        """The folder, for what takes paths: `result_storage` of flows and tasks, say."""
        return self.basepath or "."

    def read_path(self, path: str) -> bytes:
        """What is in a file. Raises `UsageError` for a path that leads out, `ValueError` for one that is no file."""
        file = self._find(path)
        if not file.is_file():
            raise ValueError(f"There is no file {file}.")
        return file.read_bytes()

    def write_path(self, path: str, content: bytes) -> str:
        """Write a file, whole or not at all, and return where it is. Raises `UsageError` for a path that leads out."""
        file = self._find(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            fresh.write_bytes(content)
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
        return str(file)

    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> str:
        """Copy a folder of the place, all of it by default, to another folder of this machine, and return that one."""
        source = self._find(from_path or ".")
        target = Path(local_path or ".").expanduser().absolute()
        if not source.is_dir():
            raise ValueError(f"There is no folder {source}.")
        if source != target:
            _copy(source, target, [])
        return str(target)

    def put_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """Copy a folder of this machine to one of the place, but for what patterns in a file name; how many files it was."""
        source = Path(local_path or ".").expanduser().absolute()
        target = self._find(to_path or ".")
        if not source.is_dir():
            raise ValueError(f"There is no folder {source}.")
        return 0 if source == target else _copy(source, target, _read_patterns(ignore_file))

    def _find(self, path: str) -> Path:
        """A path within the folder, wherever links lead."""
        base = Path(self.basepath or ".").expanduser().resolve()
        found = (base / Path(path).expanduser()).resolve()
        if not found.is_relative_to(base):
            raise UsageError(f"{path!r} leads out of {base}.")
        return found


class RemoteFileSystem(_FileSystem):
    """Whatever fsspec reaches, by an address such as s3://bucket/folder or memory://folder. Needs `headrace[fsspec]`, and
    what fsspec needs for the kind of address.
    """

    _block_type_name: ClassVar[str | None] = "Remote File System"

    basepath: str = Field(description="The address of the place.", examples=["s3://bucket/folder"])
    settings: SecretDict = Field(
        default_factory=lambda: SecretDict({}), description="What fsspec is told beside the address: credentials, say."
    )

    @field_validator("basepath")
    @classmethod
    def _is_address(cls, value: str) -> str:
        scheme, slashes, rest = value.partition("://")
        if not slashes or not scheme or not rest:
            raise ValueError("it begins with a scheme and names a place, as s3://bucket/folder does")
        if scheme in {"file", "local"}:
            raise ValueError("a folder of this machine is a LocalFileSystem")
        return value

    def read_path(self, path: str) -> bytes:
        """What is in a file. Raises `UsageError` for a path that leads out."""
        return self._open().cat_file(self._find(path))

    def write_path(self, path: str, content: bytes) -> str:
        """Write a file and return where it is. Raises `UsageError` for a path that leads out."""
        found = self._find(path)
        store = self._open()
        store.makedirs(found.rpartition("/")[0], exist_ok=True)
        store.pipe_file(found, content)
        return found

    def get_directory(self, from_path: str | None = None, local_path: str | None = None) -> str:
        """Copy a directory of the place, all of it by default, to a folder of this machine, and return that one."""
        source, store = self._find(from_path or "."), self._open()
        root = store._strip_protocol(source).rstrip("/")
        target = Path(local_path or ".").expanduser().absolute()
        for name in store.find(source):
            file = target / PurePosixPath(store._strip_protocol(name)).relative_to(root)
            if not file.resolve().is_relative_to(target.resolve()):
                raise UsageError(f"{name!r} leads out of {target}.")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(store.cat_file(name))
        return str(target)

    def put_directory(
        self, local_path: str | None = None, to_path: str | None = None, ignore_file: str | None = None
    ) -> int:
        """Copy a folder of this machine to one of the place, but for what patterns in a file name; how many files it was."""
        source = Path(local_path or ".").expanduser().absolute()
        files = [*_walk(source, _read_patterns(ignore_file))]
        for file in files:
            way = PurePosixPath(to_path or ".") / file.relative_to(source).as_posix()
            self.write_path(str(way), file.read_bytes())
        return len(files)

    def _find(self, path: str) -> str:
        base = self.basepath.rstrip("/")
        own = path.removeprefix(f"{base}/") if path.startswith(f"{base}/") else path
        steps = PurePosixPath(own)
        if "://" in own or steps.is_absolute() or ".." in steps.parts:
            raise UsageError(f"{path!r} leads out of {base}.")
        return f"{base}/{steps}" if steps.parts else base

    def _open(self) -> Any:
        try:
            fsspec: Any = import_module("fsspec")
        except ImportError:
            raise ConfigurationError("A remote file system needs fsspec: pip install 'headrace[fsspec]'.") from None
        scheme = self.basepath.partition("://")[0]
        try:
            return fsspec.filesystem(scheme, **self.settings.get_secret_value())
        except (ImportError, ValueError) as error:
            raise ConfigurationError(f"fsspec does not reach {scheme}://: {error}.") from None


def _copy(source: Path, target: Path, patterns: Sequence[str]) -> int:
    files = [*_walk(source, patterns, target)]
    for file in files:
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    return len(files)


def _walk(
    root: Path, patterns: Sequence[str], beside: Path | None = None, folder: Path | None = None
) -> Iterator[Path]:
    """The files of a folder, however deep, but for those that a pattern names, those in links, and those in `beside`."""
    for each in sorted((folder or root).iterdir()):
        if each == beside or each.is_symlink() or _is_named(each.relative_to(root).as_posix(), patterns):
            continue
        if each.is_dir():
            yield from _walk(root, patterns, beside, each)
        else:
            yield each


def _is_named(way: str, patterns: Sequence[str]) -> bool:
    """Whether the last of the patterns that name a path or its last step does not take it back with `!`."""
    named = False
    for pattern in patterns:
        meant = pattern.removeprefix("!").rstrip("/")
        whole = meant.removeprefix("/")
        last = way.rpartition("/")[2]
        if fnmatch.fnmatchcase(way, whole) or ("/" not in meant and fnmatch.fnmatchcase(last, meant)):
            named = not pattern.startswith("!")
    return named


def _read_patterns(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        lines = Path(file).expanduser().read_text("utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"The patterns in {file} cannot be read: {error.strerror}.") from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)
