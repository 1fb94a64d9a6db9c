"""Facts: what journals deliver, each stored once and in order, whatever was sent twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from headrace.base.errors import LostFacts
from headrace.orchestration import background
from headrace.orchestration.events import append_custom
from headrace.orchestration.records import change_artifacts, store_artifacts, store_logs, store_results
from headrace.orchestration.stories import Stories, store_stories
from headrace.orchestration.unit import Unit
from headrace.schema.fact import (
    ArtifactChangeFact,
    ArtifactFact,
    Batch,
    EventFact,
    Fact,
    LogFact,
    ResultFact,
    TaskNameFact,
    TaskRunFact,
    TaskStateFact,
)
from headrace.storage import compiled


def store_batch(unit: Unit, batch: Batch) -> int:
    """Store the facts of a batch that are not stored yet; return the journal's high-water mark.

    Raises `LostFacts` when facts are missing between the mark and the batch.
    """
    if _follows(unit, batch):
        store_facts(unit, batch.facts, _find_stale(unit, batch.attempts), batch.attempts)
        return batch.last
    mark = _lock_mark(unit, batch)
    if batch.first > mark + 1:
        raise LostFacts(
            f"Journal {batch.journal_id} is stored up to fact {mark}, so its facts {mark + 1} to {batch.first - 1} are "
            f"missing before fact {batch.first}."
        )
    if batch.last <= mark:
        return mark
    facts = batch.facts[mark + 1 - batch.first :]
    store_facts(unit, facts, _find_stale(unit, batch.attempts), batch.attempts)
    unit.execute(compiled.move_mark, journal_id=batch.journal_id, new_mark=batch.last, new_updated=unit.now)
    return batch.last


def store_facts(
    unit: Unit, facts: Sequence[Fact], stale: frozenset[UUID] = frozenset(), claimed: Collection[UUID] = ()
) -> None:
    """Store facts. Those of runs in `stale` come from an attempt that is over: history, which moves nothing.

    Of the task runs only those in `claimed` may be background runs.
    """
    stories = Stories(stale, claimed)
    logs: list[LogFact] = []
    artifacts: list[ArtifactFact] = []
    changes: list[ArtifactChangeFact] = []
    events: list[EventFact] = []
    results: list[ResultFact] = []
    for fact in facts:
        match fact:
            case TaskStateFact() | TaskRunFact() | TaskNameFact():
                stories.add(fact)
            case LogFact():
                logs.append(fact)
            case ArtifactFact():
                artifacts.append(fact)
            case ArtifactChangeFact():
                changes.append(fact)
            case EventFact():
                events.append(fact)
            case ResultFact():
                results.append(fact)
    store_stories(unit, stories)
    store_logs(unit, logs)
    store_artifacts(unit, artifacts)
    change_artifacts(unit, changes)
    append_custom(unit, events)
    store_results(unit, results)


def _follows(unit: Unit, batch: Batch) -> bool:
    """Take the batch in if it begins just after what is stored, as nearly every one does: one statement says both."""
    moved = batch.first > 1 and unit.execute(
        compiled.advance_mark,
        journal_id=batch.journal_id,
        mark=batch.first - 1,
        new_mark=batch.last,
        new_updated=unit.now,
    )
    return bool(moved)


def _lock_mark(unit: Unit, batch: Batch) -> int:
    """Up to which fact the journal is stored. Nobody else stores facts of it until this unit ends."""
    if batch.first == 1:
        unit.insert(compiled.insert_journals, [(batch.journal_id, 0, unit.now)])
    rows = unit.fetch(compiled.lock_mark, journal_id=batch.journal_id)
    return rows[0][0] if rows else 0


def _find_stale(unit: Unit, attempts: dict[UUID, int]) -> frozenset[UUID]:
    """The flow runs and background runs that are executed under another epoch than the batch's writer thinks."""
    if not attempts:
        return frozenset()
    epochs = dict(unit.fetch(compiled.find_epochs, ids=list(attempts)))
    others = {run_id: epoch for run_id, epoch in attempts.items() if run_id not in epochs}
    stale = {run_id for run_id, epoch in epochs.items() if attempts[run_id] != epoch}
    return background.find_stale(unit, others) | stale
