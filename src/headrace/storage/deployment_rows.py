"""Rows of deployments and their schedules, and the wire types they become."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from headrace.base.clock import to_datetime
from headrace.schema.deployment import ConcurrencyOptions, Deployment, DeploymentStatus
from headrace.schema.orchestration import ConcurrencyLimit
from headrace.schema.schedule import CatchUp, DeploymentSchedule, Overlap, Schedule
from headrace.schema.wire import decode_json
from headrace.storage.pool_rows import PlaceRow, was_polled
from headrace.storage.rows import to_instant


class DeploymentRow(NamedTuple):
    """A row of deployments."""

    id: UUID
    flow_id: UUID
    name: str
    version: str | None
    description: str | None
    paused: bool
    concurrency_limit: int | None
    concurrency_options: str | None
    global_concurrency_limit_id: UUID | None
    enforce_parameter_schema: bool
    parameter_openapi_schema: str | None
    parameters: str
    tags: str
    labels: str | None
    work_pool_id: UUID | None
    work_queue_id: UUID | None
    job_variables: str
    pull_steps: str | None
    path: str | None
    entrypoint: str | None
    storage_document_id: UUID | None
    infrastructure_document_id: UUID | None
    version_info: str | None
    last_polled: int | None
    created: int
    updated: int


class ScheduleRow(NamedTuple):
    """A row of deployment_schedules."""

    id: UUID
    deployment_id: UUID
    slug: str | None
    schedule: str
    active: bool
    max_scheduled_runs: int | None
    parameters: str
    look_at: int | None
    created: int
    updated: int
    catchup: CatchUp | None = None
    max_lateness: int | None = None
    overlap: Overlap | None = None

    @property
    def key(self) -> str:
        """What stays the same when the deployment is made anew: the slug, or what an unnamed schedule says."""
        return self.slug or content_key(self.schedule, self.parameters)


_decode_schedule = msgspec.json.Decoder(Schedule).decode
_decode_options = msgspec.json.Decoder(ConcurrencyOptions).decode


def content_key(schedule: str, parameters: str) -> str:
    """A short name for what a schedule says, given as stored."""
    said = [decode_json(schedule), decode_json(parameters)]
    return blake2b(msgspec.json.encode(said, order="deterministic"), digest_size=12).hexdigest()


def to_schedule(row: ScheduleRow) -> Schedule:
    """When the runs of a schedule's row are due."""
    return _decode_schedule(row.schedule)


def to_deployment_schedule(row: ScheduleRow) -> DeploymentSchedule:
    """The schedule of a row."""
    return DeploymentSchedule(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        deployment_id=row.deployment_id,
        schedule=to_schedule(row),
        active=row.active,
        max_scheduled_runs=row.max_scheduled_runs,
        parameters=decode_json(row.parameters),
        slug=row.slug,
        catchup=row.catchup,
        max_lateness=None if row.max_lateness is None else row.max_lateness / 1_000_000,
        overlap=row.overlap,
    )


def to_deployment(
    row: DeploymentRow,
    schedules: Sequence[ScheduleRow],
    place: PlaceRow | None,
    now: int,
    limit: ConcurrencyLimit | None = None,
) -> Deployment:
    """The deployment of a row, with its schedules, its limit and where it runs, as it is at the instant `now`."""
    polled = max(row.last_polled or 0, (place and place.last_polled) or 0) or None
    return Deployment(
        id=row.id,
        created=to_datetime(row.created),
        updated=to_datetime(row.updated),
        name=row.name,
        flow_id=row.flow_id,
        version=row.version,
        description=row.description,
        paused=row.paused,
        schedules=[to_deployment_schedule(schedule) for schedule in schedules],
        concurrency_limit=row.concurrency_limit,
        concurrency_options=None if row.concurrency_options is None else _decode_options(row.concurrency_options),
        global_concurrency_limit_id=row.global_concurrency_limit_id,
        global_concurrency_limit=limit,
        parameters=decode_json(row.parameters),
        parameter_openapi_schema=_decode(row.parameter_openapi_schema),
        enforce_parameter_schema=row.enforce_parameter_schema,
        tags=decode_json(row.tags),
        labels=_decode(row.labels) or {},
        work_pool_name=place and place.work_pool_name,
        work_queue_name=place and place.work_queue_name,
        work_queue_id=row.work_queue_id,
        job_variables=decode_json(row.job_variables),
        pull_steps=_decode(row.pull_steps),
        path=row.path,
        entrypoint=row.entrypoint,
        storage_document_id=row.storage_document_id,
        infrastructure_document_id=row.infrastructure_document_id,
        version_info=_decode(row.version_info),
        last_polled=to_instant(polled),
        status=DeploymentStatus.READY if was_polled(polled, now) else DeploymentStatus.NOT_READY,
    )


def _decode(text: str | None) -> Any:
    return None if text is None else decode_json(text)
