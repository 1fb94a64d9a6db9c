"""The life of a task run: each case by script, on a thread and in a loop."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from headrace.engine.commands import Outcome
from headrace.engine.outcomes import finish
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.schema.state import State
from headrace.testing import RecordingSession, play
from tests.unit.engine.cases import Case, call, check, make_task
from tests.unit.engine.conftest import Stage
from tests.unit.engine.task_cases import TASK_CASES


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", [case for case in TASK_CASES if case.script is not None], ids=named)
def test_by_script(case: Case, home: object) -> None:
    task, _ = make_task(case)
    bound = task.signature.bind(tuple(case.call_arguments()), {})
    run = RunningTask(RecordingSession(), task, bound, None, case.keywords.get("wait_for"))
    try:
        outcome = Outcome(finish(play(task_lifecycle(run), case.script or ()), bool(case.keywords.get("return_state"))))
    except BaseException as error:  # noqa: BLE001 - interrupts are cases as well
        outcome = Outcome(None, error)
    check(case, outcome)


@pytest.mark.parametrize("case", [case for case in TASK_CASES if case.path], ids=named)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_driven(case: Case, asynchronous: bool, stage: Stage) -> None:
    task, behaviour = make_task(case, asynchronous)
    outcome = call(task, case)
    check(case, outcome)
    recorded = stage.settle()
    assert recorded.task_paths()[-1] == case.path.split()
    assert case.logs in "\n".join(recorded.messages(logging.WARNING))
    if case.executions is not None:
        assert behaviour.executions == case.executions
    state: Any = outcome.value
    if case.keywords.get("return_state"):
        assert isinstance(state, State)
        assert state.is_completed()
