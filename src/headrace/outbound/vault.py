"""Sealing secrets: AES-GCM with keys that are kept outside the database.

Each sealed text names the key it was sealed with, so that keys can be changed, and belongs to one context (the object it is
a part of): moved to another one it does not open. The library is loaded when the first secret is touched.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from headrace.base.errors import ConfigurationError
from headrace.base.keys import SECRETS_KEY_BYTES, decode_secrets_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Sealed(NamedTuple):
    """A sealed text, and the key it was sealed with."""

    key_id: str
    text: str


class Vault:
    """Seals and opens with the keys of a file, or with keys that are given; the first one seals.

    The file has a key a line, is made when the first secret is sealed, and is its owner's alone. It is read each time:
    another process may have put a new key first.
    """

    def __init__(self, path: Path, given: str | None = None) -> None:
        self._path = path
        self._given = given

    @property
    def where(self) -> str:
        """Where the keys are, for people."""
        return "HEADRACE_SECRETS_KEY" if self._given else str(self._path)

    @property
    def key_id(self) -> str:
        """The key that seals. Raises `ConfigurationError` when there is none and none can be made."""
        return _name(self._keys()[0])

    def seal(self, text: str, context: bytes) -> Sealed:
        """Seal a text for a context. Raises `ConfigurationError` when there is no key and none can be made."""
        key = self._keys()[0]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + _cipher(key).encrypt(nonce, text.encode(), context)
        return Sealed(_name(key), base64.b64encode(sealed).decode())

    def open(self, sealed: Sealed, context: bytes) -> str:
        """The text. Raises `ConfigurationError` when its key is not there, or when it was tampered with."""
        key = next((key for key in self._read() if _name(key) == sealed.key_id), None)
        if key is None:
            raise ConfigurationError(
                f"A secret was sealed with key {sealed.key_id}, which is not in {self.where}: put it there, or set "
                "HEADRACE_SECRETS_KEY to it."
            )
        from cryptography.exceptions import InvalidTag

        try:
            data = base64.b64decode(sealed.text, validate=True)
            return _cipher(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context).decode()
        except (InvalidTag, ValueError):
            raise ConfigurationError(
                f"A secret that was sealed with key {sealed.key_id} cannot be opened: it was changed, or moved."
            ) from None

    def renew(self) -> None:
        """Put a new key first, and keep the one before it, with which other processes may be sealing just now.

        Keys that are given are not ours to change: then whoever gives them has put the new one first.
        """
        if self._given is None:
            with self._alone():
                self._write([os.urandom(SECRETS_KEY_BYTES), *self._read()])

    def forget(self, needed: frozenset[str]) -> None:
        """Forget the keys of the file that are not needed: those beyond the newest two that sealed nothing any more."""
        if self._given is None:
            with self._alone():
                keys = self._read()
                kept = [key for place, key in enumerate(keys) if place < 2 or _name(key) in needed]
                if kept != keys:
                    self._write(kept)

    def _keys(self) -> list[bytes]:
        keys = self._read()
        if not keys:
            self._begin()
            keys = self._read()
        return keys

    def _read(self) -> list[bytes]:
        if self._given is not None:
            return _parse(self._given, "HEADRACE_SECRETS_KEY")
        try:
            return _parse(self._path.read_text("ascii", "replace"), str(self._path))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConfigurationError(f"The keys in {self._path} cannot be read: {error.strerror}.") from None

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Change the file while no other process does."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(f"The key for secrets cannot be kept in {self._path}: {error.strerror}.")

    def _begin(self) -> None:
        """Make the file with a first key, unless another process just did."""
        self._write([os.urandom(SECRETS_KEY_BYTES)], only_first=True)

    def _write(self, keys: list[bytes], only_first: bool = False) -> None:
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.writelines(f"{base64.b64encode(key).decode()}\n" for key in keys)
                file.flush()
                os.fsync(file.fileno())
            if only_first:
                with contextlib.suppress(FileExistsError):
                    os.link(fresh, self._path)  # the first to come wins, whole
            else:
                fresh.replace(self._path)
        except OSError as error:
            raise self._unwritable(error) from None
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)


def _parse(text: str, source: str) -> list[bytes]:
    try:
        return decode_secrets_keys(text)
    except ValueError as error:
        raise ConfigurationError(f"{source} {error}.") from None


def _name(key: bytes) -> str:
    """What a key is called: nothing about it follows from that."""
    return sha256(b"headrace secrets key " + key).hexdigest()[:12]


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
