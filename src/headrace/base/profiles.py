"""Profiles: named sets of settings in one TOML file, read at start and edited by `headrace profile` and `config`.

active = "staging"

[profiles.staging]
HEADRACE_API_URL = "https://headrace.example.com/api"
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, cast

from msgspec import Struct

from headrace.base.errors import ConfigurationError

DEFAULT_PROFILE = "default"
HEADER = "# Written by `headrace config` and `headrace profile`.\n"


class Profiles(Struct):
    """The profiles file: the active profile's name, and each profile's settings as they are written."""

    path: Path
    active: str
    profiles: dict[str, dict[str, str]]

    def find(self, name: str) -> dict[str, str]:
        """The settings of a profile. Raises `ConfigurationError` when there is none of that name."""
        content = self.profiles.get(name)
        if content is None:
            known = ", ".join(sorted(self.profiles))
            raise ConfigurationError(f"There is no profile {name!r} in {self.path}; there is: {known}.")
        return content


def read_profiles(path: Path) -> Profiles:
    """The profiles in the file; a file that does not exist holds the empty profile `default`.

    Raises `ConfigurationError` when the file cannot be read or is something else. Values are not judged here.
    """
    import tomllib

    try:
        with path.open("rb") as file:
            document = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        document = {}
    except OSError as error:
        raise ConfigurationError(f"The profiles in {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no TOML file: {error}.") from None
    active = document.pop("active", DEFAULT_PROFILE)
    tables = document.pop("profiles", {})
    if document or not isinstance(active, str) or not isinstance(tables, dict):
        raise ConfigurationError(f"{path} is no profiles file: it holds `active` and tables `[profiles.<name>]`.")
    profiles: dict[str, dict[str, str]] = {DEFAULT_PROFILE: {}}
    for name, table in cast("dict[str, Any]", tables).items():
        if not isinstance(table, dict):
            raise ConfigurationError(f"{path}: the profile {name!r} is no table of settings.")
        profiles[name] = {key: _write_plainly(value) for key, value in cast("dict[str, Any]", table).items()}
    return Profiles(path, active, profiles)


def write_profiles(document: Profiles) -> None:
    """Replace the file by this content in one step, readable by its owner only (it may hold keys).

    Raises `ConfigurationError` when the place cannot be written.
    """
    import tempfile

    lines = [HEADER, f"active = {_quote(document.active)}\n"]
    for name, content in document.profiles.items():
        lines.append(f"\n[profiles.{_quote_key(name)}]\n")
        lines.extend(f"{_quote_key(key)} = {_quote(value)}\n" for key, value in content.items())
    path = document.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp makes the file 0600.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(lines)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"The profiles cannot be written to {path}: {error.strerror}.") from None


def _write_plainly(value: object) -> str:
    """A TOML value as it would be written in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(_write_plainly, cast("list[object]", value)))
    return str(value)


def _quote(text: str) -> str:
    import json

    # A JSON string is a TOML basic string, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quote_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quote(key)
