import threading
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

import pytest

from headrace.base.errors import Unavailable
from headrace.base.ids import DEFAULT_WORKSPACE, uuid7
from headrace.gateway.execution import Execution
from headrace.orchestration.events import append, event_row
from headrace.orchestration.unit import Unit
from headrace.schema.event import Cursor, LoggedEvent
from headrace.schema.fact import StateFact
from headrace.schema.state import StateType
from headrace.storage.database import Connection, Database
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

RUNNING, COMPLETED = StateType.RUNNING, StateType.COMPLETED
BEGINNING = Cursor()


def read_all(execution: Execution, after: Cursor = BEGINNING, limit: int = 500) -> list[LoggedEvent]:
    found: list[LoggedEvent] = []
    while (page := execution.read_events(after, limit)).events:
        found += page.events
        after = page.cursor
    return found


def test_events_of_one_kind_are_read_past_all_others(execution: Execution, stage: Stage) -> None:
    first = stage.run()
    task = stage.made(first.id)
    stage.deliver(task, *stage.story(task))
    second = stage.run()
    found: list[UUID] = []
    after = BEGINNING
    while (page := execution.read_events(after, 1, ("flow-run",))).cursor != after:
        found += (event.subject_id for event in page.events)
        after = page.cursor
    assert found == [first.id, second.id]
    assert {event.kind for event in read_all(execution)} == {"flow-run", "task-run"}


def test_every_accepted_state_is_an_event(execution: Execution, stage: Stage) -> None:
    run = stage.run()
    stage.propose(run, RUNNING)
    stage.propose(run, RUNNING, transition_id=uuid7())
    stage.propose(run, COMPLETED)
    stage.propose(run, RUNNING)
    events = read_all(execution)
    assert [state.name for event in events for state in event.states] == ["Pending", "Running", "Running", "Completed"]
    assert {(event.kind, event.subject_id, event.flow_run_id) for event in events} == {("flow-run", run.id, run.id)}
    assert events[-1].states[0] == execution.read_flow_run(run.id).state
    assert [event.cursor for event in events] == sorted({event.cursor for event in events})


def test_the_states_of_a_batch_are_one_event_of_their_task_run(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    start = execution.last_cursor()
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task))
    (event,) = read_all(execution, start)
    assert (event.kind, event.subject_id, event.flow_run_id) == ("task-run", task.id, run.id)
    assert [state.name for state in event.states] == ["Pending", "Running", "Completed"]
    assert event.occurred == stage.after(5)


def test_the_log_is_read_in_stretches(execution: Execution, stage: Stage) -> None:
    for _ in range(7):
        stage.run()
    assert read_all(execution, limit=2) == read_all(execution)
    assert len(read_all(execution, limit=3)) == 7


def test_the_end_of_the_log_is_a_place_to_read_from(execution: Execution, stage: Stage) -> None:
    assert read_all(execution, execution.last_cursor()) == []
    stage.run()
    end = execution.last_cursor()
    page = execution.read_events(end)
    assert (page.events, page.cursor) == ([], end)
    run = stage.run()
    assert [event.subject_id for event in read_all(execution, end)] == [run.id]


def test_facts_of_an_attempt_that_is_over_are_no_news(execution: Execution, stage: Stage) -> None:
    run = stage.running()
    stage.propose(run, RUNNING)
    end = execution.last_cursor()
    task = stage.made(run.id)
    stage.deliver(task, *stage.story(task), attempts={run.id: 1})
    page = execution.read_events(end)
    assert page.events == []
    assert page.cursor > end


def test_who_waits_is_woken_by_what_others_commit(
    implementation: Orchestrations, execution: Execution, stage: Stage
) -> None:
    other = implementation.open().execution
    end = other.last_cursor()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: (other.last_cursor(), other.wait_for_events(60))[1])
        while not waiting.done():
            stage.run()  # the waiter may not have begun to wait when the first is committed
        assert waiting.result() is True
    assert read_all(other, end)


def test_what_was_committed_since_the_last_reading_ends_a_wait_at_once(execution: Execution, stage: Stage) -> None:
    execution.read_events(BEGINNING)
    stage.run()
    assert execution.wait_for_events(60) is True


def test_nothing_happens_and_the_wait_ends(execution: Execution) -> None:
    execution.last_cursor()
    while execution.wait_for_events(0):
        execution.last_cursor()  # the database's own first commits may still be heard


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.postgresql
def test_events_committed_in_reverse_order_are_all_read(implementation: Orchestrations, stage: Stage) -> None:
    execution = implementation.open().execution
    slow, fast = (open_database_of(implementation) for _ in range(2))
    end = execution.last_cursor()
    first, second = uuid7(), uuid7()
    appended, go_on = threading.Event(), threading.Event()

    def begin_first(connection: Connection) -> None:
        append_event(connection, first)
        appended.set()
        assert go_on.wait(60)

    with ThreadPoolExecutor(1) as threads:
        writing: Future[None] = threads.submit(slow.write, begin_first)
        assert appended.wait(60)
        fast.write(lambda connection: append_event(connection, second))
        before = execution.read_events(end)
        assert before.events == [], "an event that began earlier may still be committed"
        go_on.set()
        writing.result()
    assert [event.subject_id for event in read_all(execution, before.cursor)] == [first, second]
    assert [event.subject_id for event in read_all(execution, end)] == [first, second]


def open_database_of(implementation: Orchestrations) -> Database:
    implementation.open()
    return implementation.databases[-1]


def append_event(connection: Connection, subject: UUID) -> None:
    unit = Unit(connection, DEFAULT_WORKSPACE, 0)
    append(unit, [event_row("flow-run", subject, subject, [StateFact(1, RUNNING, "Running", 1)])])


def test_what_was_answered_is_stored_when_a_gateway_closes(implementation: Orchestrations, stage: Stage) -> None:
    gateways = implementation.open()
    run = Stage(gateways.execution, stage.clock).run()
    gateways.execution.close()
    gateways.execution.close()
    with pytest.raises(Unavailable):
        gateways.execution.read_flow_run(run.id)
    assert stage.execution.read_flow_run(run.id).id == run.id
