from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.client.nouns.asking import Asking, part, select
from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactCreate, ArtifactSort, ArtifactUpdate
from headrace.schema.filters import ArtifactCollectionFilter, ArtifactFilter, RunSelection, TextFilter
from headrace.schema.run import Page


class ArtifactCalls(Asking):
    """The verbs on artifacts."""

    def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        return self._create("/artifacts/", Artifact, artifact)

    def read_artifact(self, artifact_id: UUID) -> Artifact:
        return self._read(f"/artifacts/{artifact_id}", Artifact)

    def read_latest_artifact(self, key: str) -> Artifact:
        # By filter: a key may hold what cannot stand in a path.
        found = self.list_artifacts(ArtifactFilter(key=TextFilter(any_=[key])), page=Page(1))
        if not found:
            raise ObjectNotFound(f"There is no artifact with key {key!r}.")
        return found[0]

    def list_artifacts(
        self,
        artifacts: ArtifactFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[Artifact]:
        body = select(selection, artifacts=artifacts, **part(page, sort=sort))
        return self._list("/artifacts/filter", list[Artifact], body)

    def count_artifacts(self, artifacts: ArtifactFilter | None = None, selection: RunSelection | None = None) -> int:
        return self._list("/artifacts/count", int, select(selection, artifacts=artifacts))

    def list_latest_artifacts(
        self,
        artifacts: ArtifactCollectionFilter | None = None,
        selection: RunSelection | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        page: Page = Page(),
    ) -> list[ArtifactCollection]:
        body = select(selection, artifacts=artifacts, **part(page, sort=sort))
        return self._list("/artifacts/latest/filter", list[ArtifactCollection], body)

    def count_latest_artifacts(
        self, artifacts: ArtifactCollectionFilter | None = None, selection: RunSelection | None = None
    ) -> int:
        return self._list("/artifacts/latest/count", int, select(selection, artifacts=artifacts))

    def update_artifact(self, artifact_id: UUID, update: ArtifactUpdate) -> None:
        self._update(f"/artifacts/{artifact_id}", update)

    def delete_artifact(self, artifact_id: UUID) -> None:
        self._delete(f"/artifacts/{artifact_id}")
