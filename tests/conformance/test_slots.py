from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from headrace.base.errors import InvalidRequest, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution
from headrace.schema.event import Cursor
from headrace.schema.orchestration import ConcurrencyLimitCreate, ConcurrencyLimitUpdate, SlotGrant, SlotRequest
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage


def ask(execution: Execution, *names: str, request: UUID | None = None, **what: Any) -> SlotGrant:
    return execution.acquire_slots(SlotRequest(names=list(names), request_id=request or uuid7(), **what))


@pytest.fixture
def db(administration: Administration) -> str:
    """A limit of two slots."""
    return administration.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=2)).name


def used(administration: Administration, name: str = "db") -> int:
    return administration.read_concurrency_limit(name).active_slots


def test_names_without_a_limit_are_free(execution: Execution) -> None:
    grant = ask(execution, "nothing", "none")
    assert grant.lease_id
    assert grant.names == []
    assert execution.release_slots(grant.lease_id) is True


def test_slots_are_taken_and_given_back(execution: Execution, administration: Administration, db: str) -> None:
    first, second = ask(execution, db, "free"), ask(execution, db)
    assert (first.names, used(administration)) == (["db"], 2)
    third = ask(execution, db)
    assert (third.lease_id, third.position) == (None, 1)
    assert third.retry_after
    assert first.lease_id
    assert execution.release_slots(first.lease_id) is True
    assert execution.release_slots(first.lease_id) is False
    assert used(administration) == 1
    assert second.lease_id


def test_the_same_request_gets_the_lease_it_has(execution: Execution, administration: Administration, db: str) -> None:
    request = uuid7()
    first = ask(execution, db, request=request)
    assert ask(execution, db, request=request) == first
    assert used(administration) == 1


def test_all_or_none(execution: Execution, administration: Administration, db: str) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="gpu", limit=1))
    held = ask(execution, "gpu")
    assert ask(execution, "gpu", db, queue=False).lease_id is None
    assert used(administration) == 0
    assert held.lease_id
    execution.release_slots(held.lease_id)
    assert ask(execution, "gpu", db).names == ["db", "gpu"]
    assert (used(administration), used(administration, "gpu")) == (1, 1)


def test_several_slots_at_once(execution: Execution, administration: Administration, db: str) -> None:
    assert ask(execution, db, occupy=2).lease_id
    assert used(administration) == 2
    assert ask(execution, db, occupy=1).lease_id is None


def test_first_come_first_served(execution: Execution, db: str) -> None:
    held = ask(execution, db, occupy=2)
    first, second, hasty = uuid7(), uuid7(), uuid7()
    assert ask(execution, db, request=first, occupy=2).position == 1
    assert ask(execution, db, request=second).position == 2
    assert ask(execution, db, request=first, occupy=2).position == 1
    assert ask(execution, db, request=hasty, queue=False).position == 3
    assert held.lease_id
    execution.release_slots(held.lease_id)
    assert ask(execution, db, request=second).position == 2
    assert ask(execution, db, request=first, occupy=2).lease_id


def test_who_waits_for_something_else_blocks_nobody(
    execution: Execution, administration: Administration, db: str
) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="gpu", limit=1))
    ask(execution, "gpu")
    assert ask(execution, "gpu", db).lease_id is None
    assert ask(execution, db).lease_id
    assert ask(execution, "gpu").position == 2


def test_who_leaves_the_line_lets_the_next_pass(execution: Execution, administration: Administration, db: str) -> None:
    held = ask(execution, db, occupy=2)
    first, second = uuid7(), uuid7()
    ask(execution, db, request=first)
    ask(execution, db, request=second)
    execution.withdraw_slot_request(first)
    assert ask(execution, db, request=second).position == 1
    assert held.lease_id
    execution.release_slots(held.lease_id)
    assert ask(execution, db, request=second).lease_id
    execution.withdraw_slot_request(second)
    assert used(administration) == 0


def test_who_does_not_ask_again_has_left_the_line(execution: Execution, stage: Stage, db: str) -> None:
    ask(execution, db, occupy=2, duration=10)
    ask(execution, db)
    stage.clock.advance(31)
    second = ask(execution, db, occupy=2)
    assert second.lease_id


