"""The end of a process: whoever is impatient with it loses nothing."""

from __future__ import annotations

import pytest

from headrace import task
from headrace.engine.session import close_session
from headrace.schema.fact import Batch
from tests.unit.engine.conftest import Stage


def test_an_interrupt_while_the_session_closes_loses_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    @task
    def noop() -> None:
        """Do nothing."""

    impatient = [KeyboardInterrupt()]
    deliver = stage.session.journal._deliver  # pyright: ignore[reportPrivateUsage]

    def interrupt(batch: Batch) -> int:
        if impatient:
            raise impatient.pop()
        return deliver(batch)

    monkeypatch.setattr(stage.session.journal, "_wake", lambda: None)
    monkeypatch.setattr(stage.session.journal, "_deliver", interrupt)
    noop()
    with pytest.raises(KeyboardInterrupt):
        close_session()
    assert [fact.state.name for fact in stage.recorder.task_states()] == ["Pending", "Running", "Completed"]
