"""Ledgers that processes have left: what they had noted and not delivered when they died."""

from __future__ import annotations

from uuid import uuid5

import msgspec

from headrace.base.errors import LostFacts
from headrace.orchestration.desk import Desk
from headrace.orchestration.facts import store_batch
from headrace.schema.fact import Batch
from headrace.schema.ledger import read_entries


def store_ledgers(desk: Desk) -> None:
    """Store what dead processes have noted for this workspace, each fact once, whoever else does so at the same time."""
    for path in desk.database.left_ledgers():
        if f"-{desk.scope.workspace_id.hex}-" not in path.name:
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # somebody else was faster
            continue
        for batch in read_entries(content):
            _store(desk, batch)
        path.unlink(missing_ok=True)


def _store(desk: Desk, batch: Batch) -> None:
    try:
        desk.write(lambda unit: store_batch(unit, batch))
    except LostFacts:  # the database was put back to an earlier moment; the facts get a journal of their own
        anew = msgspec.structs.replace(batch, journal_id=uuid5(batch.journal_id, str(batch.first)), first=1)
        desk.write(lambda unit: store_batch(unit, anew))
