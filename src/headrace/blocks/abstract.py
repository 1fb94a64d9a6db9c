"""What kinds of blocks have in common: derive from these, and whoever asks for one of the kind takes yours.

Methods that wait may be coroutines or not, as the class derived likes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from logging import Logger, LoggerAdapter
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Generic, Self, TypeVar

from headrace.base.errors import HeadraceError
from headrace.blocks.core import Block

__all__ = [
    "CredentialsBlock",
    "DatabaseBlock",
    "JobBlock",
    "JobRun",
    "NotificationBlock",
    "NotificationError",
    "ObjectStorageBlock",
    "SecretBlock",
]

T = TypeVar("T")


class _Logged(Block, ABC):
    """A block that writes to the log of the run it is used in, or else to its own."""

    _is_contract: ClassVar[bool] = True

    @property
    def logger(self) -> Logger | LoggerAdapter[Any]:
        """Where it tells what it does."""
        from headrace.base.errors import MissingContextError
        from headrace.logging import get_logger, get_run_logger

        try:
            return get_run_logger()
        except MissingContextError:
            return get_logger(type(self).__name__)


class CredentialsBlock(_Logged, ABC):
    """Credentials, from which a client of some service is made."""

    _is_contract: ClassVar[bool] = True

    @abstractmethod
    def get_client(self, *args: Any, **kwargs: Any) -> Any:
        """A client that is logged in."""


class NotificationError(HeadraceError):
    """A notification could not be delivered."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


class NotificationBlock(_Logged, ABC):
    """A way to tell people something."""

    _is_contract: ClassVar[bool] = True
    _block_schema_capabilities: ClassVar[list[str]] = ["notify"]

    @abstractmethod
    def notify(self, body: str, subject: str | None = None) -> Any:
        """Deliver a notification."""

    @contextmanager
    def raise_on_failure(self) -> Generator[None]:
        """Says that a failure is to be raised. What comes with Headrace always raises it, so it changes nothing there."""
        yield


class JobRun(ABC, Generic[T]):
    """A job of some service that has begun."""

    @abstractmethod
    def wait_for_completion(self) -> Any:
        """Wait until the job has ended."""

    @abstractmethod
    def fetch_result(self) -> T:
        """What came of the job."""


class JobBlock(_Logged, ABC):
    """A job that some service performs."""

    _is_contract: ClassVar[bool] = True

    @abstractmethod
    def trigger(self) -> Any:
        """Begin the job, and return its `JobRun`."""


class DatabaseBlock(_Logged, ABC):
    """A database, and statements on it."""

    _is_contract: ClassVar[bool] = True

    @abstractmethod
    def fetch_one(self, operation: str, parameters: Any = None, **execution_kwargs: Any) -> Any:
        """The next row of what a statement gives."""

    @abstractmethod
    def fetch_many(
        self, operation: str, parameters: Any = None, size: int | None = None, **execution_kwargs: Any
    ) -> Any:
        """The next rows of what a statement gives."""

    @abstractmethod
    def fetch_all(self, operation: str, parameters: Any = None, **execution_kwargs: Any) -> Any:
        """All rows of what a statement gives."""

    @abstractmethod
    def execute(self, operation: str, parameters: Any = None, **execution_kwargs: Any) -> Any:
        """Execute a statement that gives no rows."""

    @abstractmethod
    def execute_many(self, operation: str, seq_of_parameters: Any, **execution_kwargs: Any) -> Any:
        """Execute a statement that gives no rows once for each of some parameters."""

    def __enter__(self) -> Self:
        raise NotImplementedError(f"{type(self).__name__} is not used in a with block.")

    def __exit__(self, *args: object) -> None:
        raise NotImplementedError(f"{type(self).__name__} is not used in a with block.")

    async def __aenter__(self) -> Self:
        raise NotImplementedError(f"{type(self).__name__} is not used in an async with block.")

    async def __aexit__(self, *args: object) -> None:
        raise NotImplementedError(f"{type(self).__name__} is not used in an async with block.")


class ObjectStorageBlock(_Logged, ABC):
    """A store of objects by path: a bucket, say."""

    _is_contract: ClassVar[bool] = True

    @abstractmethod
    def download_object_to_path(self, from_path: str, to_path: str | Path, **download_kwargs: Any) -> Any:
        """Write an object to a file."""

    @abstractmethod
    def download_object_to_file_object(self, from_path: str, to_file_object: BinaryIO, **download_kwargs: Any) -> Any:
        """Write an object to an open file."""

    @abstractmethod
    def download_folder_to_path(self, from_folder: str, to_folder: str | Path, **download_kwargs: Any) -> Any:
        """Write the objects of a folder to a folder of this machine."""

    @abstractmethod
    def upload_from_path(self, from_path: str | Path, to_path: str, **upload_kwargs: Any) -> Any:
        """Keep a file as an object."""

    @abstractmethod
    def upload_from_file_object(self, from_file_object: BinaryIO, to_path: str, **upload_kwargs: Any) -> Any:
        """Keep what is in an open file as an object."""

    @abstractmethod
    def upload_from_folder(self, from_folder: str | Path, to_folder: str, **upload_kwargs: Any) -> Any:
        """Keep the files of a folder of this machine as objects."""


class SecretBlock(_Logged, ABC):
    """A secret that some service keeps."""

    _is_contract: ClassVar[bool] = True

    @abstractmethod
    def read_secret(self) -> Any:
        """The secret."""

    @abstractmethod
    def write_secret(self, secret_data: bytes) -> Any:
        """Keep a secret, and return what it is called there."""
