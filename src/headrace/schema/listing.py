"""What is asked of lists: a selection, an order and a part of it. The names and defaults are the contract's.

The contract's answers are bounded: `limit` is at most 200, and that many are sent when none is given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from msgspec import Meta, field

from headrace.schema.artifact import ArtifactSort
from headrace.schema.deployment import DeploymentSort
from headrace.schema.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    ResultFilter,
    RunSelection,
    WorkerFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from headrace.schema.flow import FlowSort
from headrace.schema.log import LogSort
from headrace.schema.run import FlowRunSort, Page, TaskRunSort
from headrace.schema.state import StateCreate
from headrace.schema.wire import Request, Wire

LONGEST_LIST = 200

T = TypeVar("T")
Limit = Annotated[int, Meta(ge=0, le=LONGEST_LIST)]
Offset = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Ids = Annotated[list[UUID], Meta(max_length=LONGEST_LIST)]


class Listing(RunSelection, kw_only=True):
    """A selection, and which part of the list it makes: `limit` objects after the first `offset`."""

    offset: Offset = 0
    limit: Limit | None = None

    @property
    def part(self) -> Page:
        """The part, with its default."""
        return Page(LONGEST_LIST if self.limit is None else self.limit, self.offset)


class Paging(RunSelection, kw_only=True):
    """A selection, and which page of the list it makes: counted from 1, each of `limit` objects."""

    page: Number = 1
    limit: Limit | None = None

    @property
    def part(self) -> Page:
        """The objects of the page."""
        limit = LONGEST_LIST if self.limit is None else self.limit
        return Page(limit, (self.page - 1) * limit)


class Paginated(Wire, Generic[T], kw_only=True):
    """One page of a list, and how much there is in all."""

    results: list[T]
    count: int
    limit: int
    pages: int
    page: int


def paginate(results: list[T], count: int, asked: Paging) -> Paginated[T]:
    """The page that was asked for."""
    limit = asked.part.limit
    return Paginated(
        results=results, count=count, limit=limit, pages=-(-count // limit) if limit else 0, page=asked.page
    )


class FlowListing(Listing, kw_only=True):
    """Asks for flows."""

    sort: FlowSort = FlowSort.NAME_ASC


class FlowPaging(Paging, kw_only=True):
    """Asks for a page of flows."""

    sort: FlowSort = FlowSort.NAME_ASC


class FlowRunListing(Listing, kw_only=True):
    """Asks for flow runs."""

    sort: FlowRunSort = FlowRunSort.ID_DESC


class FlowRunPaging(Paging, kw_only=True):
    """Asks for a page of flow runs."""

    sort: FlowRunSort = FlowRunSort.ID_DESC


class TaskRunListing(Listing, kw_only=True):
    """Asks for task runs."""

    sort: TaskRunSort = TaskRunSort.ID_DESC


class TaskRunPaging(Paging, kw_only=True):
    """Asks for a page of task runs."""

    sort: TaskRunSort = TaskRunSort.ID_DESC


class DeploymentListing(Listing, kw_only=True):
    """Asks for deployments."""

    sort: DeploymentSort = DeploymentSort.NAME_ASC


class DeploymentPaging(Paging, kw_only=True):
    """Asks for a page of deployments."""

    sort: DeploymentSort = DeploymentSort.NAME_ASC


class HistoryRequest(RunSelection, kw_only=True):
    """Asks how many runs were in which state in each interval between two instants."""

    history_start: datetime
    history_end: datetime
    history_interval_seconds: Annotated[float, Meta(gt=0)]


class PlainListing(Request, kw_only=True):
    """Which part of a list: `limit` objects after the first `offset`."""

    offset: Offset = 0
    limit: Limit | None = None

    @property
    def part(self) -> Page:
        """The part, with its default."""
        return Page(LONGEST_LIST if self.limit is None else self.limit, self.offset)


class LogListing(PlainListing, kw_only=True):
    """Asks for log lines."""

    logs: LogFilter | None = None
    sort: LogSort = LogSort.TIMESTAMP_ASC


class WorkPoolListing(PlainListing, kw_only=True):
    """Asks for work pools."""

    work_pools: WorkPoolFilter | None = None


class WorkQueueListing(PlainListing, kw_only=True):
    """Asks for work queues."""

    work_queues: WorkQueueFilter | None = None


class WorkerListing(PlainListing, kw_only=True):
    """Asks for workers."""

    workers: WorkerFilter | None = None


class ResultListing(PlainListing, kw_only=True):
    """Asks for records of kept values."""

    results: ResultFilter | None = None


class ArtifactSelection(RunSelection, kw_only=True):
    """Selects artifacts, by what they are and by the runs that left them."""

    artifacts: ArtifactFilter | None = None


class ArtifactListing(Listing, kw_only=True):
    """Asks for artifacts."""

    artifacts: ArtifactFilter | None = None
    sort: ArtifactSort = ArtifactSort.ID_DESC


class ArtifactCollectionSelection(RunSelection, kw_only=True):
    """Selects the latest versions of artifacts."""

    artifacts: ArtifactCollectionFilter | None = None


class ArtifactCollectionListing(Listing, kw_only=True):
    """Asks for the latest versions of artifacts."""

    artifacts: ArtifactCollectionFilter | None = None
    sort: ArtifactSort = ArtifactSort.ID_DESC


class BulkLimit(Request, kw_only=True):
    """How many objects one request may change."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 50


class FlowBulkDelete(BulkLimit, kw_only=True):
    """Asks to delete flows."""

    flows: FlowFilter | None = None


class FlowRunBulkDelete(BulkLimit, kw_only=True):
    """Asks to delete flow runs."""

    flow_runs: FlowRunFilter | None = None


class DeploymentBulkDelete(BulkLimit, kw_only=True):
    """Asks to delete deployments."""

    deployments: DeploymentFilter | None = None


class FlowRunBulkSetState(BulkLimit, kw_only=True):
    """Proposes a state to several flow runs."""

    state: StateCreate
    flow_runs: FlowRunFilter | None = None
    force: bool = False


class Deleted(Wire, kw_only=True):
    """What was deleted."""

    deleted: list[UUID] = field(default_factory=list[UUID])


class FlowRunIds(Request, kw_only=True):
    """Names flow runs."""

    flow_run_ids: Ids


class FlowIds(Request, kw_only=True):
    """Names flows."""

    flow_ids: Ids