def test_a_lease_ends_unless_it_is_renewed(
    execution: Execution, administration: Administration, stage: Stage, db: str
) -> None:
    kept, lost = uuid7(), uuid7()
    keep, lose = ask(execution, db, request=kept, duration=10), ask(execution, db, request=lost, duration=10)
    assert keep.lease_id
    assert lose.lease_id
    assert ask(execution, db, queue=False).retry_after == 10.0
    stage.clock.advance(9)
    assert execution.renew_slots(keep.lease_id, 10) is True
    stage.clock.advance(2)
    assert used(administration) == 1
    assert execution.renew_slots(lose.lease_id, 10) is False
    assert execution.release_slots(lose.lease_id) is False
    again = ask(execution, db, request=lost)
    assert again.lease_id not in {None, lose.lease_id}


def test_slots_of_a_rate_fade(execution: Execution, administration: Administration, stage: Stage) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="api", limit=2, slot_decay_per_second=0.5))
    first = ask(execution, "api")
    assert ask(execution, "api").lease_id
    assert first.lease_id
    execution.release_slots(first.lease_id)
    assert used(administration, "api") == 2
    refused = ask(execution, "api", queue=False)
    assert (refused.lease_id, refused.retry_after) == (None, 2.0)
    stage.clock.advance(2)
    assert ask(execution, "api").lease_id
    assert ask(execution, "api", queue=False).lease_id is None
    stage.clock.advance(100)
    assert used(administration, "api") == 0


def test_a_limit_that_is_not_active_limits_nothing(
    execution: Execution, administration: Administration, db: str
) -> None:
    administration.update_concurrency_limit(db, ConcurrencyLimitUpdate(limit=0, active=False))
    assert ask(execution, db).names == []


def test_a_limit_of_zero_stops_everybody(execution: Execution, administration: Administration, db: str) -> None:
    administration.update_concurrency_limit(db, ConcurrencyLimitUpdate(limit=0))
    assert ask(execution, db).lease_id is None


def test_a_limit_that_is_deleted_ends_the_leases_on_it(
    execution: Execution, administration: Administration, db: str
) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="gpu", limit=1))
    both, only = ask(execution, db, "gpu"), ask(execution, db)
    ask(execution, db)
    administration.delete_concurrency_limit(db)
    assert both.lease_id
    assert only.lease_id
    assert execution.renew_slots(only.lease_id, 10) is False
    assert execution.renew_slots(both.lease_id, 10) is True
    assert ask(execution, db).names == []


def test_holders_are_known_and_can_be_kept_or_ended(
    execution: Execution, administration: Administration, db: str
) -> None:
    mine, theirs = uuid7(), uuid7()
    kept = ask(execution, db, holder_type="task_run", holder_id=mine)
    ended = ask(execution, db, holder_type="task_run", holder_id=theirs)
    assert sorted(administration.list_slot_holders(db)) == sorted([mine, theirs])
    administration.reset_concurrency_limit(db, keep=[mine])
    assert administration.list_slot_holders(db) == [mine]
    assert kept.lease_id
    assert ended.lease_id
    assert execution.renew_slots(kept.lease_id, 10) is True
    assert execution.renew_slots(ended.lease_id, 10) is False
    with pytest.raises(ObjectNotFound):
        administration.list_slot_holders("nothing")
    with pytest.raises(ObjectNotFound):
        administration.reset_concurrency_limit("nothing", keep=[])


def test_leases_that_nobody_remembers_are_given_back(
    execution: Execution, administration: Administration, db: str
) -> None:
    ask(execution, db)
    known = ask(execution, db, holder_type="task_run", holder_id=uuid7())
    assert execution.release_held_slots([db], 2) == 1
    assert used(administration) == 1
    assert execution.release_held_slots([db], 1) == 0
    assert execution.release_held_slots(["nothing"], 1) == 0
    assert known.lease_id


def test_a_request_made_twice_at_once_gets_one_lease(
    implementation: Orchestrations, execution: Execution, administration: Administration, db: str
) -> None:
    others = [execution, implementation.open().execution]
    for names in ([db], ["free"]):
        request = uuid7()

        def take(number: int, names: list[str] = names, request: UUID = request) -> UUID | None:
            return ask(others[number % 2], *names, request=request).lease_id

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(take, range(16)))) == 1
    assert used(administration) == 1


