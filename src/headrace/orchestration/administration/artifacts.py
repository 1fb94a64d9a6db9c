"""Artifacts: kept for clients that have no journal, looked at, changed, deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import select

from headrace.base.clock import to_datetime
from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.records import keep_artifacts
from headrace.orchestration.unit import Unit
from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactCreate, ArtifactSort, ArtifactUpdate
from headrace.schema.filters import ArtifactCollectionFilter, ArtifactFilter, RunSelection
from headrace.schema.run import Page
from headrace.storage import artifacts as queries
from headrace.storage import tables
from headrace.storage.rows import ArtifactRow, to_artifact
from headrace.storage.texts import storable, storable_json


class ArtifactVerbs(Office):
    """The verbs on artifacts."""

    def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        artifact_id = artifact.id or uuid7()

        def create(unit: Unit) -> ArtifactRow | None:
            known = queries.find_artifact(unit.connection, unit.workspace_id, artifact_id) if artifact.id else None
            if known is not None:
                return known  # the same request again, or another one, which changes nothing
            keep_artifacts(unit, [_to_row(artifact, artifact_id, unit.now)])
            return queries.find_artifact(unit.connection, unit.workspace_id, artifact_id)

        return _found(self._desk.write(create), f"with id {artifact_id}")

    def read_artifact(self, artifact_id: UUID) -> Artifact:
        row = self._desk.read(lambda unit: queries.find_artifact(unit.connection, unit.workspace_id, artifact_id))
        return _found(row, f"with id {artifact_id}")

    def read_latest_artifact(self, key: str) -> Artifact:
        row = self._desk.read(lambda unit: queries.find_latest(unit.connection, unit.workspace_id, key))
        return _found(row, f"with key {key!r}")

    def list_artifacts(
        self,
        artifacts: ArtifactFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[Artifact]:
        wanted = checked(page)
        rows = self._desk.read(
            lambda unit: queries.list_artifacts(unit.connection, unit.workspace_id, artifacts, selection, sort, wanted)
        )
        return [to_artifact(row) for row in rows]

    def count_artifacts(self, artifacts: ArtifactFilter | None = None, selection: RunSelection | None = None) -> int:
        return self._desk.read(
            lambda unit: queries.count_artifacts(unit.connection, unit.workspace_id, artifacts, selection)
        )

    def list_latest_artifacts(
        self,
        artifacts: ArtifactCollectionFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[ArtifactCollection]:
        wanted = checked(page)
        rows = self._desk.read(
            lambda unit: queries.list_latest(unit.connection, unit.workspace_id, artifacts, selection, sort, wanted)
        )
        return [_to_collection(row) for row in rows]

    def count_latest_artifacts(
        self, artifacts: ArtifactCollectionFilter | None = None, selection: RunSelection | None = None
    ) -> int:
        return self._desk.read(
            lambda unit: queries.count_latest(unit.connection, unit.workspace_id, artifacts, selection)
        )

    def update_artifact(self, artifact_id: UUID, update: ArtifactUpdate) -> None:
        changed: dict[str, Any] = {}
        if update.data is not UNSET:
            changed["data"] = None if update.data is None else storable_json(update.data)
        if update.description is not UNSET:
            changed["description"] = update.description and storable(update.description)
        if update.metadata_ is not UNSET:
            changed["metadata_"] = None if update.metadata_ is None else storable_json(update.metadata_)

        def change(unit: Unit) -> int:
            told = {**changed, "updated": unit.now}
            return queries.change_artifact(unit.connection, unit.workspace_id, artifact_id, told)

        if not self._desk.write(change):
            raise ObjectNotFound(f"There is no artifact with id {artifact_id}.")

    def delete_artifact(self, artifact_id: UUID) -> None:
        artifact = tables.artifacts.c

        def delete(unit: Unit) -> int:
            own = artifact.workspace_id == unit.workspace_id
            wanted = select(artifact.id).where(own, artifact.id == artifact_id)
            return queries.delete_artifacts(unit.connection, unit.workspace_id, wanted)

        if not self._desk.write(delete):
            raise ObjectNotFound(f"There is no artifact with id {artifact_id}.")


def _found(row: ArtifactRow | None, named: str) -> Artifact:
    if row is None:
        raise ObjectNotFound(f"There is no artifact {named}.")
    return to_artifact(row)


def _to_row(artifact: ArtifactCreate, artifact_id: UUID, now: int) -> ArtifactRow:
    return ArtifactRow(
        id=artifact_id,
        key=artifact.key and storable(artifact.key),
        type=artifact.type and storable(artifact.type),
        description=artifact.description and storable(artifact.description),
        data=None if artifact.data is None else storable_json(artifact.data),
        metadata_=None if artifact.metadata_ is None else storable_json(artifact.metadata_),
        flow_run_id=artifact.flow_run_id,
        task_run_id=artifact.task_run_id,
        created=now,
        updated=now,
    )


def _to_collection(row: queries.CollectionRow) -> ArtifactCollection:
    latest = to_artifact(row.latest)
    return ArtifactCollection(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        latest_id=latest.id,
        key=latest.key,
        type=latest.type,
        description=latest.description,
        data=latest.data,
        metadata_=latest.metadata_,
        flow_run_id=latest.flow_run_id,
        task_run_id=latest.task_run_id,
    )
