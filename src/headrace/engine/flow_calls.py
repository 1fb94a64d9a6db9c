"""What becomes of the calls of a flow. Loaded by the first of them: a definition only says what is to be run, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.base import errors
from headrace.engine import task_calls  # noqa: F401 # pyright: ignore[reportUnusedImport] - comes with the flow that calls
from headrace.engine.calling import answer_call, settled
from headrace.engine.context import current, current_sketch
from headrace.engine.drivers import drive_sync
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import ClaimedFlow, RunningFlow
from headrace.engine.forks import is_being_spawned
from headrace.engine.inputs import Awaited
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.recorded import recall
from headrace.schema.orchestration import Claim
from headrace.schema.run import FlowRun
from headrace.schema.state import State

if TYPE_CHECKING:
    from headrace.engine.flow_definition import Flow


def call_flow(flow: Flow[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call of the flow returns; see `Flow.__call__`."""
    sketch = current_sketch.get()
    if sketch is not None:
        return sketch.call_flow(flow, args, kwargs)
    return_state, wait_for = bool(kwargs.pop("return_state", False)), kwargs.pop("wait_for", None)
    run = _begin(flow, flow.signature.bind(args, kwargs), wait_for)
    return answer_call("Flow", flow, run, flow_lifecycle(run), return_state)


def execute_claim(flow: Flow[..., Any], claim: Claim) -> State:
    """Execute a run that this process has claimed; see `Flow.execute`."""
    return _drive(ClaimedFlow(settled(flow), flow, claim))


def replay_run(flow: Flow[..., Any], record: FlowRun) -> State:
    """Execute a copy of a run that has ended; see `Flow.replay`."""
    session = settled(flow)
    run = RunningFlow(session, flow, flow.signature.rebind(recall(session, record.id, record.parameters)), None)
    run.replay(record.id)
    return _drive(run)


def _begin(flow: Flow[..., Any], parameters: dict[str, Any], wait_for: Awaited) -> RunningFlow:
    """A run of the flow, called from here, that has not begun yet."""
    if is_being_spawned():
        raise errors.UsageError(
            f"Flow {flow.name!r} is called while a process that the script has started loads the script again: call it "
            f"below `if __name__ == '__main__':`."
        )
    return RunningFlow(settled(flow), flow, parameters, current.get(), wait_for)


def _drive(run: RunningFlow) -> State:
    """Execute a run that nobody takes the items of, in a loop of its own where it needs one."""
    if run.flow.is_generator:
        run.iteration = Iteration(Sink.NOWHERE)
    if not run.flow.is_async:
        return drive_sync(flow_lifecycle(run), run)
    import asyncio

    from headrace.engine.loop import drive_async

    return asyncio.run(drive_async(flow_lifecycle(run), run))
