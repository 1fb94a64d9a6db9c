"""What a client may ask of logs, artifacts, variables and limits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.clients.asking import Asking, given, page
from headrace.clients.runs import select
from headrace.schema.artifact import Artifact, ArtifactCollection, ArtifactSort, ArtifactUpdate
from headrace.schema.filters import (
    ArtifactCollectionFilter,
    ArtifactFilter,
    FlowFilter,
    FlowRunFilter,
    LogFilter,
    TaskRunFilter,
)
from headrace.schema.log import Log, LogCreate, LogSort
from headrace.schema.orchestration import ConcurrencyLimit, ConcurrencyLimitCreate, ConcurrencyLimitUpdate
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate

TAG = "tag:"


class Kept(Asking):
    """Logs, artifacts, variables, concurrency limits."""

    def create_logs(self, logs: list[LogCreate]) -> None:
        """Keep log lines."""
        self._office.create_logs(logs)

    def read_logs(
        self,
        log_filter: LogFilter | None = None,
        limit: int | None = None,
        offset: int = 0,
        sort: LogSort = LogSort.TIMESTAMP_ASC,
    ) -> list[Log]:
        """Return log lines in order of time."""
        return self._office.list_logs(log_filter, sort, page(limit, offset))

    def read_artifact(self, artifact_id: UUID) -> Artifact:
        """Return the artifact. Raises `ObjectNotFound`."""
        return self._office.read_artifact(artifact_id)

    def read_artifacts(
        self,
        *,
        artifact_filter: ArtifactFilter | None = None,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Artifact]:
        """Return artifacts that all the filters name."""
        wanted = select(flow_filter, flow_run_filter, task_run_filter)
        return self._office.list_artifacts(artifact_filter, wanted, sort, page(limit, offset))

    def read_latest_artifacts(
        self,
        *,
        artifact_filter: ArtifactCollectionFilter | None = None,
        flow_filter: FlowFilter | None = None,
        flow_run_filter: FlowRunFilter | None = None,
        task_run_filter: TaskRunFilter | None = None,
        sort: ArtifactSort = ArtifactSort.ID_DESC,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[ArtifactCollection]:
        """Return the newest artifact of each key that all the filters name."""
        wanted = select(flow_filter, flow_run_filter, task_run_filter)
        return self._office.list_latest_artifacts(artifact_filter, wanted, sort, page(limit, offset))

    def update_artifact(self, artifact_id: UUID, artifact: ArtifactUpdate) -> None:
        """Change what the update names. Raises `ObjectNotFound`."""
        self._office.update_artifact(artifact_id, artifact)

    def delete_artifact(self, artifact_id: UUID) -> None:
        """Delete the artifact. Raises `ObjectNotFound`."""
        self._office.delete_artifact(artifact_id)

    def create_variable(self, variable: VariableCreate) -> Variable:
        """Create a variable and return it. Raises `ObjectAlreadyExists`."""
        return self._office.create_variable(variable)

    def read_variable_by_name(self, name: str) -> Variable | None:
        """Return the variable of that name; None without any."""
        try:
            return self._office.read_variable_by_name(name)
        except ObjectNotFound:
            return None

    def read_variables(
        self,
        limit: int | None = None,
        variable_filter: VariableFilter | None = None,
        sort: VariableSort = VariableSort.NAME_ASC,
        offset: int = 0,
    ) -> list[Variable]:
        """Return variables."""
        return self._office.list_variables(variable_filter, sort, page(limit, offset))

    def update_variable(self, name: str, value: Any = None, tags: list[str] | None = None) -> None:
        """Give the variable of that name another value, or other tags. Raises `ObjectNotFound`."""
        found = self._office.read_variable_by_name(name)
        self._office.update_variable(found.id, VariableUpdate(**given(value=value, tags=tags)))

    def delete_variable_by_name(self, name: str) -> None:
        """Delete the variable of that name. Raises `ObjectNotFound`."""
        self._office.delete_variable(self._office.read_variable_by_name(name).id)

    def create_global_concurrency_limit(self, concurrency_limit: ConcurrencyLimitCreate) -> UUID:
        """Create a limit and return its id. Raises `ObjectAlreadyExists`."""
        return self._office.create_concurrency_limit(concurrency_limit).id

    def read_global_concurrency_limit_by_name(self, name: str) -> ConcurrencyLimit:
        """Return the limit of that name. Raises `ObjectNotFound`."""
        return self._office.read_concurrency_limit(name)

    def read_global_concurrency_limits(self, limit: int = 10, offset: int = 0) -> list[ConcurrencyLimit]:
        """Return limits by name."""
        return self._office.list_concurrency_limits(page(limit, offset))

    def update_global_concurrency_limit(self, name: str, concurrency_limit: ConcurrencyLimitUpdate) -> None:
        """Change what the update names. Raises `ObjectNotFound`."""
        self._office.update_concurrency_limit(name, concurrency_limit)

    def upsert_global_concurrency_limit_by_name(self, name: str, limit: int) -> None:
        """Create a limit of that name, or change how many slots the one there is has."""
        try:
            self._office.update_concurrency_limit(name, ConcurrencyLimitUpdate(limit=limit))
        except ObjectNotFound:
            self._office.create_concurrency_limit(ConcurrencyLimitCreate(name=name, limit=limit))

    def delete_global_concurrency_limit_by_name(self, name: str) -> None:
        """Delete the limit of that name. Raises `ObjectNotFound`."""
        self._office.delete_concurrency_limit(name)

    def create_concurrency_limit(self, tag: str, concurrency_limit: int) -> UUID:
        """Let task runs with a tag execute so many at once, and return the limit's id. Raises `ObjectAlreadyExists`."""
        return self._office.create_concurrency_limit(
            ConcurrencyLimitCreate(name=f"{TAG}{tag}", limit=concurrency_limit)
        ).id

    def read_concurrency_limit_by_tag(self, tag: str) -> ConcurrencyLimit:
        """Return the limit on a tag. Raises `ObjectNotFound`."""
        return self._office.read_concurrency_limit(f"{TAG}{tag}")

    def read_concurrency_limits(self, limit: int = 10, offset: int = 0) -> list[ConcurrencyLimit]:
        """Return the limits on tags, by name."""
        return self._office.list_concurrency_limits(page(limit, offset), TAG)

    def reset_concurrency_limit_by_tag(self, tag: str, slot_override: list[UUID] | None = None) -> None:
        """Take back the slots of a tag, but for those of these task runs. Raises `ObjectNotFound`."""
        self._office.reset_concurrency_limit(f"{TAG}{tag}", slot_override or [])

    def delete_concurrency_limit_by_tag(self, tag: str) -> None:
        """Delete the limit on a tag. Raises `ObjectNotFound`."""
        self._office.delete_concurrency_limit(f"{TAG}{tag}")
