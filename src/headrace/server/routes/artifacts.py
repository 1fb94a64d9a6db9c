from __future__ import annotations

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactCreate, ArtifactUpdate
from headrace.schema.listing import (
    ArtifactCollectionListing,
    ArtifactCollectionSelection,
    ArtifactListing,
    ArtifactSelection,
)
from headrace.server.auth import Permission, needs
from headrace.server.gateways import Office

READ, EDIT, RUN = Permission.READ, Permission.EDIT, Permission.RUN


@post("/api/artifacts/", **needs(RUN))
def create_artifact(data: JSONBody[ArtifactCreate], administration: Office) -> Artifact:
    return administration.create_artifact(data)


@get("/api/artifacts/{artifact_id:str}", **needs(READ))
def read_artifact(artifact_id: FromPath[UUID], administration: Office) -> Artifact:
    return administration.read_artifact(artifact_id)


@get("/api/artifacts/{key:str}/latest", **needs(READ))
def read_latest_artifact(key: FromPath[str], administration: Office) -> Artifact:
    return administration.read_latest_artifact(key)


@patch("/api/artifacts/{artifact_id:str}", status_code=204, **needs(RUN))
def update_artifact(artifact_id: FromPath[UUID], data: JSONBody[ArtifactUpdate], administration: Office) -> None:
    administration.update_artifact(artifact_id, data)


@delete("/api/artifacts/{artifact_id:str}", **needs(EDIT))
def delete_artifact(artifact_id: FromPath[UUID], administration: Office) -> None:
    administration.delete_artifact(artifact_id)


@post("/api/artifacts/filter", status_code=200, **needs(READ))
def list_artifacts(data: JSONBody[ArtifactListing], administration: Office) -> list[Artifact]:
    return administration.list_artifacts(data.artifacts, data, data.sort, data.part)


@post("/api/artifacts/count", status_code=200, **needs(READ))
def count_artifacts(data: JSONBody[ArtifactSelection], administration: Office) -> int:
    return administration.count_artifacts(data.artifacts, data)


@post("/api/artifacts/latest/filter", status_code=200, **needs(READ))
def list_latest_artifacts(
    data: JSONBody[ArtifactCollectionListing], administration: Office
) -> list[ArtifactCollection]:
    return administration.list_latest_artifacts(data.artifacts, data, data.sort, data.part)


@post("/api/artifacts/latest/count", status_code=200, **needs(READ))
def count_latest_artifacts(data: JSONBody[ArtifactCollectionSelection], administration: Office) -> int:
    return administration.count_latest_artifacts(data.artifacts, data)


routes = [
    create_artifact,
    read_artifact,
    read_latest_artifact,
    update_artifact,
    delete_artifact,
    list_artifacts,
    count_artifacts,
    list_latest_artifacts,
    count_latest_artifacts,
]
