"""Facts: what an engine reports of execution. Idempotent, append-only, delivered in order by a journal.

Times are microseconds since the epoch. Structs are encoded as arrays: facts travel by the thousand.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from headrace.schema.run import TaskInputs, TaskRunPolicy
from headrace.schema.state import StateType


class StateFact(Struct, array_like=True, omit_defaults=True):
    """One state a run entered. `ordinal` counts the run's states from 1 and makes the state's id (`base.ids`).

    `details` holds only what differs from the defaults of `StateDetails`; `data` is null or a result's metadata.
    """

    ordinal: int
    type: StateType
    name: str
    timestamp: int
    message: str | None = None
    data: Any = None
    details: dict[str, Any] | None = None


class TaskRunFact(Struct, array_like=True, tag_field="fact", tag="run"):
    """A task run came into being. Sent once, before its first state, by the process that made the run."""

    id: UUID
    flow_run_id: UUID | None
    name: str
    task_key: str
    dynamic_key: str
    created: int
    tags: list[str]
    task_inputs: TaskInputs
    empirical_policy: TaskRunPolicy
    task_version: str | None = None
    flow_run_run_count: int = 0
    expected_start_time: int | None = None
    labels: dict[str, bool | int | float | str] | None = None


class TaskStateFact(Struct, array_like=True, tag_field="fact", tag="state"):
    """A task run entered a state. `run_count` is how many times it had begun to run by then, this time included."""

    id: UUID
    flow_run_id: UUID | None
    state: StateFact
    run_count: int
    cache_key: str | None = None
    cache_expiration: int | None = None


class TaskNameFact(Struct, array_like=True, tag_field="fact", tag="name"):
    """A task run got its name from a template, which is filled when its parameters are known."""

    id: UUID
    name: str


class LogFact(Struct, array_like=True, tag_field="fact", tag="log"):
    """A run logged a line. `level` is Python's."""

    id: UUID
    name: str
    level: int
    message: str
    timestamp: int
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactFact(Struct, array_like=True, tag_field="fact", tag="artifact"):
    """A run left an artifact."""

    id: UUID
    key: str | None
    type: str
    description: str | None
    data: Any
    created: int
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactChangeFact(Struct, array_like=True, tag_field="fact", tag="artifact-change"):
    """A run gave an artifact other data, and another description unless that is null."""

    id: UUID
    data: Any
    changed: int
    description: str | None = None


class EventFact(Struct, array_like=True, tag_field="fact", tag="event"):
    """Something happened that is no state of a run. `body` is the event in the contract's form."""

    id: UUID
    occurred: int
    body: dict[str, Any]
    flow_run_id: UUID | None = None


class ResultFact(Struct, array_like=True, tag_field="fact", tag="result"):
    """A run's value was kept. `size` in bytes."""

    id: UUID
    storage_key: str
    location: str
    serializer: str
    size: int
    created: int
    expiration: int | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


Fact = TaskRunFact | TaskStateFact | TaskNameFact | LogFact | ArtifactFact | ArtifactChangeFact | EventFact | ResultFact


class Batch(Struct, array_like=True):
    """A stretch of one journal: facts number `first`, `first + 1`, … of journal `journal_id`, in order.

    `attempts` names the epoch under which the writer executes each flow run the facts belong to.
    """

    journal_id: UUID
    first: int
    facts: list[Fact]
    attempts: dict[UUID, int] = msgspec.field(default_factory=dict[UUID, int])

    @property
    def last(self) -> int:
        """The sequence number of the last fact."""
        return self.first + len(self.facts) - 1
