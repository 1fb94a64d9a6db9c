"""Where a firing stands in the chain of those that led to it. Whoever asks holds the workspace's cursor."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from headrace.orchestration.unit import Unit
from headrace.rules.chains import Cause, Cut, find_cut
from headrace.schema.wire import decode_json, encode_json
from headrace.storage import firings


class Link(NamedTuple):
    """A firing's place in its chain, which begins with it where `chain` is None.

    `lineage` are the automations that led to it, as JSON; it is `recurring` if its own is one of them. It does not come to
    be if there is a `cut`.
    """

    depth: int
    chain: UUID | None
    lineage: str
    recurring: bool
    cut: Cut | None


def find_link(unit: Unit, automation_id: UUID, cause: Cause) -> Link:
    """The place of a firing of an automation that something led to."""
    depth = cause.depth + 1
    before = None if cause.firing is None else firings.find_firing(unit.connection, unit.workspace_id, cause.firing)
    if before is None:  # the first, or what led to it is forgotten
        return Link(depth, None, "[]", recurring=False, cut=find_cut(depth, 0, 0))
    lineage = sorted({*decode_json(before.lineage), str(before.automation_id)})
    recurring = str(automation_id) in lineage
    count = firings.count_chain(unit.connection, unit.workspace_id, before.chain, automation_id)
    cut = find_cut(depth, count.recurring if recurring else 0, count.firings)
    return Link(depth, before.chain, encode_json(lineage), recurring, cut)
