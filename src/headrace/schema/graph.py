"""The graph of a flow run: what ran in it, when, and what depended on what."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from headrace.schema.run import TaskRunResult
from headrace.schema.state import State, StateType
from headrace.schema.wire import Wire


class GraphEdge(Wire, kw_only=True):
    """Names the node at the other end."""

    id: UUID


class GraphArtifact(Wire, kw_only=True):
    """An artifact that a node left. `data` is filled for progress only: the rest is too much for a picture."""

    id: UUID
    created: datetime
    key: str | None
    type: str | None
    is_latest: bool
    data: Any = None


class GraphState(Wire, kw_only=True):
    """A state of the flow run itself."""

    id: UUID
    timestamp: datetime
    type: StateType
    name: str


class GraphNode(Wire, kw_only=True):
    """A task run, or the flow run of a subflow in the place of the task run that stands for it.

    `parents` gave it their results, it gave its own to `children`; it was called inside `encapsulating`.
    """

    kind: Literal["flow-run", "task-run"]
    id: UUID
    label: str
    state_type: StateType
    start_time: datetime
    end_time: datetime | None
    parents: list[GraphEdge]
    children: list[GraphEdge]
    encapsulating: list[GraphEdge]
    artifacts: list[GraphArtifact]


class Graph(Wire, kw_only=True):
    """What ran in a flow run, in the order in which it started. `root_node_ids` depend on nothing."""

    start_time: datetime | None
    end_time: datetime | None
    root_node_ids: list[UUID]
    nodes: list[tuple[UUID, GraphNode]]
    artifacts: list[GraphArtifact]
    states: list[GraphState]


class Dependency(Wire, kw_only=True):
    """A task run and those whose results it took: the contract's older form of the graph."""

    id: UUID
    name: str
    upstream_dependencies: list[TaskRunResult]
    state: State | None
    expected_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float | None
    estimated_run_time: float | None
    untrackable_result: bool
