"""A database of its own for tests that run flows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from headrace.base.settings import SETTINGS
from headrace.settings import temporary_settings

__all__ = ["headrace_test_harness"]


@contextmanager
def headrace_test_harness() -> Generator[None]:
    """Have flows that run within the block recorded in an empty database that is thrown away at its end.

    No setting from outside holds: no server is asked, no profile is read. For a whole session of tests:

        @pytest.fixture(autouse=True, scope="session")
        def harness():
            with headrace_test_harness():
                yield
    """
    with (
        TemporaryDirectory(prefix="headrace-", ignore_cleanup_errors=True) as home,
        temporary_settings({"HEADRACE_HOME": home}, [setting.env for setting in SETTINGS]),
    ):
        yield
