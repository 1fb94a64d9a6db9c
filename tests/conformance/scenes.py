"""What tests begin with, made through the protocols like anybody else would make it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from headrace.base.clock import FrozenClock, to_datetime
from headrace.base.ids import uuid7
from headrace.gateway.execution import Execution
from headrace.schema.fact import Batch, Fact, StateFact, TaskRunFact, TaskStateFact
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Decision, Presence, Proposal
from headrace.schema.run import FlowRun, FlowRunCreate, TaskRunPolicy
from headrace.schema.state import StateCreate, StateDetails, StateType

SECOND = 1_000_000
NOBODY = Presence(kind="lock", name="lock-00000000deadbeef")
"""A presence that no living process shows."""


class Stage:
    """Makes runs and facts."""

    def __init__(self, execution: Execution, clock: FrozenClock) -> None:
        self.execution = execution
        self.clock = clock
        self.journal = uuid7()
        self.sent = 0
        self._newest = uuid7()

    def new_id(self) -> UUID:
        """An id above all before it, even of the same millisecond: the order of ids is the order of making."""
        self._newest = max(uuid7(), UUID(int=self._newest.int + 2**20))
        return self._newest

    @property
    def now(self) -> datetime:
        return to_datetime(self.clock.now)

    def after(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def flow(self, name: str = "etl", **what: Any) -> UUID:
        return self.execution.register_flow(FlowCreate(name=name, **what)).id

    def run(self, *, flow: str = "etl", **what: Any) -> FlowRun:
        """A flow run that is pending, or in the state given."""
        told: dict[str, Any] = {"id": self.new_id(), "flow_id": self.flow(flow)} | what
        return self.execution.create_flow_run(FlowRunCreate(**told))

    def scheduled(self, seconds: float = 0, **what: Any) -> FlowRun:
        details = StateDetails(scheduled_time=self.after(seconds))
        return self.run(state=StateCreate(type=StateType.SCHEDULED, state_details=details), **what)

    def running(self, *, presence: Presence | None = None, **what: Any) -> FlowRun:
        return self.propose(self.run(**what), StateType.RUNNING, presence=presence).flow_run

    def ended(self, type_: StateType = StateType.COMPLETED, **what: Any) -> FlowRun:
        return self.propose(self.running(**what), type_).flow_run

    def propose(
        self,
        run: FlowRun,
        type_: StateType,
        name: str | None = None,
        *,
        epoch: int | None = None,
        force: bool = False,
        presence: Presence | None = None,
        batch: Batch | None = None,
        message: str | None = None,
        data: Any = None,
        **details: Any,
    ) -> Decision:
        state = StateCreate(type=type_, name=name, message=message, data=data, state_details=StateDetails(**details))
        return self.execution.propose_flow_run_state(
            Proposal(flow_run_id=run.id, state=state, epoch=epoch, force=force, presence=presence, batch=batch)
        )

    def batch(self, *facts: Fact, attempts: dict[UUID, int] | None = None) -> Batch:
        """The next facts of the stage's own journal."""
        batch = Batch(self.journal, self.sent + 1, list(facts), attempts or {})
        self.sent += len(facts)
        return batch

    def deliver(self, *facts: Fact, attempts: dict[UUID, int] | None = None) -> int:
        return self.execution.deliver(self.batch(*facts, attempts=attempts))

    def made(self, flow_run_id: UUID | None = None, task_run_id: UUID | None = None, **what: Any) -> TaskRunFact:
        """The fact that a task run exists."""
        told: dict[str, Any] = {
            "name": "load-1",
            "task_key": "load",
            "dynamic_key": "1",
            "created": self.clock.now,
            "tags": [],
            "task_inputs": {},
            "empirical_policy": TaskRunPolicy(),
        }
        return TaskRunFact(id=task_run_id or self.new_id(), flow_run_id=flow_run_id, **told | what)

    def state(
        self, task: TaskRunFact, ordinal: int, type_: StateType, seconds: float, run_count: int = 0, **what: Any
    ) -> TaskStateFact:
        """The fact that a task run entered a state, `seconds` after now."""
        time = self.clock.now + int(seconds * SECOND)
        name = what.pop("name", type_.capitalize())
        return TaskStateFact(task.id, task.flow_run_id, StateFact(ordinal, type_, name, time, **what), run_count)

    def story(self, task: TaskRunFact, end: StateType = StateType.COMPLETED) -> list[TaskStateFact]:
        """Pending, Running two seconds later, and the end three seconds after that."""
        return [
            self.state(task, 1, StateType.PENDING, 0),
            self.state(task, 2, StateType.RUNNING, 2, 1),
            self.state(task, 3, end, 5, 1),
        ]
