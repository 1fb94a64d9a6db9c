"""The outbox's loop: sends what waits there, outside of any transaction."""

from __future__ import annotations

import random
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from headrace.base.clock import SYSTEM, Clock, to_datetime
from headrace.base.errors import HeadraceError
from headrace.base.ids import uuid7
from headrace.orchestration.blocks import Gallery
from headrace.orchestration.desk import Desk
from headrace.orchestration.events import append_custom
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.unit import Unit
from headrace.outbound.courier import Courier, OpenBlock
from headrace.outbound.egress import Undelivered
from headrace.outbound.vault import Vault
from headrace.rules.deliveries import MOST_ATTEMPTS, next_try
from headrace.schema.outbox import Message
from headrace.schema.report import EventReport
from headrace.schema.wire import simplify
from headrace.schema.wire_event import ID, NAME, ROLE, WireEvent
from headrace.storage import blocks, outbox
from headrace.storage.block_rows import BlockDocumentRow
from headrace.storage.database import Database
from headrace.storage.outbox import MessageRow, to_message
from headrace.storage.texts import storable

INTERVAL = 2.0
"""Seconds from one look to the next: how long a message may wait."""
BATCH = 8
"""How many messages are sent at the same time."""
LEASE = 300_000_000
"""How long whoever has claimed a message has it to themselves, in microseconds: longer than sending takes."""
SECONDS = 20.0
"""How long a request, or handing over a mail, may take."""

SENT_KEPT, FAILED_KEPT = 7 * 86400 * 1_000_000, 30 * 86400 * 1_000_000
"""How long messages are kept that were sent, and that were not, in microseconds."""
TIDY = 600.0
"""Seconds between two looks for messages that were kept long enough."""
TIDY_BATCH = 500
"""How many of those are deleted in one transaction."""

FAILED = "headrace.notification.failed"
"""The event that tells of a message that could not be sent."""


class Outbox(Loop):
    """Sends messages, several at once, each claimed before: servers that share a database share the work.

    What cannot be delivered is tried again later, ever more rarely, and at last given up, which an event tells. Who dies while
    sending leaves the message to the next after the claim has run out, so that it may arrive twice, under the same key.
    """

    name = "outbox"

    def __init__(
        self, database: Database, vault: Vault, courier: Courier, clock: Clock = SYSTEM, interval: float = INTERVAL
    ) -> None:
        super().__init__(database, clock, interval)
        self._vault = vault
        self._courier = courier
        self._tidied: float | None = None

    def run_once(self) -> int:
        """Look once; how many messages were sent."""
        sent = sum(self._send_due(desk) for desk in self._desks())
        if self._tidied is None or self._clock.monotonic() - self._tidied >= TIDY:
            self._tidied = self._clock.monotonic()
            for desk in self._desks():
                self._tidy(desk, True, SENT_KEPT)
                self._tidy(desk, False, FAILED_KEPT)
        return sent

    def _send_due(self, desk: Desk) -> int:
        """Send what is due in a workspace, a batch after the other."""
        sent = 0
        while not self._stopping.is_set():
            seen = desk.read(lambda unit: outbox.find_due(unit.connection, unit.workspace_id, unit.now, BATCH))
            claimed = desk.write(partial(_claim, seen=seen)) if seen else []
            if claimed:
                with ThreadPoolExecutor(len(claimed), thread_name_prefix="headrace-outbox") as threads:
                    sent += sum(threads.map(partial(self._send, desk), claimed))
            if len(seen) < BATCH:
                break
        return sent

    def _send(self, desk: Desk, row: MessageRow) -> bool:
        """Send a message and note what came of it; whether it was taken."""
        problem = self._deliver(desk, row)
        if problem is None:
            return desk.write(partial(_note_success, row=row))
        if desk.write(partial(_note_failure, row=row, error=problem)):
            reason = " ".join(str(problem).split())
            self._log.warning("The message %r (%s) is given up, it was not sent: %s", row.key, row.kind, reason)
        return False

    def _deliver(self, desk: Desk, row: MessageRow) -> Undelivered | None:
        """Hand a message over; why it was not taken, if it was not."""
        if row.attempts > MOST_ATTEMPTS:
            return Undelivered("Whoever sent it last has not said what came of it.", lasting=True)
        message, block = to_message(row), None
        try:
            if message.block_document_id is not None:
                block = desk.read(partial(self._open_block, block_id=message.block_document_id))
            self._courier.deliver(message, block)
        except Undelivered as error:
            return error
        except HeadraceError as error:
            return Undelivered(str(error))
        except Exception as error:  # noqa: BLE001 - one message may not keep the others from being sent
            # Where it happened, and not its text, in which there may be a secret.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("Message %s cannot be sent, %s:\n%s", row.id, type(error).__name__, where)
            return Undelivered(f"Something unforeseen happened ({type(error).__name__}).")
        return None

    def _open_block(self, unit: Unit, block_id: UUID) -> OpenBlock | None:
        """A block with its secrets, and other blocks in their places."""
        row = blocks.fetch(unit.connection, unit.workspace_id, BlockDocumentRow, [block_id]).get(block_id)
        if row is None:
            return None
        shown = Gallery(unit, [row], self._vault).show(row)
        assert shown.block_type is not None
        return OpenBlock(shown.block_type.slug, shown.data)

    def _tidy(self, desk: Desk, sent: bool, kept: int) -> None:
        """Delete messages that were kept long enough."""
        while not self._stopping.is_set():
            ids = desk.read(
                lambda unit: outbox.find_ended(unit.connection, unit.workspace_id, sent, unit.now - kept, TIDY_BATCH)
            )
            if ids:
                desk.write(partial(_forget, ids=ids))
            if len(ids) < TIDY_BATCH:
                return

    def _report(self, done: int) -> None:
        self._log.info("%d messages were sent.", done)


