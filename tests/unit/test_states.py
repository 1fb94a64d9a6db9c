"""What can be asked of states."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from headrace import states, task
from headrace.base.ids import uuid7
from headrace.engine.results import Result, ResultStore
from headrace.exceptions import CancelledRun, CrashedRun, FailedRun, MissingResult, UpstreamFailed, UsageError
from headrace.futures import Future, FutureList, resolve_futures_to_results, resolve_futures_to_states
from headrace.states import State

ERROR = LookupError("no such file")


def ended(state: State) -> Future[Any]:
    future: Future[Any] = Future(uuid7(), "upstream")
    future.end(state)
    return future


def test_a_state_is_told_from_what_is_none() -> None:
    done = states.Completed()
    assert states.is_state(done)
    assert not states.is_state("Completed")
    assert states.is_state_iterable([done, states.Failed()])
    assert states.is_state_iterable((done,))
    for other in ([], [done, 1], done, "ab", {"a": done}):
        assert not states.is_state_iterable(other)


def test_the_value_of_a_state() -> None:
    assert states.get_state_result(states.Completed(data=3)) == 3
    assert states.get_state_result(states.Failed(data=ERROR), raise_on_failure=False) is ERROR
    with pytest.raises(LookupError):
        states.get_state_result(states.Failed(data=ERROR))


def test_the_value_of_a_state_in_a_loop(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, tmp_path)
    kept = states.Completed()
    kept.data = Result(record=store.write("key", [3], "json"), store=store)
    lost = states.Completed()
    lost.data = {"storage_key": "key"}

    async def main() -> None:
        assert await states.Completed(data=3).aresult() == 3
        assert await states.Completed().aresult() is None
        assert await kept.aresult() == [3]
        assert await states.Failed(data=ERROR).aresult(raise_on_failure=False) is ERROR
        with pytest.raises(MissingResult):
            await lost.aresult()

    asyncio.run(main())


def test_the_exception_of_a_state() -> None:
    assert states.get_state_exception(states.Failed(data=ERROR)) is ERROR
    assert isinstance(states.get_state_exception(states.Crashed("gone")), CrashedRun)
    with pytest.raises(UsageError, match=r"failed, crashed or cancelled, not Completed\(\)"):
        states.get_state_exception(states.Completed())


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (states.Failed("no"), FailedRun),
        (states.Failed(data=ERROR), LookupError),
        (states.Crashed(), CrashedRun),
        (states.Cancelled(), CancelledRun),
    ],
)
def test_the_exception_of_a_state_is_raised(state: State, error: type[Exception]) -> None:
    with pytest.raises(error):
        states.raise_state_exception(state)


def test_nothing_is_raised_for_a_state_in_which_nothing_failed() -> None:
    for state in (states.Completed(), states.Running(), states.Paused()):
        states.raise_state_exception(state)


def test_exceptions_make_states() -> None:
    failed = states.exception_to_failed_state(ERROR)
    assert (failed.type, failed.message, failed.data) == (
        "FAILED", "LookupError: no such file", ERROR,
    )  # fmt: skip
    assert states.exception_to_failed_state(ERROR, message="no", name="Lost").name == "Lost"
    crashed = states.exception_to_crashed_state(KeyboardInterrupt())
    assert (crashed.type, crashed.message) == ("CRASHED", "Execution was interrupted by KeyboardInterrupt.")


def test_what_a_function_returns_decides_the_state() -> None:
    assert states.return_value_to_state(3).result() == 3
    assert states.return_value_to_state(states.Failed("no")).is_failed()
    assert states.return_value_to_state(ended(states.Completed(data=4))).result() == 4
    together = states.return_value_to_state([ended(states.Completed()), states.Failed(data=ERROR)])
    assert (together.type, together.message) == ("FAILED", "1/2 states failed.")


def test_states_are_judged_together() -> None:
    group = states.StateGroup([states.Completed(), states.Failed(), states.Crashed(), states.Running()])
    assert (group.total_count, group.final_count, group.not_final_count, group.fail_count) == (4, 3, 1, 2)
    assert (group.all_completed(), group.any_failed(), group.any_cancelled(), group.all_final(), group.any_paused()) == (
        False, True, False, False, False,
    )  # fmt: skip
    assert group.counts_message() == "4 states: 1 running, 1 completed, 1 failed, 1 crashed"
    assert repr(states.StateGroup([])) == "StateGroup<0 states: none>"
    assert states.StateGroup([states.Completed(), states.Cancelled()]).any_cancelled()
    assert states.StateGroup([states.Paused()]).any_paused()
    assert states.StateGroup([states.Completed()]).all_completed()


# futures


def test_futures_within_values_give_way_to_results_or_states() -> None:
    done, failed = ended(states.Completed(data=1)), ended(states.Failed(data=ERROR))
    assert resolve_futures_to_results({"a": [done, (2, done)]}) == {"a": [1, (2, 1)]}
    with pytest.raises(UpstreamFailed):
        resolve_futures_to_results([done, failed])
    assert resolve_futures_to_states({"a": [done, (failed, 3)], "b": FutureList([done])}) == {
        "a": [done.state, (failed.state, 3)], "b": [done.state],
    }  # fmt: skip
    assert resolve_futures_to_states({done}) == [done.state]


def test_futures_are_waited_for() -> None:
    @task
    def add(x: int) -> int:
        return x + 1

    assert resolve_futures_to_states([add.submit(1)])[0].result() == 2
