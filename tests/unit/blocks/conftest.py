"""What tests of blocks have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headrace.blocks import core
from headrace.connect import open_session
from headrace.engine.session import Session, close_session, swap_session


@pytest.fixture(autouse=True)
def classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes that a test makes are known for its length only."""
    monkeypatch.setattr(core, "_known", dict(core._known))  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def session(quiet_logging: None) -> Iterator[Session]:
    opened = open_session()
    swap_session(opened)
    yield opened
    close_session()
