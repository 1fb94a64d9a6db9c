"""Cases that submit and map, on each task runner that executes elsewhere: the meaning is that of threads.

Of the cases those are played whose outcome is told by values, states, or notes: what is kept in memory is not seen elsewhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.semantics.collection import Case, collect_cases
from tests.semantics.differences import fits
from tests.semantics.facts import OFFICIAL, OURS, read_facts
from tests.semantics.ours import perform
from tests.semantics.runners import STARTS, SdkOn, is_missing
from tests.semantics.sdk import Sdk

CASES = collect_cases()
THREADS = read_facts(OFFICIAL) | read_facts(OURS)
"""What is on record, for threads: what the official SDK makes of a case, or Headrace where it differs."""

PATTERNS = (
    "endings/returns[submit-threads,{error-class,mixed-errors}]",
    "endings/returns_state[submit-state-threads,{completed-with-name,failed-with-error,crashed}]",
    "endings/returns_states[submit-threads,{one-cancelled,dict}]",
    "endings/raises[submit-state-threads,{own,exit,interrupt,cancelled,group}]",
    "endings/raises[map-threads,stop]",
    "endings/flow_with_task_returns[{future,dict-of-futures,result-kept},failed]",
    "upstream/given_to_submitted[raising,{deep,allowed,list-allowed,state}]",
    "upstream/given_to_submitted[{cancelled,crashed},{alone,allowed}]",
    "upstream/given_to_submitted[completed,{in-dict,quoted}]",
    "upstream/waited_for[raising,{alone,allowed},submit]",
    "upstream/a_chain_breaks",
    "mapping/over_arguments[{two-lists,unmapped,lengths-differ}]",
    "mapping/over_upstream[{mapped-with-failed,list-with-failed-allowed}]",
    "mapping/flow_returns[futures,one-bad]",
    "mapping/waits_for_a_failed_run",
    "mapping/of_a_method",
    "retries/fails_some_times[{submit-state,map}-threads,{twice,always}]",
    "retries/asks_a_condition[submit-threads,{by-error,told,raising}]",
    "retries/ends_first_otherwise[submit-threads,{crashed-state,interrupt}]",
    "retries/upstream_is_not_asked_again",
    "timeouts/late[{submit-state,async-submit}-threads]",
    "timeouts/what_comes_after_is_not_run",
    "caching/each_way[submit-threads]",
    "hooks/every_kind[submit-threads,{named,error}]",
    "hooks/bad_hooks[submit-state-threads,on-completion,{raising,exiting}]",
    "hooks/bad_hooks[submit-state-threads,on-failure,interrupted]",
    "hooks/see_the_error[submit-state-threads]",
    "naming/run_names[submit-threads,{template,failing-function}]",
    "naming/tags_of_mapped",
    "waiting/asked[{crashed,cancelled},result-kept]",
    "waiting/from_an_async_flow[async-task]",
    "waiting/task_submits_tasks",
    "waiting/flow_ends_before_its_tasks",
    "waiting/future_outlives_its_flow",
    "cancelling/by_itself[map-threads,task-error]",
    "cancelling/with_retries[submit-threads,run-error]",
    "cancelling/a_branch",
    "items/submitted",
)
CHOSEN = [name for name in CASES if any(fits(pattern, name) for pattern in PATTERNS)]


def tell_process(sdk: Sdk) -> int:
    """A case of its own: where tasks are executed."""

    @sdk.task
    def work() -> int:
        return os.getpid()

    @sdk.flow
    def main() -> int:
        return work.submit().result()

    return main()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("runner", STARTS)
def test_the_meaning_is_that_of_threads(runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test for each runner, so that whatever it needs is started once."""
    _require(runner)
    cases = {"where": Case(tell_process, {}), **{name: CASES[name] for name in CHOSEN}}
    outcomes: dict[str, Any] = {}
    with STARTS[runner]() as make_runner:
        for number, (name, case) in enumerate(cases.items()):
            folder = tmp_path / str(number)
            folder.mkdir()
            monkeypatch.setenv("HEADRACE_HOME", f"{folder}/home")
            outcomes[name] = perform(case, folder, SdkOn(folder, make_runner))
    process = int(outcomes.pop("where")["gives"])
    assert process != os.getpid()
    assert outcomes == {name: THREADS[name] for name in CHOSEN}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_means_a_case(pattern: str) -> None:
    assert any(fits(pattern, name) for name in CASES)


def _require(runner: str) -> None:
    library = is_missing(runner)
    if library is None:
        return
    reason = f"{library} is not installed for Python {sys.version_info.major}.{sys.version_info.minor}"
    if os.environ.get("CI") == "true" and not (library == "ray" and sys.version_info >= (3, 15)):
        pytest.fail(reason)
    pytest.skip(reason)
