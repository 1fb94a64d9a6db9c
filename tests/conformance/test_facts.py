import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.fact import (
    ArtifactChangeFact,
    ArtifactFact,
    Batch,
    EventFact,
    Fact,
    LogFact,
    ResultFact,
    TaskNameFact,
    TaskRunFact,
)
from headrace.schema.ledger import pack_entry
from headrace.schema.run import (
    ConstantInput,
    FlowRunResult,
    ParameterInput,
    TaskRun,
    TaskRunCreate,
    TaskRunPolicy,
    TaskRunResult,
)
from headrace.schema.state import StateCreate, StateType
from tests.conformance.scenes import NOBODY, Stage

SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING = StateType


def read(execution: Execution, *tasks: TaskRunFact) -> list[TaskRun]:
    return [execution.read_task_run(task.id) for task in tasks]


# task runs


def test_a_task_run_is_what_its_facts_tell(execution: Execution, administration: Administration, stage: Stage) -> None:
    run = stage.running()
    upstream, other = uuid7(), uuid7()
    task = stage.made(
        run.id,
        name="load-7",
        dynamic_key="7",
        tags=["db", "ünï"],
        task_inputs={
            "rows": [TaskRunResult(id=upstream), FlowRunResult(id=other)],
            "path": [ParameterInput(name="path"), ConstantInput(type="str")],
        },
        empirical_policy=TaskRunPolicy(retries=2, retry_delay=[1, 2.5], retry_jitter_factor=0.5),
        task_version="v2",
        flow_run_run_count=1,
        expected_start_time=stage.clock.now + 1_000_000,
        labels={"a": True},
    )
    pending, running, ended = stage.story(task)
    running.cache_key, running.cache_expiration = "ck", stage.clock.now + 60_000_000
    ended.state.message, ended.state.data = "three rows", {"storage_key": "k", "size": 3}
    stage.deliver(task, pending, running, ended, attempts={run.id: 1})
    found = execution.read_task_run(task.id)
    assert found == administration.read_task_run(task.id)
    assert (found.name, found.task_key, found.dynamic_key, found.flow_run_id) == ("load-7", "load", "7", run.id)
    assert (found.tags, found.labels, found.task_version) == (["db", "ünï"], {"a": True}, "v2")
    assert (found.task_inputs, found.empirical_policy) == (task.task_inputs, task.empirical_policy)
    assert (found.cache_key, found.cache_expiration) == ("ck", stage.after(60))
    assert (found.created, found.expected_start_time, found.flow_run_run_count) == (stage.now, stage.after(1), 1)
    assert (found.run_count, found.start_time, found.end_time) == (1, stage.after(2), stage.after(5))
    assert (found.total_run_time, found.estimated_start_time_delta) == (3.0, 1.0)
    assert found.state
    assert (found.state.type, found.state.message, found.state.timestamp) == (COMPLETED, "three rows", stage.after(5))
    assert found.state.data == {"storage_key": "k", "size": 3}


def test_every_state_of_a_task_run_is_kept(administration: Administration, stage: Stage) -> None:
    task = stage.made()
    pending, running, ended = stage.story(task)
    waiting = stage.state(task, 3, SCHEDULED, 3, 1, name="AwaitingRetry", details={"scheduled_time": stage.after(4)})
    again, ended.state.ordinal = stage.state(task, 4, RUNNING, 4, 2, name="Retrying"), 5
    stage.deliver(task, pending, running)
    stage.deliver(waiting, again)
    stage.deliver(ended)
    states = administration.list_task_run_states(task.id)
    assert [state.name for state in states] == ["Pending", "Running", "AwaitingRetry", "Retrying", "Completed"]
    assert states[2].state_details.scheduled_time == stage.after(4)
    for state in states:
        assert state.id
        assert administration.read_task_run_state(state.id) == state
    found = administration.read_task_run(task.id)
    assert (found.run_count, found.total_run_time) == (2, 2.0)


def test_a_waiting_task_run_has_a_next_start(execution: Execution, stage: Stage) -> None:
    task = stage.made()
    pending, running, _ = stage.story(task)
    waiting = stage.state(task, 3, SCHEDULED, 3, 1, details={"scheduled_time": stage.after(9)})
    stage.deliver(task, pending, running, waiting)
    assert execution.read_task_run(task.id).next_scheduled_start_time == stage.after(9)
    assert execution.read_task_run(task.id).estimated_run_time == 1.0


def test_a_task_run_gets_its_name_later(execution: Execution, stage: Stage) -> None:
    early, late = stage.made(), stage.made()
    stage.deliver(early, TaskNameFact(early.id, "load-monday"), late)
    stage.deliver(TaskNameFact(late.id, "load-tuesday"), stage.story(late)[0])
    assert [run.name for run in read(execution, early, late)] == ["load-monday", "load-tuesday"]


