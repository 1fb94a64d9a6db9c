import pytest

from headrace.rules.task_policy import refuse_task_run
from headrace.rules.verdicts import Abort, Reject
from headrace.schema.state import StateType as T


@pytest.mark.parametrize(
    ("before", "target", "name"),
    [
        (None, T.PENDING, None),
        (T.PENDING, T.RUNNING, None),
        (T.RUNNING, T.SCHEDULED, "AwaitingRetry"),
        (T.SCHEDULED, T.RUNNING, "Retrying"),
        (T.RUNNING, T.COMPLETED, None),
        (T.PENDING, T.COMPLETED, "Cached"),
        (T.COMPLETED, T.COMPLETED, "RolledBack"),
    ],
)
def test_a_task_run_takes_the_steps_of_the_table(before: T | None, target: T, name: str | None) -> None:
    assert refuse_task_run(before, target, name) is None


@pytest.mark.parametrize(
    ("before", "target", "name", "refusal"),
    [
        (T.COMPLETED, T.RUNNING, None, Reject("The task run has ended: it is COMPLETED.")),
        (T.COMPLETED, T.COMPLETED, None, Reject("The task run has ended: it is COMPLETED.")),
        (T.CRASHED, T.FAILED, None, Reject("The task run has ended: it is CRASHED.")),
        (T.FAILED, T.COMPLETED, "RolledBack", Abort("A task run cannot go from FAILED to COMPLETED.")),
        (None, T.PAUSED, None, Abort("A task run cannot go from nowhere to PAUSED.")),
        (T.CANCELLING, T.COMPLETED, None, Abort("A task run cannot go from CANCELLING to COMPLETED.")),
    ],
)
def test_a_task_run_takes_no_other_step(before: T | None, target: T, name: str | None, refusal: Reject | Abort) -> None:
    assert refuse_task_run(before, target, name) == refusal
