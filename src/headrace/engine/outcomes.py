"""What a run's final state is, given what its function returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from headrace.engine.futures import Future, FutureList, quote
from headrace.engine.results import Result
from headrace.schema.state import State, StateType

_ENDINGS = frozenset({StateType.COMPLETED, StateType.CANCELLED})
"""How another run may have ended that this one's end is called the same."""


def state_from_value(value: Any, keep: Callable[[Any], Result]) -> State:
    """The final state of a run whose function returned `value`.

    A state that the function made is the run's own. That of another run, or one future, says whether this one ended well:
    it is then Completed, Cancelled or Failed. Several states or futures decide together: all completed, or the run failed and
    says how many did. Anything else completes the run; `keep` makes the handle on its value. Futures must have ended.
    """
    if isinstance(value, State):
        return _finished(value, keep)
    if isinstance(value, Future):
        return _finished(value.state, keep)
    states = _states(value)
    if states is None:
        return State(
            type=StateType.COMPLETED, data=keep(cast("Any", value).value if isinstance(value, quote) else value)
        )
    for kind, verb in (
        (StateType.CANCELLED, "cancelled"),
        (StateType.CRASHED, "crashed"),
        (StateType.FAILED, "failed"),
    ):
        count = sum(state.type is kind for state in states)
        if count:
            failed = StateType.CANCELLED if kind is StateType.CANCELLED else StateType.FAILED
            data = next((state.data for state in states if state.type is kind), None)
            return State(type=failed, message=f"{count}/{len(states)} states {verb}.", data=data)
    unfinished = sum(not state.is_final() for state in states)
    if unfinished:
        return State(type=StateType.FAILED, message=f"{unfinished}/{len(states)} states are not final.")
    results = [state.result(raise_on_failure=False) for state in states]
    return State(type=StateType.COMPLETED, message="All states completed.", data=keep(results))


def waits_for(value: Any) -> list[Future[Any]]:
    """The futures that must have ended before the value decides anything."""
    if isinstance(value, Future):
        return [value]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [item for item in value if isinstance(item, Future)]  # pyright: ignore[reportUnknownVariableType]
    return []


def finish(state: State, return_state: bool = False) -> Any:
    """What a call returns: the value or the state. An interrupt goes on to where it was meant for in any case."""
    if isinstance(state.data, BaseException) and not isinstance(state.data, Exception):
        raise state.data
    return state if return_state else state.result()


def _finished(state: State, keep: Callable[[Any], Result]) -> State:
    """A state returned by a function is copied: it belonged to another run, or to none. Having no value is one as well.

    How another run ended in particular (Cached, Crashed) is not how this one did.
    """
    if not state.is_final():
        text = f"The run returned the state {state}, in which no run ends."
        return State(type=StateType.FAILED, message=text, data=state.data)
    data = keep(None) if state.is_completed() and state.data is None else state.data
    if state.id is not None:
        kind = state.type if state.type in _ENDINGS else StateType.FAILED
        return State(type=kind, message=state.message, data=data)
    return State(type=state.type, name=state.name, message=state.message, data=data)


def _states(value: Any) -> list[State] | None:
    """The states a collection consists of, or None when it holds anything else, or nothing."""
    if not isinstance(value, (list, tuple, set, frozenset, FutureList)) or not value:
        return None
    states: list[State] = []
    for item in value:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(item, Future):
            states.append(item.state)  # pyright: ignore[reportUnknownMemberType]
        elif isinstance(item, State):
            states.append(item)
        else:
            return None
    return states
