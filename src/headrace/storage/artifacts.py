"""Wide queries on artifacts, and on the latest of each key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update

from headrace.schema.artifact import ArtifactSort
from headrace.schema.filters import ArtifactCollectionFilter, ArtifactFilter, RunSelection
from headrace.schema.run import Page
from headrace.storage import tables as t
from headrace.storage.database import Connection
from headrace.storage.dialect import DIALECTS
from headrace.storage.pages import Order, Query, count_rows, fetch_page
from headrace.storage.rows import ArtifactRow
from headrace.storage.selections import select_artifacts, select_collections

_LATEST = t.artifact_collections.join(
    t.artifacts,
    (t.artifacts.c.workspace_id == t.artifact_collections.c.workspace_id)
    & (t.artifacts.c.id == t.artifact_collections.c.latest_id),
)
"""Keys with their latest artifacts."""


class CollectionRow(NamedTuple):
    """A key with its latest artifact."""

    id: UUID
    created: int
    updated: int
    latest: ArtifactRow


def find_artifact(connection: Connection, workspace_id: UUID, artifact_id: UUID) -> ArtifactRow | None:
    """The artifact with an id."""
    artifact = t.artifacts.c
    rows = connection.select(_artifacts().where(artifact.workspace_id == workspace_id, artifact.id == artifact_id))
    return ArtifactRow._make(rows[0]) if rows else None


def find_latest(connection: Connection, workspace_id: UUID, key: str) -> ArtifactRow | None:
    """The latest artifact of a key."""
    collection, artifact = t.artifact_collections.c, t.artifacts.c
    query = _artifacts().where(
        collection.workspace_id == workspace_id,
        collection.key == key,
        artifact.workspace_id == collection.workspace_id,
        artifact.id == collection.latest_id,
    )
    rows = connection.select(query)
    return ArtifactRow._make(rows[0]) if rows else None


def list_artifacts(
    connection: Connection,
    workspace_id: UUID,
    artifacts: ArtifactFilter | None,
    selection: RunSelection | None,
    sort: ArtifactSort,
    page: Page,
) -> list[ArtifactRow]:
    """The artifacts that a filter names, of the runs that a selection names, in order."""
    wanted = select_artifacts(workspace_id, artifacts, selection, DIALECTS[connection.dialect])
    rows = fetch_page(connection, _artifacts().where(wanted), _order(t.artifacts.c, sort), page)
    return [ArtifactRow._make(row) for row in rows]


def count_artifacts(
    connection: Connection, workspace_id: UUID, artifacts: ArtifactFilter | None, selection: RunSelection | None
) -> int:
    """How many artifacts a filter and a selection name."""
    wanted = select_artifacts(workspace_id, artifacts, selection, DIALECTS[connection.dialect])
    return count_rows(connection, select(t.artifacts.c.id).where(wanted))


def list_latest(
    connection: Connection,
    workspace_id: UUID,
    artifacts: ArtifactCollectionFilter | None,
    selection: RunSelection | None,
    sort: ArtifactSort,
    page: Page,
) -> list[CollectionRow]:
    """The keys whose latest artifacts a filter and a selection name, each with that artifact, in order."""
    collection = t.artifact_collections.c
    wanted = select_collections(workspace_id, artifacts, selection, DIALECTS[connection.dialect])
    query = _artifacts(collection.id, collection.created, collection.updated).select_from(_LATEST).where(wanted)
    rows = fetch_page(connection, query, _order(collection, sort), page)
    return [CollectionRow(row[0], row[1], row[2], ArtifactRow._make(row[3:])) for row in rows]


def count_latest(
    connection: Connection,
    workspace_id: UUID,
    artifacts: ArtifactCollectionFilter | None,
    selection: RunSelection | None,
) -> int:
    """How many keys have a latest artifact that a filter and a selection name."""
    wanted = select_collections(workspace_id, artifacts, selection, DIALECTS[connection.dialect])
    return count_rows(connection, select(t.artifact_collections.c.id).select_from(_LATEST).where(wanted))


def change_artifact(connection: Connection, workspace_id: UUID, artifact_id: UUID, changed: dict[str, Any]) -> int:
    """Set columns of an artifact; how many artifacts were changed."""
    artifact = t.artifacts.c
    return connection.change(
        update(t.artifacts).where(artifact.workspace_id == workspace_id, artifact.id == artifact_id).values(changed)
    )


def delete_artifacts(connection: Connection, workspace_id: UUID, wanted: Query) -> int:
    """Delete the artifacts whose ids a query gives, and find the latest of their keys anew; how many there were."""
    artifact = t.artifacts.c
    own = artifact.workspace_id == workspace_id
    keys = {row[0] for row in connection.select(select(artifact.key).where(own, artifact.id.in_(wanted)).distinct())}
    deleted = connection.change(delete(t.artifacts).where(own, artifact.id.in_(wanted)))
    _find_latest_anew(connection, workspace_id, keys - {None})
    return deleted


def _find_latest_anew(connection: Connection, workspace_id: UUID, keys: Collection[str]) -> None:
    collection, artifact = t.artifact_collections.c, t.artifacts.c
    for key in keys:
        newest = (
            select(artifact.id, artifact.created)
            .where(artifact.workspace_id == workspace_id, artifact.key == key)
            .order_by(artifact.created.desc(), artifact.id.desc())
            .limit(1)
        )
        rows = connection.select(newest)
        of_key = (collection.workspace_id == workspace_id) & (collection.key == key)
        if rows:
            latest_id, created = rows[0]
            changed = {"latest_id": latest_id, "updated": created}
            connection.change(update(t.artifact_collections).where(of_key).values(changed))
        else:
            connection.change(delete(t.artifact_collections).where(of_key))


def _artifacts(*first: Any) -> Query:
    return select(*first, *(t.artifacts.c[name] for name in ArtifactRow._fields))


def _order(columns: Any, sort: ArtifactSort) -> Order:
    name, _, direction = sort.value.rpartition("_")
    return Order(columns[name.lower()], columns.id, direction == "DESC")
