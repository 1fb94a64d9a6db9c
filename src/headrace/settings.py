"""Settings, as this process reads them; and blocks within which they are others, for tests and tools."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

from headrace.base.profiles import Profiles, read_profiles
from headrace.base.settings import SETTINGS, Setting, Settings, find_setting, load_settings, locate_profiles
from headrace.engine.session import swap_session

__all__ = [
    "SETTINGS", "Profiles", "Setting", "Settings", "get_current_settings", "load_profiles", "temporary_settings", "use_profile",
]  # fmt: skip


def get_current_settings() -> Settings:
    """The settings that hold now. Raises `ConfigurationError` and `UnknownSetting` in one line."""
    return load_settings()


def load_profiles() -> Profiles:
    """The profiles there are, and which is active. Raises `ConfigurationError` for a file that cannot be read."""
    return read_profiles(locate_profiles()[0])


@contextmanager
def temporary_settings(
    updates: Mapping[str, object] | None = None, restore_defaults: Iterable[str] | None = None
) -> Generator[Settings]:
    """Have other settings within the block, for the whole process: `{"HEADRACE_API_URL": "http://…/api"}`.

    `restore_defaults` names those that are not to be set. Runs that begin within the block, outside of other runs, are
    recorded where these settings say; what the block has begun is delivered at its end. How lines look on the terminal is
    settled once per process. Raises `UnknownSetting` and `ConfigurationError` before anything has changed.
    """
    given = {find_setting(name).env: None for name in restore_defaults or ()}
    told = {find_setting(name).env: _write(value) for name, value in (updates or {}).items()}
    changed: dict[str, str | None] = {**given, **told}
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        settings = load_settings()
    except BaseException:
        _set(before)
        raise
    session = swap_session(None)
    try:
        yield settings
    finally:
        opened = swap_session(session)
        if opened is not None:
            opened.close()
        _set(before)


@contextmanager
def use_profile(name: str) -> Generator[Settings]:
    """Have the settings of a profile within the block; see `temporary_settings`. Raises `ConfigurationError` without it."""
    with temporary_settings({"HEADRACE_PROFILE": name}) as settings:
        yield settings


def _set(variables: Mapping[str, str | None]) -> None:
    for name, text in variables.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text


def _write(value: object) -> str | None:
    """A value as a user would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return None if value is None else str(value)
