"""Slots taken by blocks and by tasks: by script where time and outages matter, else on a real database, in both colours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast
from uuid import UUID

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.concurrency import ConcurrencyLeaseHolder
from headrace.concurrency import asyncio as in_loop
from headrace.concurrency import sync as on_thread
from headrace.connect import open_administration
from headrace.context import tags
from headrace.engine.commands import Lifecycle, Outcome, Sleep
from headrace.engine.flow_definition import Flow
from headrace.engine.outcomes import finish
from headrace.engine.requests import FindLimited, GiveSlotsBack, LeaveLine, TakeSlots
from headrace.engine.slot_lifecycle import Hold, SlotWish, give_slots_back, take_slots
from headrace.engine.slots import Lease
from headrace.engine.task_definition import Task
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.gateway.administration import Administration
from headrace.schema.fact import TaskStateFact
from headrace.schema.orchestration import ConcurrencyLimitCreate, SlotGrant, SlotRequest
from headrace.testing import RecordingSession, Step, asks, calls, emits, enters, frozen_clock, play, sleeps
from tests.unit.engine.conftest import Stage

REFUSED = SlotGrant(lease_id=None, names=["db"], position=1, retry_after=2.0)


def grant(request: Any) -> SlotGrant:
    """What a request that is granted is answered, with the lease where it belongs."""
    lease_id = uuid7()
    request.holder.lease = Lease(lease_id, ["db"], request.request.duration)
    return SlotGrant(lease_id=lease_id, names=["db"])


def wish(*names: str, occupy: int = 1, **more: Any) -> SlotWish:
    return SlotWish(SlotRequest(names=list(names or ("db",)), request_id=uuid7(), occupy=occupy), **more)


def take(*script: Step, wanted: SlotWish | None = None, told: Callable[[], Lifecycle[None]] | None = None) -> Hold:
    """Play the taking of slots, and give what is held in the end."""
    hold = Hold(RecordingSession())
    play(take_slots(hold, wanted or wish(), told), script)
    return hold


# by script


def test_a_free_slot_is_taken_at_once(home: object) -> None:
    hold = take(asks(TakeSlots, grant, patient=True))
    assert hold.lease is not None
    play(give_slots_back(hold), [asks(GiveSlotsBack, lease=hold.lease)])
    assert hold.lease is None
    play(give_slots_back(hold), [])
    with pytest.raises(errors.MissingContextError):
        _ = hold.context


def test_a_full_limit_is_asked_again_when_that_was_advised(home: object) -> None:
    bare = SlotGrant(lease_id=None, names=["db"])
    again = (asks(TakeSlots, REFUSED), sleeps(2.0), asks(TakeSlots, bare), sleeps(10.0))
    assert take(*again, asks(TakeSlots, grant)).lease


def test_whoever_waits_is_told_once(home: object) -> None:
    told: list[str] = []

    def tell() -> Lifecycle[None]:
        told.append("waits")
        yield Sleep(0.5)

    again = (asks(TakeSlots, REFUSED), sleeps(0.5), sleeps(2.0), asks(TakeSlots, REFUSED), sleeps(2.0))
    take(*again, asks(TakeSlots, grant), told=tell)
    assert told == ["waits"]


def test_one_of_a_process_stands_in_line_for_all(home: object) -> None:
    first, hold, told = uuid7(), Hold(RecordingSession()), list[str]()
    hold.session.lines.stand(["db"], first)

    def tell() -> Lifecycle[None]:
        told.append("waits")
        hold.session.lines.leave(["db"], first)
        yield from ()

    play(take_slots(hold, wish(), tell), [sleeps(0.1), sleeps(10.0), asks(TakeSlots, grant)])
    assert told == ["waits"]
    assert hold.session.lines.stand(["db"], first)


def test_who_waits_for_others_of_the_process_waits_no_longer_either(home: object) -> None:
    first, hold = uuid7(), Hold(RecordingSession())
    hold.session.lines.stand(["db"], first)
    with frozen_clock() as clock:
        taking = take_slots(hold, wish(timeout=3))
        next(taking)
        clock.advance(3)
        left = cast("Any", taking.send(Outcome(False)))
        assert isinstance(left.request, LeaveLine)
        with pytest.raises(errors.AcquireConcurrencySlotTimeoutError):
            taking.send(None)
    assert hold.session.lines.stand(["db"], first)


def test_a_wait_ends_in_time(home: object) -> None:
    with frozen_clock() as clock:

        def refuse(_: Any) -> SlotGrant:
            clock.advance(1.5)
            return REFUSED

        again = (asks(TakeSlots, refuse, patient=False), sleeps(1.5), asks(TakeSlots, refuse), asks(LeaveLine))
        with pytest.raises(errors.AcquireConcurrencySlotTimeoutError) as caught:
            take(*again, wanted=wish("db", "gpu", occupy=2, timeout=3))
    assert str(caught.value) == "There was no room for 2 slots of 'db', 'gpu' within 3 s."
    assert isinstance(caught.value, TimeoutError)


def test_an_outage_takes_no_longer_than_the_wait_may(home: object) -> None:
    away = errors.Unavailable("away")
    assert take(asks(TakeSlots, raises=away), sleeps(1.0), asks(TakeSlots, grant), wanted=wish(timeout=3)).lease
    with pytest.raises(errors.Unavailable):
        take(asks(TakeSlots, raises=away), asks(LeaveLine))


@pytest.mark.parametrize(("retries", "asked"), [(0, "once"), (1, "2 times")])
def test_slots_are_asked_for_only_so_often(home: object, retries: int, asked: str) -> None:
    script = [asks(TakeSlots, REFUSED)]
    for _ in range(retries):
        script += (sleeps(2.0), asks(TakeSlots, REFUSED))
    with pytest.raises(
        errors.ConcurrencySlotAcquisitionError, match=f"There was no room for a slot of 'db', asked {asked}"
    ):
        take(*script, asks(LeaveLine), wanted=wish(retries=retries))


def test_a_limit_that_should_be_there_has_to_be(home: object) -> None:
    with pytest.raises(errors.ConcurrencySlotAcquisitionError, match="no active concurrency limit called 'gpu'"):
        take(asks(TakeSlots, REFUSED), asks(LeaveLine), wanted=wish("gpu", "db", strict=True))
    with pytest.raises(errors.ConcurrencySlotAcquisitionError, match="no active concurrency limit called 'gpu'"):
        take(asks(TakeSlots, grant), asks(GiveSlotsBack), asks(LeaveLine), wanted=wish("gpu", "db", strict=True))
    assert take(asks(TakeSlots, grant), wanted=wish(strict=True)).lease


def test_a_wait_that_is_interrupted_or_cancelled_gives_up_its_place(home: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        take(asks(TakeSlots, REFUSED), sleeps(raises=KeyboardInterrupt()), asks(LeaveLine))
    with pytest.raises(errors.CancelledRun, match="was cancelled while it waited for a slot of 'db'"):
        take(asks(TakeSlots, REFUSED), sleeps(woken=True), asks(LeaveLine))
    waiting = take_slots(Hold(RecordingSession()), wish())
    next(waiting)
    waiting.close()


# tasks, by script


def start(**options: Any) -> RunningTask:
    return RunningTask(RecordingSession(), Task(lambda: 1, name="load", **options), {}, None)


BEGIN = (emits(object), enters("Pending"))


def test_a_task_whose_tag_has_a_limit_waits_and_gives_its_slot_back(home: object) -> None:
    run = start(tags=["db"])
    state = play(
        task_lifecycle(run),
        [
            *BEGIN,
            asks(FindLimited, ["tag:db"], names=["tag:db"]),
            asks(TakeSlots, REFUSED),
            enters("AwaitingConcurrencySlot", "Waits for a slot of tag:db."),
            sleeps(2.0),
            asks(TakeSlots, grant),
            enters("Running"),
            calls(),
            asks(GiveSlotsBack),
            enters("Completed"),
        ],
    )
    assert state.is_completed()
    assert run.hold.lease is None


def test_a_task_that_is_tried_again_takes_a_slot_for_each_try(home: object) -> None:
    one = (asks(TakeSlots, grant),)
    find = asks(FindLimited, ["tag:db"])
    play(
        task_lifecycle(start(tags=["db"], retries=1)),
        [
            *BEGIN, find, *one, enters("Running"), calls(raises=ValueError("no")), asks(GiveSlotsBack), enters("AwaitingRetry"),
            find, *one, enters("Retrying"), calls(returns=1), asks(GiveSlotsBack), enters("Completed"),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("second", [KeyboardInterrupt, GeneratorExit])
def test_a_run_that_is_interrupted_twice_holds_no_slot(second: type[BaseException], home: object) -> None:
    run = start(tags=["db"])
    taken = (*BEGIN, asks(FindLimited, ["tag:db"]), asks(TakeSlots, grant))
    twice = (enters("Running", raises=SystemExit()), asks(GiveSlotsBack, raises=second()))
    if second is GeneratorExit:
        with pytest.raises(GeneratorExit):
            play(task_lifecycle(run), [*taken, *twice])
    else:
        state = play(task_lifecycle(run), [*taken, *twice, enters("Crashed")])
        assert state.message == "Execution was interrupted by KeyboardInterrupt."
    assert run.hold.lease is None


def test_tasks_without_limits_ask_for_no_slots(home: object) -> None:
    play(task_lifecycle(start()), [*BEGIN, enters("Running"), calls(), enters("Completed")])
    find = asks(FindLimited, [])
    play(task_lifecycle(start(tags=["db"])), [*BEGIN, find, enters("Running"), calls(), enters("Completed")])


def test_a_task_cancelled_while_it_waits_for_a_slot_ends_cancelled(home: object) -> None:
    waiting = (asks(FindLimited, ["tag:db"]), asks(TakeSlots, REFUSED), enters("AwaitingConcurrencySlot"))
    ends = (sleeps(woken=True), asks(LeaveLine), enters("Cancelled"))
    state = play(task_lifecycle(start(tags=["db"])), [*BEGIN, *waiting, *ends])
    with pytest.raises(errors.CancelledRun, match="while the task run waited for a concurrency slot"):
        finish(state, return_state=False)


def test_a_run_that_nobody_goes_on_with_renews_its_slot_no_more(home: object) -> None:
    run = start(tags=["db"])
    lifecycle = task_lifecycle(run)
    next(lifecycle)
    lifecycle.send(None)
    assert isinstance(cast("Any", lifecycle.send(None)).request, FindLimited)
    request = cast("Any", lifecycle.send(["tag:db"])).request
    lifecycle.send(grant(request))
    assert run.hold.lease is not None
    lifecycle.close()
    assert run.hold.lease is None


# on a database


@pytest.fixture
def administration(stage: Stage) -> Generator[Administration]:
    opened: Any = open_administration(stage.settings)
    opened.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=1))
    yield opened
    opened.close()


def used(administration: Administration, name: str = "db") -> int:
    return administration.read_concurrency_limit(name).active_slots


def hold_sync(inside: Callable[[], Any], *args: Any, **options: Any) -> Any:
    with on_thread.concurrency(*args, **options):
        return inside()


def hold_async(inside: Callable[[], Any], *args: Any, **options: Any) -> Any:
    async def hold() -> Any:
        async with in_loop.concurrency(*args, **options):
            return inside()

    return asyncio.run(hold())


HOLDS: Any = pytest.mark.parametrize("hold", [hold_sync, hold_async], ids=["on a thread", "in a loop"])


@HOLDS
def test_a_block_holds_slots(stage: Stage, administration: Administration, hold: Any) -> None:
    assert hold(partial(used, administration), ["db", "free"]) == 1
    assert used(administration) == 0
    assert hold(lambda: 3, []) == 3


@HOLDS
def test_slots_are_given_back_after_an_error(stage: Stage, administration: Administration, hold: Any) -> None:
    def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        hold(fail, "db", strict=True)
    assert used(administration) == 0


@HOLDS
def test_a_full_limit_can_be_left(stage: Stage, administration: Administration, hold: Any) -> None:
    with on_thread.concurrency("db"):
        for options in ({"timeout_seconds": 0}, {"timeout_seconds": 0.01}, {"max_retries": 0}):
            with pytest.raises(errors.ConcurrencySlotAcquisitionError, match="There was no room for a slot of 'db'"):
                hold(lambda: None, "db", **options)
    assert hold(lambda: 1, "db") == 1


@HOLDS
def test_who_waits_goes_on_when_the_slot_is_given_back(stage: Stage, administration: Administration, hold: Any) -> None:
    """The advice is to ask again when the lease ends, in an hour: it is the release that wakes."""
    asked = threading.Event()
    refused: list[UUID] = []

    def before(verb: str, request: Any) -> None:
        if verb == "acquire_slots":
            refused.append(request.request_id)
            if len(refused) == 3:  # the first is our own, then twice by who waits: before and after listening
                asked.set()

    stage.recorder.before = before
    done: list[str] = []
    with on_thread.concurrency("db", lease_duration=3600):
        other = threading.Thread(target=hold, args=(lambda: done.append("then"), "db"))
        other.start()
        assert asked.wait(30)
        done.append("first")
    other.join()
    assert done == ["first", "then"]
    assert len(set(refused)) == 2


@HOLDS
@pytest.mark.parametrize("told", [True, None], ids=["told to", "strict"])
def test_a_block_that_lost_its_slots_says_so(
    stage: Stage, administration: Administration, hold: Any, told: bool | None
) -> None:
    def lose() -> None:
        (lease,) = stage.session.slots._leases.values()  # pyright: ignore[reportPrivateUsage]
        stage.session.slots._lose(lease)  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(errors.ConcurrencySlotLost, match="The lease on a slot of 'db' ran out"):
        hold(lose, "db", raise_on_lease_renewal_failure=told, strict=told is None)
    administration.reset_concurrency_limit("db", [])
    assert hold(lose, "db") is None


def test_a_coroutine_that_lost_its_slots_is_interrupted(stage: Stage, administration: Administration) -> None:
    async def hold() -> None:
        async with in_loop.concurrency("db", strict=True, lease_duration=0.3):
            administration.reset_concurrency_limit("db", [])
            await asyncio.Event().wait()

    with pytest.raises(errors.ConcurrencySlotLost):
        asyncio.run(hold())


def test_a_loss_is_told_too_late_to_a_block_that_has_ended(stage: Stage, administration: Administration) -> None:
    async def hold() -> Callable[[], None]:
        async with in_loop.concurrency("db", strict=True):
            (lease,) = stage.session.slots._leases.values()  # pyright: ignore[reportPrivateUsage]
            assert lease.on_loss is not None
        lease.on_loss()
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        return lease.on_loss

    asyncio.run(hold())()  # the loop is closed as well


def test_a_coroutine_cancelled_as_it_gets_its_slot_gives_it_back(stage: Stage, administration: Administration) -> None:
    async def main() -> None:
        async def hold() -> None:
            async with in_loop.concurrency("db"):
                raise AssertionError

        task = asyncio.create_task(hold())
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()

        def cancel() -> None:
            task.cancel()
            cancelled.set()

        def before(verb: str, request: Any) -> None:
            if verb == "acquire_slots":
                loop.call_soon_threadsafe(cancel)
                cancelled.wait()

        stage.recorder.before = before
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert used(administration) == 0


def test_a_coroutine_that_is_dropped_renews_nothing(stage: Stage, administration: Administration) -> None:
    async def drop() -> None:
        block = in_loop.concurrency("db")
        await block.__aenter__()
        dropped = GeneratorExit()
        assert not await block.__aexit__(GeneratorExit, dropped, None)

    asyncio.run(drop())
    assert not stage.session.slots._leases  # pyright: ignore[reportPrivateUsage]
    assert used(administration) == 1  # until its lease has run out


@HOLDS
def test_who_holds_is_the_run_or_who_is_named(stage: Stage, administration: Administration, hold: Any) -> None:
    look = partial(administration.list_slot_holders, "db")
    assert hold(look, "db") == []
    named = uuid7()
    assert hold(look, "db", holder=ConcurrencyLeaseHolder(type="deployment", id=named)) == [named]
    assert Task(lambda: hold(look, "db"), name="load")() == [stage.settle().task_runs()[-1].id]
    assert Flow(lambda: hold(look, "db"), name="flow")() == [stage.recorder.flow_runs()[-1]]


@HOLDS
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"occupy": 0}, "Slots cannot be asked for like this: Expected `int` >= 1 - at `$.occupy`"),
        ({"occupy": 1.5}, "Expected `int`"),
        ({"names": [3]}, "Expected `str`"),
        ({"lease_duration": 0}, "at `$.duration`"),
        ({"timeout_seconds": -1}, "timeout_seconds cannot be -1: it is a number from 0, or None"),
        ({"max_retries": "3"}, "max_retries cannot be '3'"),
    ],
)
def test_what_cannot_be_meant_is_refused(stage: Stage, hold: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        hold(lambda: None, **{"names": "db", **options})
    assert says in str(caught.value)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["on a thread", "in a loop"])
def test_a_rate_lets_through_what_it_may(stage: Stage, administration: Administration, asynchronous: bool) -> None:
    def limit(*args: Any, **options: Any) -> None:
        if asynchronous:
            asyncio.run(in_loop.rate_limit(*args, **options))
        else:
            on_thread.rate_limit(*args, **options)

    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="api", limit=2, slot_decay_per_second=0.001))
    limit("api", occupy=2)
    assert used(administration, "api") == 2
    with pytest.raises(errors.AcquireConcurrencySlotTimeoutError):
        limit("api", timeout_seconds=0)
    with pytest.raises(errors.InvalidRequest, match="do not fade"):
        limit("db")
    with pytest.raises(errors.ConcurrencySlotAcquisitionError, match="'none'"):
        limit("none", strict=True)
    assert not stage.session.slots._leases  # pyright: ignore[reportPrivateUsage]


@contextmanager
def counting(stage: Stage) -> Generator[list[str]]:
    """The verbs about slots that are asked within the block."""
    asked: list[str] = []
    stage.recorder.before = lambda verb, _: asked.append(verb) if "slot" in verb or "limited" in verb else None
    yield asked


def test_untagged_tasks_ask_nothing_and_tagged_ones_once(stage: Stage) -> None:
    free, tagged = Task(lambda: 1, name="free"), Task(lambda: 2, name="tagged", tags=["api"])
    with counting(stage) as asked:
        for _ in range(20):
            free()
        assert asked == []
        with frozen_clock():
            for _ in range(20):
                tagged()
        assert asked == ["find_limited"]


def test_no_more_tasks_of_a_tag_run_than_it_allows(stage: Stage, administration: Administration) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tag:api", limit=2))
    lock, running, most = threading.Lock(), set[int](), [0]
    met = threading.Barrier(2)

    def work(number: int) -> int:
        with lock:
            running.add(number)
            most.append(len(running))
        met.wait(30)  # two do run at once
        with lock:
            running.remove(number)
        return number

    task = Task(work, name="work", tags=["api"])

    def main() -> list[int]:
        return [future.result() for future in [task.submit(number) for number in range(8)]]

    assert Flow(main, name="main")() == [*range(8)]
    assert max(most) == 2
    assert used(administration, "tag:api") == 0
    assert all(path[-2:] == ["Running", "Completed"] for path in stage.settle().task_paths())


def test_a_task_says_that_it_waits(stage: Stage, administration: Administration) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tag:api", limit=1))
    waits = threading.Event()

    def before(verb: str, request: Any) -> None:
        facts: list[Any] = request.facts if verb == "deliver" else []
        if any(isinstance(fact, TaskStateFact) and fact.state.name == "AwaitingConcurrencySlot" for fact in facts):
            waits.set()

    stage.recorder.before = before
    task = Task(lambda: 1, name="work", tags=["api"])

    def main() -> int:
        with on_thread.concurrency("tag:api"):
            future = task.submit()
            assert waits.wait(30)
        return future.result()

    assert Flow(main, name="main")() == 1
    assert stage.settle().task_paths() == [["Pending", "AwaitingConcurrencySlot", "Running", "Completed"]]


def test_a_task_within_a_task_of_its_tag_shares_the_slot(stage: Stage, administration: Administration) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tag:api", limit=1))
    inner = Task(lambda: used(administration, "tag:api"), name="inner")

    def through_a_flow() -> int:
        return inner()

    middle = Flow(through_a_flow, name="middle")
    outer = Task(lambda: (middle(), inner()), name="outer")
    with tags("api"):
        assert outer() == (1, 1)
    assert used(administration, "tag:api") == 0


def test_a_task_interrupted_on_its_way_gives_its_slot_back(stage: Stage, administration: Administration) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tag:api", limit=1))

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Task(interrupt, name="load", tags=["api"])()
    assert used(administration, "tag:api") == 0
