"""What calls of flows and of tasks have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from headrace.base import errors
from headrace.engine.drivers import drive_items, drive_sync
from headrace.engine.outcomes import finish
from headrace.engine.session import Session, current_session

if TYPE_CHECKING:
    from headrace.engine.commands import Lifecycle
    from headrace.engine.definitions import Definition
    from headrace.engine.flow_run import RunningFlow
    from headrace.engine.task_run import RunningTask
    from headrace.schema.state import State


def settled(definition: Definition) -> Session:
    """This process's session, whose settings have filled in what the definition left to them."""
    session = current_session()
    definition.settle_defaults(session.settings)
    return session


def answer_call(
    kind: Literal["Flow", "Task"],
    definition: Definition,
    run: RunningFlow | RunningTask,
    lifecycle: Lifecycle[State],
    return_state: bool,
) -> Any:
    """What a call gives whose run is there: its value or state, a coroutine of that, or the items as they come."""
    if not definition.is_generator:
        if definition.is_async:
            return _answer_async(run, lifecycle, return_state)
        return finish(drive_sync(lifecycle, run), return_state)
    if return_state:
        raise errors.UsageError(
            f"{kind} {definition.name!r} is a generator: what a call gives are its items, so it cannot return a state."
        )
    if definition.is_async:
        from headrace.engine.loop import drive_items_async

        return drive_items_async(lifecycle, run, finish)
    items = drive_items(lifecycle, run, finish)
    run.session.iterations.add(items)
    return items


async def _answer_async(run: RunningFlow | RunningTask, lifecycle: Lifecycle[State], return_state: bool) -> Any:
    from headrace.engine.loop import drive_async

    return finish(await drive_async(lifecycle, run), return_state)
