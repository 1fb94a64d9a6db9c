"""The task runs that stand for other flows' runs in the run that began them."""

from __future__ import annotations

from headrace.base import clock
from headrace.base.ids import uuid7
from headrace.engine.context import FlowContext
from headrace.schema.fact import StateFact, TaskRunFact, TaskStateFact
from headrace.schema.run import TaskInputs, TaskRunPolicy
from headrace.schema.state import StateType


def announce(
    parent: FlowContext, name: str, key: str, inputs: TaskInputs, call: str | None = None
) -> tuple[TaskRunFact, TaskStateFact]:
    """The facts of a task run that stands for a run of the flow `name` within `parent`.

    `key` is what is called, `call` the identity of the call, if it has one.
    """
    now = clock.micros()
    number = parent.next_call(key)
    dynamic_key = number if call is None else parent.in_attempt(call)
    made = TaskRunFact(
        uuid7(),
        parent.run.id,
        f"{name}-{number}",
        key,
        dynamic_key,
        now,
        [],
        inputs,
        TaskRunPolicy(),
        None,
        parent.attempt,
        now,
    )
    return made, TaskStateFact(made.id, made.flow_run_id, StateFact(1, StateType.PENDING, "Pending", now), 0)


def settle(placeholder: TaskRunFact, kind: StateType, message: str, name: str | None = None) -> TaskStateFact:
    """The fact that such a task run has ended by itself: there is no run whose states it could mirror."""
    state = StateFact(2, kind, name or kind.capitalize(), clock.micros(), message)
    return TaskStateFact(placeholder.id, placeholder.flow_run_id, state, 0)
