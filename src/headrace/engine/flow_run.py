"""One run of a flow while this process executes it: what its lifecycle decides about, and the requests it makes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from headrace.base import clock
from headrace.base.ids import uuid7
from headrace.base.names import generate_name
from headrace.engine.context import FlowContext, RunContext, current_tags
from headrace.engine.futures import Future, find_futures, resolve
from headrace.engine.logs import RunLogger, take_over_print
from headrace.engine.naming import render_run_name
from headrace.engine.requests import CreateFlowRun, Propose
from headrace.schema.fact import StateFact, TaskRunFact, TaskStateFact
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunPolicy, TaskRunPolicy, TaskRunResult
from headrace.schema.state import State, StateCreate, StateDetails, StateType
from headrace.schema.wire import decode_json, encode_json

if TYPE_CHECKING:
    from headrace.engine.flow_definition import Flow
    from headrace.engine.session import Session

PARAMETER_LIMIT = 512 * 1024
"""Parameters longer than this as JSON are recorded cut; the run itself gets them whole."""


class RunningFlow:
    """A flow run, from its call to its final state."""

    def __init__(
        self,
        session: Session,
        flow: Flow[..., Any],
        parameters: dict[str, Any],
        parent: RunContext | None,
        wait_for: Iterable[Any] | None = None,
    ) -> None:
        self.session = session
        self.flow = flow
        self.parameters = parameters
        self.parent = parent
        self.id = uuid7()
        self.name = generate_name()
        self.epoch: int | None = None
        self.state: State = State(type=StateType.PENDING)
        self.record: FlowRun | None = None
        self.context: FlowContext | None = None
        self.upstream = find_futures(parameters)
        self.wait_for = list(wait_for or ())
        find_futures(self.wait_for, self.upstream)
        self.parent_task_run_id: UUID | None = None

    @property
    def log(self) -> RunLogger:
        """The run's logger; until the run exists, its lines belong to the parent, if there is one."""
        return RunLogger(self._context())

    def announce(self) -> tuple[TaskRunFact, TaskStateFact] | None:
        """The facts of the task run that stands for this run in its parent's; None for a run without a parent."""
        parent = self.parent.flow_run if self.parent is not None else None
        if parent is None:
            return None
        key = self.flow.flow_key
        self.parent_task_run_id = uuid7()
        now = clock.micros()
        call = parent.next_call(key)
        inputs = {
            name: [TaskRunResult(id=up.task_run_id) for up in find_futures(value) if isinstance(up, Future)]
            for name, value in self.parameters.items()
        }
        made = TaskRunFact(
            self.parent_task_run_id, parent.run.id, f"{self.flow.name}-{call}", key, call, now, [],
            inputs, TaskRunPolicy(), None, parent.attempt, now,  # pyright: ignore[reportArgumentType]
        )  # fmt: skip
        pending = StateFact(1, StateType.PENDING, "Pending", now)
        return made, TaskStateFact(made.id, parent.run.id, pending, 0)

    def prepare(self) -> None:
        """Wait for upstream runs, check the parameters, and name the run.

        Raises `UpstreamFailed`, `ParameterTypeError` and `UsageError`.
        """
        if self.upstream:
            self.parameters = {name: resolve(value) for name, value in self.parameters.items()}
            for upstream in self.wait_for:
                resolve(upstream)
        if self.flow.validates_parameters:
            self.parameters = self.flow.signature.validate(self.parameters)
        if self.flow.flow_run_name is not None:
            self.name = render_run_name(self.flow.flow_run_name, self.parameters, self.flow.name)

    def creation(self) -> CreateFlowRun:
        """The request that creates the run."""
        flow = self.flow
        delay = flow.retry_delay_seconds
        run = FlowRunCreate(
            flow_id=self.id,  # replaced by the flow's id, which only the orchestrator knows
            id=self.id,
            name=self.name,
            flow_version=flow.version,
            parameters=recordable(self.parameters),
            parent_task_run_id=self.parent_task_run_id,
            empirical_policy=FlowRunPolicy(
                retries=flow.retries,
                retry_delay=int(delay)
                if delay == int(delay)
                else None,  # the contract's newer field holds whole seconds
                retry_delay_seconds=delay,
            ),
            tags=sorted(current_tags.get()),
            state=StateCreate(type=StateType.PENDING),
        )
        return CreateFlowRun(FlowCreate(name=flow.name), run)

    def begin(self, record: FlowRun) -> None:
        """The run exists: from here on it has a context."""
        self.record = record
        self.context = self._context(record)

    def propose(
        self, kind: StateType, name: str | None = None, message: str | None = None, data: Any = None
    ) -> Propose:
        """The request to enter a state."""
        details = StateDetails(transition_id=uuid7())
        state = StateCreate(type=kind, name=name, message=message, data=data, state_details=details)
        return Propose(Proposal(flow_run_id=self.id, state=state, epoch=self.epoch))

    def decided(self, decision: Decision) -> None:
        """Take note of what was decided."""
        self.epoch = decision.epoch
        self.record = decision.flow_run
        if decision.state is not None:
            self.state = decision.state
        if self.context is not None:
            self.context.run = decision.flow_run

    def function(self) -> Any:
        """The user's function with its parameters, ready to be called."""
        args, kwargs = self.flow.signature.call_arguments(self.parameters)
        return partial(self.flow.fn, *args, **kwargs)

    def _context(self, record: FlowRun | None = None) -> FlowContext:
        if self.context is not None:
            return self.context
        flow, parent = self.flow, self.parent
        run = record or FlowRun(id=self.id, flow_id=self.id, name=self.name)
        inherited = parent.log_prints if parent is not None else self.session.settings.logging_log_prints
        prints = flow.log_prints if flow.log_prints is not None else inherited
        if prints:
            take_over_print()
        persisted = parent.persist_result if parent is not None else self.session.settings.results_persist_by_default
        return FlowContext(
            self.session,
            flow,
            run,
            self.parameters,
            prints,
            flow.persist_result if flow.persist_result is not None else persisted,
            parent,
        )


def recordable(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters as JSON can hold them. What is too long for the database is cut and marked."""
    text = encode_json(parameters)
    if len(text) <= PARAMETER_LIMIT:
        return decode_json(text)
    share = PARAMETER_LIMIT // max(len(parameters), 1)
    cut: dict[str, Any] = {}
    for name, value in parameters.items():
        each = encode_json(value)
        cut[name] = (
            decode_json(each) if len(each) <= share else f"{each[: min(share, 1000)]}… (cut: {len(each)} characters)"
        )
    return cut
