"""Artifacts: what runs leave for people to look at."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from headrace.schema.wire import Request, Stored


class ArtifactCreate(Request, kw_only=True):
    """Asks for an artifact. Artifacts of one key are versions of one another. `id` may be chosen by the caller."""

    id: UUID | None = None
    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactUpdate(Request, kw_only=True):
    """Changes an artifact in place; fields that are not sent stay as they are."""

    data: Any = UNSET
    description: str | UnsetType | None = UNSET
    metadata_: dict[str, str] | UnsetType | None = UNSET


class Artifact(Stored, kw_only=True):
    """An artifact as stored."""

    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactCollection(Artifact, kw_only=True):
    """The latest version of the artifacts of one key."""

    latest_id: UUID


class ArtifactSort(StrEnum):
    """Orders of a list of artifacts."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    ID_DESC = "ID_DESC"
    KEY_DESC = "KEY_DESC"
    KEY_ASC = "KEY_ASC"
