"""What a task run may do next. The engine asks here before it journals a state; the server never refuses a fact."""

from __future__ import annotations

from headrace.rules.transitions import ROLLED_BACK, is_terminal, task_run_may
from headrace.rules.verdicts import Abort, Reject
from headrace.schema.state import StateType


def terminal_is_final(before: StateType | None, target: StateType, name: str | None) -> Reject | None:
    """A task run that has ended stays as it ended; only what a completed one did can be undone."""
    if not is_terminal(before) or (target is StateType.COMPLETED and name == ROLLED_BACK):
        return None
    return Reject(f"The task run has ended: it is {before}.")


def there_is_an_arc(before: StateType | None, target: StateType, _name: str | None) -> Abort | None:
    """What the table does not know is not possible."""
    if task_run_may(before, target):
        return None
    return Abort(f"A task run cannot go from {before or 'nowhere'} to {target}.")


TASK_RUN_POLICY = (terminal_is_final, there_is_an_arc)
"""The ideas, in the order in which they are asked."""


def refuse_task_run(before: StateType | None, target: StateType, name: str | None = None) -> Reject | Abort | None:
    """Why a task run in state `before` (None: none yet) may not enter `target`; None when it may."""
    for policy in TASK_RUN_POLICY:
        verdict = policy(before, target, name)
        if verdict is not None:
            return verdict
    return None
