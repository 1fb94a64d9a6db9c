import threading
from typing import Any

import pytest

from headrace.base.clock import FrozenClock
from headrace.base.errors import Unavailable
from headrace.orchestration.loops.reaper import Reaper
from headrace.schema.orchestration import Beat, Presence
from headrace.schema.run import FlowRun
from headrace.schema.state import StateType
from headrace.storage.database import Database
from tests.conformance.scenes import NOBODY, Stage

BEATING = Presence(kind="beat", interval=10)


@pytest.fixture
def reaper(database: Database, clock: FrozenClock) -> Reaper:
    return Reaper(database, clock, interval=5)


def pass_time(reaper: Reaper, clock: FrozenClock, seconds: int) -> int:
    """Look every five seconds; how many runs were crashed."""
    crashed = 0
    for _ in range(seconds // 5):
        clock.advance(5)
        crashed += reaper.run_once()
    return crashed


def crashed(stage: Stage, run: FlowRun) -> bool:
    return stage.execution.read_flow_run(run.id).state_type is StateType.CRASHED


def test_an_attempt_that_falls_silent_is_crashed_and_one_that_beats_is_not(
    reaper: Reaper, stage: Stage, clock: FrozenClock
) -> None:
    silent, alive, unwatched = (stage.running(presence=BEATING) for _ in range(3))
    stage.propose(unwatched, StateType.RUNNING, epoch=1, presence=Presence(kind="none"))
    reaper.run_once()
    for _ in range(4):
        assert pass_time(reaper, clock, 5) == 0 or crashed(stage, silent)
        assert stage.execution.beat([Beat(flow_run_id=alive.id, epoch=1)]) == []
        pass_time(reaper, clock, 5)
    found = stage.execution.read_flow_run(silent.id).state
    assert found
    assert found.type is StateType.CRASHED
    assert found.message == (
        "For more than 30 s nobody has shown that this run is alive: its process or its machine has died."
    )
    assert stage.execution.beat([Beat(flow_run_id=silent.id, epoch=1)]) == [silent.id]
    assert not crashed(stage, alive)
    assert not crashed(stage, unwatched)


def test_a_new_attempt_has_its_full_time(reaper: Reaper, stage: Stage, clock: FrozenClock) -> None:
    run = stage.running(presence=BEATING)
    reaper.run_once()
    assert pass_time(reaper, clock, 30) == 0
    stage.propose(run, StateType.RUNNING, presence=BEATING)
    assert pass_time(reaper, clock, 30) == 0
    assert pass_time(reaper, clock, 10) == 1


def test_nobody_dies_of_an_outage(reaper: Reaper, stage: Stage, clock: FrozenClock) -> None:
    run = stage.running(presence=BEATING)
    reaper.run_once()
    clock.advance(3600)
    assert reaper.run_once() == 0
    assert pass_time(reaper, clock, 25) == 0
    assert not crashed(stage, run)
    assert pass_time(reaper, clock, 10) == 1


@pytest.mark.parametrize("fails", [True, False])
def test_nobody_dies_of_a_database_that_was_away(
    reaper: Reaper, stage: Stage, clock: FrozenClock, database: Database, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """Whether the look fails, or waits until the database is back: nobody could beat meanwhile."""
    run = stage.running(presence=Presence(kind="beat", interval=1))
    reaper.run_once()
    read, calls = database.read, [0]

    def read_late(unit: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            if fails:
                raise Unavailable("nothing answers")
            clock.advance(8)
        return read(unit)

    monkeypatch.setattr(database, "read", read_late)
    if fails:
        with pytest.raises(Unavailable):
            reaper.run_once()
    clock.advance(5)
    assert reaper.run_once() == 0
    assert not crashed(stage, run)
    assert pass_time(reaper, clock, 5) == 1


def test_a_jump_of_the_wall_clock_kills_nobody(reaper: Reaper, stage: Stage, clock: FrozenClock) -> None:
    run = stage.running(presence=BEATING)
    reaper.run_once()
    clock.now += 10**12
    assert reaper.run_once() == 0
    assert not crashed(stage, run)


def test_a_free_lock_is_a_dead_process(reaper: Reaper, stage: Stage, clock: FrozenClock) -> None:
    dead, alive = stage.running(presence=NOBODY), stage.running(presence=stage.execution.presence())
    assert reaper.run_once() + reaper.run_once() == 1
    assert crashed(stage, dead)
    assert not crashed(stage, alive)


def test_it_looks_on_a_thread_of_its_own_until_it_is_stopped(
    database: Database,
    stage: Stage,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks = iter([1, Unavailable("nothing answers"), 0])
    looked = threading.Event()

    def look(_: Reaper) -> int:
        result = next(looks, None)
        if result is None:
            looked.set()
            return 0
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(Reaper, "run_once", look)
    reaper = Reaper(database, clock, interval=0.001)
    reaper.start()
    assert looked.wait(60)
    reaper.stop()
    reaper.stop()
    assert [record.message for record in caplog.records] == [
        "1 flow runs crashed: their processes have died.",
        "The reaper cannot look just now: nothing answers",
    ]