def test_states_may_come_before_the_fact_that_the_run_exists(execution: Execution, stage: Stage) -> None:
    known, told = stage.made(name="load-1", tags=["a"]), stage.made(name="load-2", tags=["a"])
    stage.deliver(known, *stage.story(known))
    stage.deliver(*stage.story(told))
    assert execution.read_task_run(told.id).state_type is COMPLETED
    stage.deliver(told)
    one, two = read(execution, known, told)
    same = ("tags", "task_key", "run_count", "start_time", "end_time", "total_run_time", "state_type", "created")
    assert [getattr(one, name) for name in same] == [getattr(two, name) for name in same]
    assert two.name == "load-2"


@pytest.mark.parametrize("seed", range(6))
def test_however_facts_arrive_the_task_run_ends_the_same(
    execution: Execution, administration: Administration, stage: Stage, seed: int
) -> None:
    shuffle = random.Random(seed)
    run = stage.running()

    def tell(task: TaskRunFact) -> list[Fact]:
        return [
            task,
            stage.state(task, 1, PENDING, 1),
            stage.state(task, 2, RUNNING, 2, 1),
            stage.state(task, 3, SCHEDULED, 4, 1, name="AwaitingRetry"),
            stage.state(task, 4, RUNNING, 5, 2, name="Retrying"),
            stage.state(task, 5, COMPLETED, 9, 2),
        ]

    straight, crooked = stage.made(run.id), stage.made(run.id)
    stage.deliver(*tell(straight))
    facts = tell(crooked)
    shuffle.shuffle(facts)
    cuts = sorted(shuffle.sample(range(1, 6), 3))
    for start, end in pairwise([0, *cuts, 6]):
        execution.deliver(Batch(uuid7(), 1, facts[start:end]))
    one, two = read(execution, straight, crooked)
    assert two.state
    assert one.state
    assert (two.run_count, two.total_run_time, two.state.type) == (2, 6.0, COMPLETED)
    one.id, one.state_id, one.state.id = two.id, two.state_id, two.state.id
    assert one == two
    assert [state.type for state in administration.list_task_run_states(crooked.id)] == [
        state.type for state in administration.list_task_run_states(straight.id)
    ]


def test_a_task_run_that_is_not_there_is_not_found(execution: Execution, administration: Administration) -> None:
    for ask in (
        execution.read_task_run,
        administration.read_task_run,
        administration.list_task_run_states,
        administration.read_task_run_state,
        administration.delete_task_run,
    ):
        with pytest.raises(ObjectNotFound):
            ask(uuid7())


def test_a_task_run_is_deleted_with_what_it_left(administration: Administration, stage: Stage) -> None:
    task, kept = stage.made(), stage.made()
    stage.deliver(
        task,
        kept,
        *stage.story(task),
        *stage.story(kept),
        *(LogFact(uuid7(), "task", 20, "hi", stage.clock.now, None, each.id) for each in (task, kept)),
    )
    administration.delete_task_run(task.id)
    assert [run.id for run in administration.list_task_runs()] == [kept.id]
    assert [log.task_run_id for log in administration.list_logs()] == [kept.id]
    assert len(administration.list_task_run_states(kept.id)) == 3


# the journal


def test_the_mark_moves_with_the_batches(execution: Execution, stage: Stage) -> None:
    tasks = [stage.made() for _ in range(5)]
    assert stage.deliver(*tasks[:2]) == 2
    assert stage.deliver(tasks[2]) == 3
    assert stage.deliver(*tasks[3:]) == 5
    assert len(read(execution, *tasks)) == 5


def test_a_batch_sent_again_is_stored_once(execution: Execution, administration: Administration, stage: Stage) -> None:
    line = LogFact(uuid7(), "flow", 20, "hi", stage.clock.now)
    task = stage.made()
    batch = stage.batch(task, *stage.story(task), line)
    assert [execution.deliver(batch) for _ in range(3)] == [5, 5, 5]
    assert len(administration.list_logs()) == 1
    assert len(administration.list_task_run_states(task.id)) == 3


def test_of_a_batch_that_overlaps_the_rest_is_stored(administration: Administration, stage: Stage) -> None:
    lines = [LogFact(uuid7(), "flow", 20, str(number), stage.clock.now) for number in range(4)]
    journal = uuid7()
    assert stage.execution.deliver(Batch(journal, 1, list[Fact](lines[:3]))) == 3
    assert stage.execution.deliver(Batch(journal, 2, list[Fact](lines[1:]))) == 4
    assert [log.message for log in administration.list_logs()] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("known", [0, 2])
