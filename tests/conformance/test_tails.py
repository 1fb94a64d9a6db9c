"""Following what is written: log lines in the order of writing, and places in the log of events by time."""

from datetime import timedelta

from msgspec import structs

from headrace.base.clock import FrozenClock
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.filters import IdFilter, LevelFilter, LogFilter
from headrace.schema.log import LogCreate
from headrace.schema.state import StateType
from tests.conformance.scenes import Stage


def write(administration: Administration, stage: Stage, *messages: str, **what: object) -> None:
    lines = [LogCreate(name="flow", level=20, message=text, timestamp=stage.now) for text in messages]
    for line in lines:
        for name, value in what.items():
            setattr(line, name, value)
    administration.create_logs(lines)


def test_lines_are_followed_in_the_order_of_writing(administration: Administration, stage: Stage) -> None:
    write(administration, stage, "before")
    tail = administration.tail_logs()
    assert tail.logs == []
    assert administration.tail_logs(after=tail.place) == tail
    write(administration, stage, "late", timestamp=stage.after(-60))
    write(administration, stage, "on time")
    more = administration.tail_logs(after=tail.place)
    assert [line.message for line in more.logs] == ["late", "on time"]
    assert administration.tail_logs(after=more.place).logs == []


def test_only_lines_that_are_asked_for_are_followed(administration: Administration, stage: Stage) -> None:
    run = stage.running()
    place = administration.tail_logs().place
    write(administration, stage, "other")
    write(administration, stage, "mine", flow_run_id=run.id)
    write(administration, stage, "loud", flow_run_id=run.id, level=40)
    mine = LogFilter(flow_run_id=IdFilter(any_=[run.id]))
    assert [line.message for line in administration.tail_logs(mine, place).logs] == ["mine", "loud"]
    loud = LogFilter(level=LevelFilter(ge_=30))
    assert [line.message for line in administration.tail_logs(loud, place).logs] == ["loud"]


def test_lines_are_counted(administration: Administration, stage: Stage) -> None:
    run = stage.running()
    assert administration.count_logs() == 0
    write(administration, stage, "other")
    write(administration, stage, "mine", "mine too", flow_run_id=run.id)
    write(administration, stage, "loud", flow_run_id=run.id, level=40)
    mine = LogFilter(flow_run_id=IdFilter(any_=[run.id]))
    assert (administration.count_logs(), administration.count_logs(mine)) == (4, 3)
    assert administration.count_logs(structs.replace(mine, level=LevelFilter(ge_=30))) == 1


def test_many_lines_are_followed_in_several_steps(administration: Administration, stage: Stage) -> None:
    place = administration.tail_logs().place
    wanted = [f"line {number}" for number in range(450)]
    write(administration, stage, *wanted)
    seen: list[str] = []
    while lines := (tail := administration.tail_logs(after=place)).logs:
        seen += [line.message for line in lines]
        place = tail.place
    assert seen == wanted


def test_a_place_in_the_log_is_found_by_time(
    execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock
) -> None:
    assert administration.find_cursor(stage.now) == Cursor()
    old = stage.running()
    clock.advance(3600)
    new = stage.running()
    cursor = administration.find_cursor(stage.now - timedelta(seconds=1))
    subjects = {event.subject_id for event in execution.read_events(cursor).events}
    assert new.id in subjects
    assert old.id not in subjects


def test_what_came_a_little_late_is_behind_the_place(
    execution: Execution, administration: Administration, stage: Stage, clock: FrozenClock
) -> None:
    stage.running()
    clock.advance(3600)
    task = stage.made(None, uuid7())
    stage.deliver(task, stage.state(task, 1, StateType.PENDING, -30))
    stage.deliver(stage.state(task, 2, StateType.RUNNING, -20, 1))
    cursor = administration.find_cursor(stage.after(-25))
    states = [state.type for event in execution.read_events(cursor).events for state in event.states]
    assert states[-1] is StateType.RUNNING
