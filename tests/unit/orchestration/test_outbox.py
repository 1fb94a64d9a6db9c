"""What is to be sent is sent, at least once, and under one key."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import structs

from headrace.base.clock import FrozenClock, to_datetime
from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.desk import Desk
from headrace.orchestration.outbox import enqueue, find_dispatch
from headrace.schema.outbox import LONGEST_KEY, Dispatch, Message
from headrace.schema.workspace import Scope
from headrace.storage.database import Database

BLOCK = UUID(int=7)


@pytest.fixture
def desk(database: Database, clock: FrozenClock) -> Desk:
    return Desk(database, clock=clock)


def look(desk: Desk, key: str) -> Dispatch:
    found = desk.read(lambda unit: find_dispatch(unit, key))
    assert found is not None
    return found


def test_a_message_waits_once_for_each_key(desk: Desk, clock: FrozenClock) -> None:
    message = Message(
        key="firing/0", kind="block", block_document_id=BLOCK, to=("a@x", "ü@x"), subject="s\0", body="b", payload=[1],
        firing=uuid7(),
    )  # fmt: skip
    assert desk.write(lambda unit: enqueue(unit, message))
    assert not desk.write(lambda unit: enqueue(unit, Message(key="firing/0", kind="email", body="other")))
    found = look(desk, "firing/0")
    assert found.message == structs.replace(message, subject="s\ufffd")
    assert (found.state, found.attempts, found.reason) == ("waiting", 0, None)
    assert found.due == found.created == to_datetime(clock.micros())
    assert desk.read(lambda unit: find_dispatch(unit, "other")) is None


def test_keys_belong_to_a_workspace(desk: Desk, database: Database, clock: FrozenClock) -> None:
    other = Desk(database, Scope(workspace_id=uuid7()), clock)
    message = Message(key="k", kind="email")
    assert [each.write(lambda unit: enqueue(unit, message)) for each in (desk, other)] == [True, True]


@pytest.mark.parametrize("key", ["", "x" * (LONGEST_KEY + 1)])
def test_a_key_has_a_length(desk: Desk, key: str) -> None:
    with pytest.raises(InvalidRequest, match="The key of a message has 1 to 512 characters"):
        desk.write(lambda unit: enqueue(unit, Message(key=key, kind="email")))