def test_a_gap_is_refused(execution: Execution, administration: Administration, stage: Stage, known: int) -> None:
    journal = uuid7()
    lines: list[Fact] = [LogFact(uuid7(), "flow", 20, str(number), stage.clock.now) for number in range(3)]
    if known:
        execution.deliver(Batch(journal, 1, lines[:known]))
    with pytest.raises(InvalidRequest, match=f"{known + 1} to 9 are missing"):
        execution.deliver(Batch(journal, 10, lines))
    assert len(administration.list_logs()) == known
    assert execution.deliver(Batch(journal, known + 1, lines[known:])) == 3


def test_an_empty_batch_is_stored_already(execution: Execution) -> None:
    assert execution.deliver(Batch(uuid7(), 1, [])) == 0


# attempts


def test_facts_of_an_attempt_that_is_over_are_history(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    run = stage.running()
    task = stage.made(run.id)
    pending, running, ended = stage.story(task)
    stage.deliver(task, pending, running, attempts={run.id: 1})
    stage.propose(run, RUNNING)
    line = LogFact(uuid7(), "task", 20, "too late", stage.clock.now, run.id, task.id)
    assert stage.deliver(ended, line, attempts={run.id: 1}) == 5
    assert execution.read_task_run(task.id).state_type is RUNNING
    assert [state.name for state in administration.list_task_run_states(task.id)] == ["Pending", "Running", "Completed"]
    assert [log.message for log in administration.list_logs()] == ["too late"]
    stage.deliver(stage.state(task, 3, FAILED, 9, 1), attempts={run.id: 2})
    assert execution.read_task_run(task.id).state_type is FAILED


def test_a_task_run_that_only_a_dead_attempt_knew_ends_with_it(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    stage.propose(run, RUNNING)
    ended, unended, unbegun = (stage.made(run.id) for _ in range(3))
    facts = [ended, unended, unbegun, *stage.story(ended), *stage.story(unended)[:2]]
    stage.deliver(*facts, attempts={run.id: 1})
    assert [each.state_type for each in read(execution, ended, unended, unbegun)] == [COMPLETED, CRASHED, CRASHED]


def test_facts_under_no_epoch_move_their_runs(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    stage.propose(run, RUNNING)
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task), attempts={uuid7(): 7})
    assert execution.read_task_run(task.id).state_type is COMPLETED


# what runs leave


def test_an_oversize_line_is_cut_and_says_so(administration: Administration, stage: Stage) -> None:
    stage.deliver(LogFact(uuid7(), "flow", 20, "é" * 600_000, stage.clock.now))
    (line,) = administration.list_logs()
    assert len(line.message.encode()) <= 2**20
    assert "cut: 1200000 bytes" in line.message[-100:]


def test_what_no_database_can_hold_is_replaced(administration: Administration, stage: Stage) -> None:
    task = stage.made(name="a\0", tags=["\ud800"])
    pending, _, ended = stage.story(task)
    ended.state.message, ended.state.data = "nul \0", {"huge": 2**80, "half": "\udfff", "odd": {1: object}}
    stage.deliver(task, pending, ended, LogFact(uuid7(), "f\0", 20, "half \ud800 of a pair", stage.clock.now))
    found = administration.read_task_run(task.id)
    assert found.state
    assert (found.name, found.tags, found.state.message) == ("a\ufffd", ["\ufffd"], "nul \ufffd")
    assert found.state.data["huge"] == 2**80
    (line,) = administration.list_logs()
    assert (line.name, line.message) == ("f\ufffd", "half \ufffd of a pair")


def test_thousands_of_facts_are_one_batch(administration: Administration, stage: Stage) -> None:
    run = stage.running()
    facts: list[Fact] = []
    for number in range(1_300):
        task = stage.made(run.id, dynamic_key=str(number))
        facts += [task, *stage.story(task)]
    stage.deliver(*facts, attempts={run.id: 1})
    assert administration.count_task_runs() == 1_300
    late = [fact for fact in facts if isinstance(fact, TaskRunFact)]
    stage.deliver(*(stage.state(task, 4, COMPLETED, 9, 1, name="RolledBack") for task in late))
    assert administration.count_task_runs() == 1_300
    assert {run.state_name for run in administration.list_task_runs()} == {"RolledBack"}


def test_records_of_results_are_kept(administration: Administration, stage: Stage) -> None:
    run, task = uuid7(), uuid7()
    for number in range(2):
        fact = ResultFact(stage.new_id(), "key", "file:///r", "json", number, stage.clock.now, None, run, task)
        stage.deliver(fact, ArtifactFact(uuid7(), None, "link", None, {"url": "x"}, stage.clock.now, run, task))
    assert [record.size for record in administration.list_results()] == [1, 0]
    assert administration.read_result("key").size == 1


# task runs that others decide


def test_a_call_makes_one_task_run(execution: Execution, stage: Stage) -> None:
    run = stage.running()

    def create(**what: Any) -> TaskRun:
        called: dict[str, Any] = {"task_key": "k", "dynamic_key": "0"}
        return execution.create_task_run(TaskRunCreate(**called | what))

    first = create(flow_run_id=run.id, name="sub", tags=["a"])
    assert (first.name, first.tags, first.state_type) == ("sub", ["a"], PENDING)
    assert create(flow_run_id=run.id, name="again") == first
    assert create(flow_run_id=run.id, dynamic_key="1").id != first.id
    assert create(flow_run_id=stage.running().id).id != first.id
    loose = create()
    assert loose.id != first.id
    assert create() == loose
    chosen = uuid7()
    named = create(id=chosen, dynamic_key="9", flow_run_id=run.id)
    assert (named.id, create(id=chosen, dynamic_key="other")) == (chosen, named)


def test_a_background_task_waits_for_its_time(execution: Execution, stage: Stage) -> None:
    state = StateCreate(type=SCHEDULED)
    made = execution.create_task_run(
        TaskRunCreate(task_key="k", dynamic_key="0", state=state, labels={"a": 1}, cache_key="c")
    )
    assert (made.next_scheduled_start_time, made.expected_start_time) == (stage.now, stage.now)
    assert (made.labels, made.cache_key, made.state_name) == ({"a": 1}, "c", "Scheduled")


# artifacts that change


def test_an_artifact_has_what_it_was_given_last(
    execution: Execution, administration: Administration, stage: Stage
) -> None:
    now = stage.clock.now
    one, other = (ArtifactFact(uuid7(), "p", "progress", "begun", 0.0, now) for _ in range(2))
    changes = [
        ArtifactChangeFact(one.id, 10.0, now + 1, "ten"),
        ArtifactChangeFact(other.id, 5.0, now + 1),
        ArtifactChangeFact(one.id, 20.0, now + 2),
        ArtifactChangeFact(uuid7(), 1.0, now + 2),
    ]
    stage.deliver(one, other, *changes)
    found = administration.read_artifact(one.id)
    assert (found.data, found.description, found.key, found.type) == (20.0, "ten", "p", "progress")
    assert (administration.read_artifact(other.id).data, administration.read_artifact(other.id).description) == (
        5.0,
        "begun",
    )
    stage.clock.advance(1)
    stage.deliver(ArtifactChangeFact(one.id, {"any": [1, "NUL \0"]}, now + 3, "half \ud83d"))
    found = administration.read_artifact(one.id)
    assert (found.data, found.description) == ({"any": [1, "NUL \ufffd"]}, "half \ufffd")
    assert found.updated == stage.now
    assert administration.read_latest_artifact("p").id == other.id


# events of one's own


def test_events_of_ones_own_are_logged_in_order_and_once(execution: Execution, stage: Stage) -> None:
    begin = execution.last_cursor()
    run = stage.running()
    facts = [EventFact(uuid7(), stage.clock.now + number, {"event": f"e{number}"}, run.id) for number in range(3)]
    stage.deliver(*facts[:2])
    stage.deliver(facts[1], facts[2], facts[2])
    events = [event for event in execution.read_events(begin).events if event.kind == "custom"]
    assert [event.subject_id for event in events] == [fact.id for fact in facts]
    assert [event.body for event in events] == [{"event": "e0"}, {"event": "e1"}, {"event": "e2"}]
    assert {event.flow_run_id for event in events} == {run.id}


def test_what_a_dead_process_had_noted_is_stored(execution: Execution, stage: Stage) -> None:
    """Where processes can leave ledgers beside the database; elsewhere they are told that there is no place for one."""
    own = execution.ledger()
    if own is None:
        return
    run = stage.running(presence=NOBODY)
    task = stage.made(run.id)
    batch = stage.batch(task, *stage.story(task), attempts={run.id: run.epoch})
    alive = own.rpartition("/")[2].removeprefix("ledger-").rpartition("-")[0]
    Path(f"{own}-000000").write_bytes(b"")
    left = Path(own.replace(alive, f"alive-{uuid7().hex}") + "-000000")
    left.write_bytes(pack_entry(batch))
    assert execution.crash_if_dead() == 1
    assert execution.read_task_run(task.id).state_type is StateType.COMPLETED
    assert not left.exists()
    assert Path(f"{own}-000000").exists(), "the ledger of a process that lives is its own"
    assert execution.deliver(batch) == batch.last