def test_sixteen_threads_never_hold_more_than_the_limit(
    implementation: Orchestrations, execution: Execution, administration: Administration
) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="tight", limit=3))
    others = [execution, implementation.open().execution]

    def take(number: int) -> UUID | None:
        return ask(others[number % 2], "tight", queue=False).lease_id

    for _ in range(3):
        with ThreadPoolExecutor(16) as threads:
            leases = [lease for lease in threads.map(take, range(32)) if lease]
        assert len(leases) == 3
        assert used(administration, "tight") == 3
        for lease in leases:
            assert execution.release_slots(lease)


def called(execution: Execution, after: Cursor) -> list[UUID]:
    """Who has been told since that slots came free for them."""
    return [event.subject_id for event in execution.read_events(after).events if event.kind == "slots"]


def test_who_may_have_what_came_free_is_told(execution: Execution, db: str) -> None:
    held, other = ask(execution, db), ask(execution, db)
    first, second = uuid7(), uuid7()
    ask(execution, db, request=first)
    ask(execution, db, request=second)
    begin = execution.last_cursor()
    assert held.lease_id
    assert other.lease_id
    execution.release_slots(held.lease_id)
    assert called(execution, begin) == [first]
    execution.release_slots(other.lease_id)
    assert called(execution, begin) == [first, first, second]


def test_nobody_is_told_when_nobody_waits_or_what_came_free_is_not_enough(execution: Execution, db: str) -> None:
    begin = execution.last_cursor()
    held, other = ask(execution, db), ask(execution, db)
    assert held.lease_id
    assert other.lease_id
    ask(execution, db, occupy=2)
    execution.release_slots(held.lease_id)
    assert called(execution, begin) == []


def test_who_leaves_the_line_or_gives_back_in_any_way_calls_the_next(execution: Execution, db: str) -> None:
    request, first, second, third = uuid7(), uuid7(), uuid7(), uuid7()
    ask(execution, db, request=request)
    ask(execution, db, request=first, occupy=2)
    ask(execution, db, request=second)
    begin = execution.last_cursor()
    execution.withdraw_slot_request(first)
    assert called(execution, begin) == [second]
    assert ask(execution, db, request=second).lease_id
    ask(execution, db, request=third)
    begin = execution.last_cursor()
    execution.withdraw_slot_request(request)
    assert called(execution, begin) == [third]
    begin = execution.last_cursor()
    execution.release_held_slots([db], 2)
    assert called(execution, begin) == [third]


def test_who_waits_is_told_that_the_limit_is_another(
    execution: Execution, administration: Administration, db: str
) -> None:
    ask(execution, db, occupy=2)
    waiting = uuid7()
    ask(execution, db, request=waiting)
    for change in (
        lambda: administration.update_concurrency_limit(db, ConcurrencyLimitUpdate(limit=3)),
        lambda: administration.reset_concurrency_limit(db, []),
        lambda: administration.delete_concurrency_limit(db),
    ):
        begin = execution.last_cursor()
        change()
        assert called(execution, begin) == [waiting]


def test_only_a_rate_may_be_used_as_one(execution: Execution, administration: Administration, db: str) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="api", limit=1, slot_decay_per_second=1))
    assert ask(execution, "api", "free", mode="rate_limit").names == ["api"]
    with pytest.raises(InvalidRequest, match="Slots of db do not fade: set slot_decay_per_second"):
        ask(execution, "api", db, mode="rate_limit")


def test_which_names_are_limited(execution: Execution, administration: Administration, db: str) -> None:
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="off", limit=1, active=False))
    administration.create_concurrency_limit(ConcurrencyLimitCreate(name="a", limit=0))
    assert execution.find_limited(["x", db, "off", "a", db]) == ["a", db]
    assert execution.find_limited([]) == []


def test_a_release_and_a_request_at_once_leave_nobody_behind(implementation: Orchestrations) -> None:
    """Whoever was told to wait either is called, or finds the slot free when it asks again afterwards."""
    one, two = implementation.open().execution, implementation.open()
    two.administration.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=1))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(10):
            lease_id, request = ask(one, "db").lease_id, uuid7()
            assert lease_id
            begin = one.last_cursor()
            released = threads.submit(one.release_slots, lease_id)
            asked = threads.submit(ask, two.execution, "db", request=request)
            assert released.result() is True
            if asked.result().lease_id is None:
                assert called(one, begin) == [request]
            two.execution.withdraw_slot_request(request)
