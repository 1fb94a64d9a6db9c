"""What happens between loading and writing: the database confirms each guard, and whoever was slower decides again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headrace.orchestration import proposals
from headrace.orchestration.proposals import decide
from headrace.orchestration.unit import Unit
from headrace.rules.verdicts import Verdict
from headrace.schema.orchestration import Proposal, Verb
from headrace.schema.state import StateType
from headrace.storage.rows import FlowRunRow
from tests.conformance.scenes import Stage


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgresql
def test_whoever_was_slower_decides_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stage.scheduled()
    decided, go_on = threading.Event(), threading.Event()
    decisions: list[Verdict] = []

    def decide_slowly(unit: Unit, row: FlowRunRow, proposal: Proposal, placed: bool) -> Verdict:
        verdict = decide(unit, row, proposal, placed)
        if threading.current_thread() is not threading.main_thread() and proposal.state.message == "slow":
            decisions.append(verdict)
            if len(decisions) == 1:
                decided.set()
                assert go_on.wait(60)
        return verdict

    monkeypatch.setattr(proposals, "decide", decide_slowly)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(stage.propose, run, StateType.PENDING, message="slow")
        assert decided.wait(60)
        assert stage.propose(run, StateType.PENDING).verb is Verb.ACCEPT
        go_on.set()
        assert slow.result().verb is Verb.ABORT
    assert [type(verdict).__name__ for verdict in decisions] == ["Accept", "Abort"]
