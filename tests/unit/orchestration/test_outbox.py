"""What is to be sent is sent, at least once, and under one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from headrace.base.clock import FrozenClock, to_datetime
from headrace.base.errors import InvalidRequest
from headrace.base.ids import uuid7
from headrace.orchestration.administration import OrchestratedAdministration
from headrace.orchestration.desk import Desk
from headrace.orchestration.events import read_events
from headrace.orchestration.loops import outbox as module
from headrace.orchestration.loops.outbox import FAILED_KEPT, LEASE, SENT_KEPT, TIDY, Outbox
from headrace.orchestration.outbox import enqueue, find_dispatch
from headrace.outbound.courier import Courier, OpenBlock, PostOffice
from headrace.outbound.egress import Egress, Undelivered
from headrace.outbound.mail import MailServer
from headrace.outbound.vault import Vault
from headrace.rules.deliveries import MOST_ATTEMPTS
from headrace.schema.block import BlockDocumentCreate
from headrace.schema.event import Cursor
from headrace.schema.outbox import LONGEST_KEY, Dispatch, Message
from headrace.schema.workspace import Scope
from headrace.storage.database import Database
from headrace.storage.databases import open_database
from tests.unit.outbound.mail_server import serve_mail
from tests.unit.outbound.receivers import WebReceiver, receive_web

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


# sending


class Recorder(Courier, frozen=True, kw_only=True):
    """Notes what it is given, and raises what it was told to."""

    taken: list[Message]
    problems: list[Exception]
    meanwhile: list[Callable[[], object]]

    def deliver(self, message: Message, block: OpenBlock | None) -> None:
        for each in self.meanwhile:
            each()
        self.taken.append(message)
        if self.problems:
            raise self.problems[0]


@pytest.fixture
def courier() -> Recorder:
    return Recorder(taken=[], problems=[], meanwhile=[])


@pytest.fixture
def vault(home: Path) -> Vault:
    return Vault(home / "secrets.key")


@pytest.fixture
def loop(database: Database, vault: Vault, courier: Recorder, clock: FrozenClock) -> Outbox:
    return Outbox(database, vault, courier, clock)


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with receive_web() as receiver:
        yield receiver


def put(desk: Desk, *keys: str, **more: Any) -> None:
    told: dict[str, Any] = {"kind": "email", **more}
    for key in keys:
        desk.write(lambda unit: enqueue(unit, Message(key=key, **told)))  # noqa: B023 - performed at once


def failures(desk: Desk) -> list[dict[str, Any]]:
    page = desk.read(lambda unit: read_events(unit, Cursor(), 100, ("custom",)))
    return [event.body or {} for event in page.events]


def test_what_is_due_is_sent_once(desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock) -> None:
    keys = [f"k{number}" for number in range(module.BATCH * 2 + 1)]
    put(desk, *keys)
    clock.advance(1)
    assert loop.run_once() == len(keys)
    assert sorted(each.key for each in courier.taken) == sorted(keys)
    found = look(desk, "k0")
    assert (found.state, found.attempts, found.due, found.reason) == ("sent", 1, None, None)
    assert found.updated == to_datetime(clock.micros())
    put(desk, "k0")
    assert loop.run_once() == 0
    assert failures(desk) == []


def test_what_was_not_taken_is_tried_again_and_at_last_given_up(
    desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock
) -> None:
    firing = uuid7()
    put(desk, "k", kind="block", block_document_id=BLOCK, subject="Daily", firing=firing)
    courier.problems.append(Undelivered("host answers 500."))
    for attempt in range(1, MOST_ATTEMPTS):
        assert loop.run_once() == 0
        found = look(desk, "k")
        assert (found.state, found.attempts, found.reason) == ("waiting", attempt, "host answers 500.")
        assert found.due is not None
        assert loop.run_once() == 0  # it is not due yet
        clock.advance((found.due - to_datetime(clock.micros())).total_seconds() + 0.001)  # beyond what a float holds
    assert failures(desk) == []
    loop.run_once()
    assert len(courier.taken) == MOST_ATTEMPTS
    found = look(desk, "k")
    assert (found.state, found.attempts, found.due, found.reason) == (
        "failed",
        MOST_ATTEMPTS,
        None,
        "host answers 500.",
    )
    (event,) = failures(desk)
    assert event["event"] == "headrace.notification.failed"
    assert event["resource"] == {
        "prefect.resource.id": f"headrace.notification.{found.id}",
        "prefect.resource.name": "Daily",
    }
    assert event["related"] == [
        {"prefect.resource.id": f"prefect.block-document.{BLOCK}", "prefect.resource.role": "block"}
    ]
    assert event["payload"] == {
        "kind": "block", "key": "k", "firing": str(firing), "attempts": MOST_ATTEMPTS, "reason": "host answers 500.",
    }  # fmt: skip
    clock.advance(86400)
    assert loop.run_once() == 0
    assert len(courier.taken) == MOST_ATTEMPTS


def test_what_can_never_be_sent_is_given_up_at_once(
    desk: Desk, loop: Outbox, courier: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    put(desk, "k")
    courier.problems.append(Undelivered("host answers\n404.", lasting=True))
    assert loop.run_once() == 0
    assert look(desk, "k").state == "failed"
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert line == "The message 'k' (email) is given up, it was not sent: host answers 404."
    (event,) = failures(desk)
    assert (event["resource"]["prefect.resource.name"], event["related"]) == ("k", [])


def test_the_other_side_is_left_alone_for_as_long_as_it_asks(
    desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    put(desk, "k")
    courier.problems.append(Undelivered("host answers 429.", retry_after=600.0))
    loop.run_once()
    assert look(desk, "k").due == to_datetime(clock.micros() + 600_000_000)
    assert "given up" not in caplog.text


def test_one_that_fails_unforeseen_does_not_keep_the_others(
    desk: Desk, loop: Outbox, courier: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    put(desk, "a", "b")
    courier.problems.append(ValueError("s3cret"))
    assert loop.run_once() == 0
    assert {look(desk, key).reason for key in "ab"} == {"Something unforeseen happened (ValueError)."}
    assert len(courier.taken) == 2
    assert "cannot be sent, ValueError" in caplog.text
    assert "s3cret" not in caplog.text


def test_who_is_faster_sends(
    desk: Desk, loop: Outbox, courier: Recorder, database_url: str, vault: Vault, clock: Any
) -> None:
    """Another server that sees the same message while it is being sent leaves it alone."""
    with open_database(database_url) as other_database:
        other = Outbox(other_database, vault, Recorder(taken=courier.taken, problems=[], meanwhile=[]), clock)
        seen: list[int] = []
        courier.meanwhile.append(lambda: seen.append(other.run_once()))
        put(desk, "k")
        assert loop.run_once() == 1
        assert (seen, len(courier.taken)) == ([0], 1)


def test_two_servers_share_what_is_due(
    desk: Desk, database_url: str, vault: Vault, clock: FrozenClock, courier: Recorder, loop: Outbox
) -> None:
    """Both have seen the same messages before either claims one."""
    put(desk, *(f"k{number}" for number in range(module.BATCH)))
    with open_database(database_url) as other_database:
        rows = desk.read(lambda unit: module.outbox.find_due(unit.connection, unit.workspace_id, unit.now, 100))
        other = Desk(other_database, clock=clock)
        claimed = [each.write(lambda unit: module._claim(unit, rows)) for each in (desk, other)]  # pyright: ignore[reportPrivateUsage]
        assert [len(each) for each in claimed] == [module.BATCH, 0]


def test_whoever_dies_while_sending_leaves_it_to_the_next(
    desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock
) -> None:
    put(desk, "k")
    rows = desk.read(lambda unit: module.outbox.find_due(unit.connection, unit.workspace_id, unit.now, 1))
    (mine,) = desk.write(lambda unit: module._claim(unit, rows))  # pyright: ignore[reportPrivateUsage]
    assert loop.run_once() == 0
    clock.advance(LEASE / 1_000_000)
    assert loop.run_once() == 1
    # The one that was taken for dead comes back: what it has to say is no longer asked for.
    late = Undelivered("late", lasting=True)
    desk.write(lambda unit: module._note_failure(unit, mine, late))  # pyright: ignore[reportPrivateUsage]
    assert look(desk, "k").state == "sent"
    assert failures(desk) == []


def test_what_kills_whoever_sends_it_is_given_up(
    desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock
) -> None:
    put(desk, "k")
    for _ in range(MOST_ATTEMPTS):
        rows = desk.read(lambda unit: module.outbox.find_due(unit.connection, unit.workspace_id, unit.now, 1))
        assert len(desk.write(lambda unit: module._claim(unit, rows))) == 1  # noqa: B023  # pyright: ignore[reportPrivateUsage]
        clock.advance(LEASE / 1_000_000)
    assert loop.run_once() == 0
    assert courier.taken == []
    assert look(desk, "k").reason == "Whoever sent it last has not said what came of it."
    assert len(failures(desk)) == 1


def test_messages_are_kept_for_a_while(desk: Desk, loop: Outbox, courier: Recorder, clock: FrozenClock) -> None:
    put(desk, "sent")
    loop.run_once()
    courier.problems.append(Undelivered("no", lasting=True))
    put(desk, "failed")
    loop.run_once()

    def kept() -> list[str]:
        clock.advance(TIDY)
        loop.run_once()
        return [key for key in ("sent", "failed") if desk.read(lambda unit: find_dispatch(unit, key))]  # noqa: B023

    clock.advance(SENT_KEPT / 1_000_000 - 3 * TIDY)
    assert kept() == ["sent", "failed"]
    clock.advance(3 * TIDY)
    assert kept() == ["failed"]
    clock.advance((FAILED_KEPT - SENT_KEPT) / 1_000_000)
    assert kept() == []


def test_messages_are_deleted_in_small_batches(
    desk: Desk, loop: Outbox, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_BATCH", 2)
    put(desk, *"abcde")
    loop.run_once()
    clock.advance(SENT_KEPT / 1_000_000 + TIDY)
    loop.run_once()
    assert [desk.read(lambda unit: find_dispatch(unit, key)) for key in "abcde"] == [None] * 5  # noqa: B023


def test_a_block_is_opened_for_sending_alone(
    desk: Desk, database: Database, vault: Vault, clock: FrozenClock, web: WebReceiver
) -> None:
    administration = OrchestratedAdministration(database, clock=clock, vault=vault)
    administration.install_block_types()
    schema = administration.read_block_type_by_slug("slack-webhook")
    found = administration.list_block_schemas()
    (own,) = [each for each in found if each.block_type_id == schema.id]
    kept = administration.create_block_document(
        BlockDocumentCreate(
            name="team", data={"url": f"{web.url}/s3cret"}, block_schema_id=own.id, block_type_id=schema.id
        )
    )
    loop = Outbox(database, vault, Courier(egress=Egress(networks=("127.0.0.0/8",))), clock)
    put(desk, "k", kind="block", block_document_id=kept.id, subject="Daily", body="It is done.")
    assert loop.run_once() == 1
    (received,) = web.received
    assert (received.path, received.json["text"]) == ("/s3cret", "*Daily*\nIt is done.")
    assert received.headers["idempotency-key"] == "k"
    for status, headers, state in ((500, {}, "waiting"), (307, {"Location": "http://169.254.169.254/"}, "failed")):
        web.status, web.headers = status, headers
        put(desk, f"k{status}", kind="block", block_document_id=kept.id, body="b")
        loop.run_once()
        found = look(desk, f"k{status}")
        assert (found.state, found.reason) == (state, f"127.0.0.1 answers {status}: ok.")
    assert len(web.received) == 3
    put(desk, "gone", kind="block", block_document_id=uuid7(), body="b")
    loop.run_once()
    assert look(desk, "gone").reason == "The block that it was to be sent by is not there."
    put(desk, "inward", kind="block", block_document_id=kept.id, body="b")
    Outbox(database, vault, Courier(), clock).run_once()
    assert "is at a private address" in (look(desk, "inward").reason or "")
    Path(vault.where).unlink()
    put(desk, "sealed", kind="block", block_document_id=kept.id, body="b")
    loop.run_once()
    assert "A secret was sealed with key" in (look(desk, "sealed").reason or "")


def test_a_mail_arrives_while_the_loop_runs(desk: Desk, database: Database, vault: Vault) -> None:
    with serve_mail() as stand:
        server = MailServer(host="127.0.0.1", port=stand.port, security="none")
        courier = Courier(post_office=PostOffice(server=server, sender="headrace@example.com"))
        loop = Outbox(database, vault, courier, interval=0.05)
        loop.start()
        put(desk, "k", to=("ann@example.com",), subject="It succeeded", body="Flow daily is done.")
        (mail,) = stand.wait(1)
        loop.stop()
    assert (mail["To"], mail["Subject"]) == ("ann@example.com", "It succeeded")
    assert look(desk, "k").state == "sent"


def test_a_loop_that_is_stopped_ends_what_it_has_begun_and_no_more(desk: Desk, loop: Outbox, courier: Recorder) -> None:
    put(desk, *(f"k{number}" for number in range(module.BATCH * 2)))
    begun, go_on = Event(), Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(60)

    courier.meanwhile.append(wait)
    loop.start()
    assert begun.wait(60)
    loop._stopping.set()  # pyright: ignore[reportPrivateUsage]
    go_on.set()
    loop.stop()
    assert len(courier.taken) == module.BATCH