def _claim(unit: Unit, seen: list[MessageRow]) -> list[MessageRow]:
    """Claim messages: those that nobody else was faster with."""
    claimed: list[MessageRow] = []
    for row in seen:
        mine = row._replace(claim=uuid7(), due=unit.now + LEASE, attempts=row.attempts + 1)
        changed = {"claim": mine.claim, "due": mine.due, "attempts": mine.attempts, "updated": unit.now}
        if outbox.claim(unit.connection, unit.workspace_id, row, changed):
            claimed.append(mine)
    return claimed


def _forget(unit: Unit, ids: list[UUID]) -> None:
    outbox.delete_messages(unit.connection, unit.workspace_id, ids)


def _note_success(unit: Unit, row: MessageRow) -> bool:
    changed = {"sent": True, "ended": unit.now, "due": None, "claim": None, "reason": None, "updated": unit.now}
    outbox.settle(unit.connection, unit.workspace_id, row, changed)
    return True


def _note_failure(unit: Unit, row: MessageRow, error: Undelivered) -> bool:
    """Put a message off, or give it up and say so; whether it is given up."""
    chance = random.random()  # noqa: S311 - it spreads, and need not be unforeseeable
    due = None if error.lasting else next_try(row.attempts, unit.now, chance, error.retry_after)
    ended = unit.now if due is None else None
    changed = {"due": due, "ended": ended, "claim": None, "reason": storable(str(error)), "updated": unit.now}
    given_up = outbox.settle(unit.connection, unit.workspace_id, row, changed) and due is None
    if given_up:
        _tell(unit, to_message(row), row, str(error))
    return given_up


def _tell(unit: Unit, message: Message, row: MessageRow, reason: str) -> None:
    """Append to the log that a message could not be sent."""
    block = message.block_document_id
    event = WireEvent(
        id=uuid7(),
        occurred=to_datetime(unit.now),
        received=to_datetime(unit.now),
        event=FAILED,
        resource={ID: f"headrace.notification.{row.id}", NAME: message.subject or message.key},
        related=[] if block is None else [{ID: f"prefect.block-document.{block}", ROLE: "block"}],
        payload={
            "kind": message.kind,
            "key": message.key,
            "firing": None if message.firing is None else str(message.firing),
            "attempts": row.attempts,
            "reason": reason,
        },
    )
    append_custom(unit, [EventReport(event.id, unit.now, simplify(event))])
