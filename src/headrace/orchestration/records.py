"""What runs leave behind: log lines, artifacts, records of results."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import structs

from headrace.base.ids import uuid7
from headrace.orchestration.unit import Unit
from headrace.schema.fact import ArtifactChangeFact, ArtifactFact, LogFact, ResultFact
from headrace.storage import compiled
from headrace.storage.rows import ArtifactRow
from headrace.storage.texts import cut, storable, storable_json

LOG_LIMIT = 2**20
"""The most bytes of one log line that are kept."""


def store_logs(unit: Unit, logs: Sequence[LogFact]) -> None:
    """Keep log lines; an oversize one is cut, and says so."""
    if not logs:
        return
    unit.insert(
        compiled.insert_logs,
        [
            (
                log.id,
                log.flow_run_id,
                log.task_run_id,
                storable(log.name),
                log.level,
                cut(storable(log.message), LOG_LIMIT),
                log.timestamp,
            )
            for log in logs
        ],
    )


def store_artifacts(unit: Unit, artifacts: Sequence[ArtifactFact]) -> None:
    """Keep artifacts that runs left."""
    keep_artifacts(
        unit,
        [
            ArtifactRow(
                artifact.id,
                artifact.key and storable(artifact.key),
                storable(artifact.type),
                artifact.description and storable(artifact.description),
                None if artifact.data is None else storable_json(artifact.data),
                None,
                artifact.flow_run_id,
                artifact.task_run_id,
                artifact.created,
                unit.now,
            )
            for artifact in artifacts
        ],
    )


def change_artifacts(unit: Unit, changes: Sequence[ArtifactChangeFact]) -> None:
    """Give artifacts the data they were given last. One that is gone stays gone."""
    latest: dict[UUID, ArtifactChangeFact] = {}
    for change in changes:
        before = latest.get(change.id)
        description = change.description if before is None or change.description else before.description
        latest[change.id] = structs.replace(change, description=description)
    for change in latest.values():
        unit.execute(
            compiled.change_artifact,
            id=change.id,
            new_data=storable_json(change.data),
            new_description=change.description and storable(change.description),
            new_updated=unit.now,
        )


def keep_artifacts(unit: Unit, rows: Sequence[ArtifactRow]) -> None:
    """Keep artifacts; the newest of each key is its latest."""
    if not rows:
        return
    unit.insert(compiled.insert_artifacts, rows)
    latest = {row.key: row for row in sorted(rows, key=lambda row: (row.created, row.id)) if row.key is not None}
    if latest:
        unit.insert(
            compiled.advance_artifact_collections,
            [(uuid7(), key, row.id, row.created, row.created) for key, row in latest.items()],
        )


def store_results(unit: Unit, results: Sequence[ResultFact]) -> None:
    """Keep records of where values are."""
    if not results:
        return
    unit.insert(
        compiled.insert_results,
        [
            (
                result.id,
                storable(result.storage_key),
                storable(result.location),
                storable(result.serializer),
                result.size,
                result.expiration,
                result.flow_run_id,
                result.task_run_id,
                result.created,
                unit.now,
            )
            for result in results
        ],
    )
