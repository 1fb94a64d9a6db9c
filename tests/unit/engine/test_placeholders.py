"""Task runs that stand for other flows' runs."""

from headrace.engine.context import FlowContext
from headrace.engine.placeholders import announce, settle
from headrace.rules.transitions import CACHED
from headrace.schema.state import StateType
from headrace.testing import RecordingRun, RecordingSession


def begin() -> FlowContext:
    context = RecordingRun(RecordingSession()).context
    assert isinstance(context, FlowContext)
    return context


def test_a_placeholder_is_made_pending_and_counts_its_calls(home: object) -> None:
    parent = begin()
    first, state = announce(parent, "etl", "etl/daily", {"n": []})
    second, _ = announce(parent, "etl", "etl/daily", {})
    assert (first.name, first.task_key, first.dynamic_key, first.task_inputs) == ("etl-0", "etl/daily", "0", {"n": []})
    assert (first.flow_run_id, state.flow_run_id) == (parent.run.id, parent.run.id)
    assert (state.id, state.state.type, state.state.ordinal, state.run_count) == (first.id, StateType.PENDING, 1, 0)
    assert (second.name, second.id == first.id) == ("etl-1", False)


def test_one_that_stands_for_nothing_ends(home: object) -> None:
    made, _ = announce(begin(), "etl", "etl/daily", {})
    failed = settle(made, StateType.FAILED, "no such deployment")
    known = settle(made, StateType.COMPLETED, "it was there", CACHED)
    assert (failed.id, failed.flow_run_id) == (made.id, made.flow_run_id)
    assert (failed.state.ordinal, failed.state.name, failed.state.message) == (2, "Failed", "no such deployment")
    assert (known.state.type, known.state.name) == (StateType.COMPLETED, CACHED)
