"""A stage for the engine's tests: a session on a real database of the test's own, logging included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from headrace.base.settings import Settings, load_settings
from headrace.connect import open_execution
from headrace.engine import logs
from headrace.engine.session import Session, swap_session
from tests.unit.engine.recorder import Recorder


class Stage:
    """One process's session under test. `use` opens another with other settings."""

    def __init__(self) -> None:
        self.settings: Settings = load_settings()
        self.recorder = Recorder(open_execution(self.settings))
        self.session = self._open()

    def use(self, **settings: Any) -> Session:
        """Go on with other settings."""
        self.settings = msgspec.structs.replace(self.settings, **settings)
        self.session = self._open()
        return self.session

    def _open(self) -> Session:
        session = Session(self.recorder.execution, self.settings)
        swap_session(session)
        return session

    def settle(self) -> Recorder:
        """Have everything delivered, and give what was."""
        self.session.journal.flush()
        return self.recorder

    def close(self) -> None:
        """End as a process would."""
        swap_session(None)
        self.recorder.before = lambda verb, request: None
        self.session.close()


@pytest.fixture
def stage(home: object, quiet_logging: None) -> Iterator[Stage]:
    """A session of the test's own, which is the process's for as long as the test lasts."""
    opened = Stage()
    logs.configure_logging(opened.settings)
    yield opened
    opened.close()
