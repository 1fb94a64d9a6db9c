"""The graph of a flow run: put together from its task runs, its subflows, and what each took from which."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from headrace.base.clock import to_datetime, to_micros
from headrace.base.errors import InvalidRequest
from headrace.orchestration import flow_runs
from headrace.orchestration.events import list_states
from headrace.orchestration.unit import Unit
from headrace.schema.graph import Graph, GraphArtifact, GraphEdge, GraphNode, GraphState
from headrace.schema.state import StateType
from headrace.schema.wire import decode_json
from headrace.storage import graphs as queries
from headrace.storage.rows import to_instant

MOST_NODES = 10_000
"""The most nodes in one graph."""

MOST_ARTIFACTS = 10_000
CALLER = "__parents__"
"""The input under which clients of the contract name the task run in which a task run was called."""


def draw_graph(unit: Unit, flow_run_id: UUID, since: datetime | None) -> Graph:
    """The graph; with `since`, of what had not ended by then. Raises `ObjectNotFound` and `InvalidRequest`."""
    run = flow_runs.read_flow_run(unit, flow_run_id)
    tasks = queries.list_task_nodes(unit.connection, unit.workspace_id, flow_run_id, MOST_NODES + 1)
    if len(tasks) > MOST_NODES:
        raise InvalidRequest(f"Flow run {run.name!r} has more than {MOST_NODES} task runs: too many to draw.")
    nodes = _make_nodes(unit, flow_run_id, tasks)
    artifacts = queries.list_artifact_nodes(unit.connection, unit.workspace_id, flow_run_id, MOST_ARTIFACTS)
    own: list[GraphArtifact] = []
    for row in artifacts:
        node = None if row.task_run_id is None else nodes.get(row.task_run_id)
        (own if node is None else node.artifacts).append(_to_artifact(row))
    if since is not None:
        micros = to_micros(since)
        nodes = {
            key: node for key, node in nodes.items() if node.end_time is None or to_micros(node.end_time) >= micros
        }
    return Graph(
        start_time=run.start_time,
        end_time=run.end_time,
        root_node_ids=[node.id for node in nodes.values() if not node.parents and not node.encapsulating],
        nodes=[(node.id, node) for node in nodes.values()],
        artifacts=own,
        states=[
            GraphState(id=state.id, timestamp=state.timestamp, type=state.type, name=state.name or state.type)
            for state in list_states(unit, flow_run_id)
            if state.id is not None and isinstance(state.timestamp, datetime)
        ],
    )


def _make_nodes(unit: Unit, flow_run_id: UUID, tasks: list[queries.TaskNodeRow]) -> dict[UUID, GraphNode]:
    """The nodes with their edges, by the task run that each is or stands in for."""
    subflows = {
        row.parent_task_run_id: row for row in queries.list_subflows(unit.connection, unit.workspace_id, flow_run_id)
    }
    nodes = {task.id: _to_node(task, subflows.get(task.id)) for task in tasks}
    for task in tasks:
        node = nodes[task.id]
        parents, callers = _read_inputs(task.task_inputs)
        for source in parents:
            if source in nodes and source != task.id:
                node.parents.append(GraphEdge(id=nodes[source].id))
                nodes[source].children.append(GraphEdge(id=node.id))
        node.encapsulating.extend(GraphEdge(id=nodes[caller].id) for caller in callers if caller in nodes)
    return nodes


def _read_inputs(text: str) -> tuple[list[UUID], list[UUID]]:
    """The task runs whose results a task run took, and those in which it was called, each once."""
    if text == "{}":
        return [], []
    inputs: dict[str, list[dict[str, Any]]] = decode_json(text)
    named = [
        (key, UUID(entry["id"]))
        for key, entries in inputs.items()
        for entry in entries
        if entry.get("input_type") == "task_run"
    ]
    parents = dict.fromkeys(source for key, source in named if key != CALLER)
    return [*parents], [source for key, source in named if key == CALLER]


def _to_node(task: queries.TaskNodeRow, subflow: queries.SubflowRow | None) -> GraphNode:
    shown = subflow or task
    return GraphNode(
        kind="flow-run" if subflow else "task-run",
        id=shown.id,
        label=shown.name,
        state_type=StateType(shown.state_type),
        start_time=to_datetime(shown.start_time),
        end_time=to_instant(shown.end_time),
        parents=[],
        children=[],
        encapsulating=[],
        artifacts=[],
    )


def _to_artifact(row: queries.ArtifactNodeRow) -> GraphArtifact:
    return GraphArtifact(
        id=row.id,
        created=to_datetime(row.created),
        key=row.key,
        type=row.type,
        is_latest=row.key is None or row.latest_id == row.id,
        data=None if row.data is None else decode_json(row.data),
    )
