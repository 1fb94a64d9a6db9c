"""Slots that a process holds: renewed in time, given back at once, and said to be lost when they are."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from headrace.base import errors
from headrace.base.ids import uuid7
from headrace.engine import slots
from headrace.engine.slots import Lease, SlotKeeper


class Gateway:
    """Answers renewals as it is told, and says what was asked."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.renewals: list[UUID] = []
        self.released: list[UUID] = []
        self.answers: dict[UUID, list[bool | Exception]] = {}
        self.closed = False

    def renew_slots(self, lease_id: UUID, duration: float) -> bool:
        with self.changed:
            self.renewals.append(lease_id)
            self.changed.notify_all()
        told = self.answers.get(lease_id)
        answer = (told.pop(0) if len(told) > 1 else told[0]) if told else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    def release_slots(self, lease_id: UUID) -> bool:
        if self.closed:
            raise errors.Unavailable("away")
        self.released.append(lease_id)
        return True

    def wait(self, lease: Lease, times: int) -> None:
        """Until a lease was renewed so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.renewals.count(lease.id) >= times, 30)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def keeper(gateway: Gateway) -> Iterator[SlotKeeper]:
    made = SlotKeeper(gateway)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yield made
    made.close()


def lease(duration: float = 0.01) -> Lease:
    return Lease(uuid7(), ["db"], duration)


def lose(keeper: SlotKeeper, held: Lease) -> None:
    """Hold a lease until it is lost."""
    lost = threading.Event()
    held.on_loss = lost.set
    keeper.hold(held)
    assert lost.wait(30)


def slot_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "headrace-slots"]


def test_leases_are_renewed_while_they_are_held(keeper: SlotKeeper, gateway: Gateway) -> None:
    slow, first, second = lease(3600), lease(), lease()
    for held in (slow, first, second):
        keeper.hold(held)
    gateway.wait(first, 3)
    gateway.wait(second, 3)
    keeper.release(first)
    assert gateway.released == [first.id]
    assert not first.lost
    assert slow.id not in gateway.renewals


def test_the_thread_wakes_for_a_lease_that_is_due_earlier(keeper: SlotKeeper, gateway: Gateway) -> None:
    early = lease()
    keeper.hold(early)
    gateway.wait(early, 1)
    keeper.drop(early)
    again = lease()
    keeper.hold(again)
    gateway.wait(again, 2)
    keeper.hold(lease(3600))
    (thread,) = slot_threads()
    keeper.close()
    thread.join(30)
    assert not thread.is_alive()


def test_a_lease_that_ran_out_is_lost(keeper: SlotKeeper, gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    held = lease()
    gateway.answers[held.id] = [True, False]
    with caplog.at_level(logging.ERROR, "headrace.concurrency"):
        lose(keeper, held)
    assert held.lost
    assert "The lease on slots of db ran out while they were used" in caplog.text
    keeper.release(held)
    assert gateway.released == []


def test_a_renewal_is_tried_again_until_the_lease_has_run_out(
    keeper: SlotKeeper, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "AGAIN", 0.001)
    held = lease(0.05)
    away: Any = errors.Unavailable("away")
    gateway.answers[held.id] = [away, True, away]
    lose(keeper, held)
    assert len(gateway.renewals) > 3


def test_nobody_has_to_be_told_of_a_loss(keeper: SlotKeeper, gateway: Gateway) -> None:
    silent, told = lease(), lease()
    gateway.answers[silent.id] = gateway.answers[told.id] = [False]
    keeper.hold(silent)
    lose(keeper, told)


def test_a_lease_given_back_while_it_is_renewed_is_not_lost(keeper: SlotKeeper, gateway: Gateway) -> None:
    held, answered = lease(), threading.Event()

    def renew(lease_id: UUID, duration: float) -> bool:
        keeper.release(held)
        answered.set()
        return False

    gateway.renew_slots = renew  # type: ignore[method-assign]
    keeper.hold(held)
    assert answered.wait(30)
    after = lease()
    gateway.renew_slots = lambda lease_id, duration: False  # type: ignore[method-assign]
    lose(keeper, after)
    assert not held.lost


def test_what_cannot_be_given_back_is_said(
    keeper: SlotKeeper, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.closed = True
    keeper.release(lease(60))
    assert "Slots of db could not be given back and come free within 60 s: away" in caplog.text


def test_closing_gives_everything_back(keeper: SlotKeeper, gateway: Gateway) -> None:
    held = lease(3600)
    keeper.hold(held)
    keeper.close()
    assert gateway.released == [held.id]
    for thread in slot_threads():
        thread.join(30)
    assert slot_threads() == []


def test_a_closed_keeper_renews_nothing(keeper: SlotKeeper) -> None:
    keeper.close()
    keeper.hold(lease())
    assert slot_threads() == []


def test_a_forked_child_gives_nothing_back(keeper: SlotKeeper, gateway: Gateway) -> None:
    held = lease(3600)
    held.pid += 1
    keeper.release(held)
    assert gateway.released == []


def test_names_without_a_limit_are_remembered_for_a_while(keeper: SlotKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.note_limited(["tag:a", "tag:b"], ["tag:b"])
    assert keeper.may_be_limited(["tag:a", "tag:b", "tag:c"]) == ["tag:b", "tag:c"]
    monkeypatch.setattr(slots, "MEMORY", 0.0)
    keeper.note_limited(["tag:a"], [])
    assert keeper.may_be_limited(["tag:a"]) == ["tag:a"]
