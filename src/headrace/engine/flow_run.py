"""One run of a flow while this process executes it: what its lifecycle decides about, and the requests it makes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from headrace.base.ids import uuid7
from headrace.base.names import generate_name
from headrace.engine.calls import identify_call
from headrace.engine.context import FlowContext, RunContext, current_tags
from headrace.engine.futures import find_futures, resolve
from headrace.engine.inputs import Awaited, list_awaited, trace_inputs
from headrace.engine.iteration import Iteration, Sink
from headrace.engine.logs import RunLogger, take_over_print
from headrace.engine.naming import render_run_name
from headrace.engine.placeholders import announce
from headrace.engine.recorded import keep_beside, recall, recordable
from headrace.engine.requests import CreateFlowRun, Propose, Reopen, StoreResult, TakeUpFlowRun
from headrace.engine.results import Result
from headrace.engine.sources import locate
from headrace.rules.transitions import AWAITING_RETRY, RETRYING
from headrace.schema.checkpoint import Reopening
from headrace.schema.fact import TaskRunFact, TaskStateFact
from headrace.schema.flow import FlowCreate
from headrace.schema.orchestration import Claim, Decision, Proposal
from headrace.schema.run import FlowRun, FlowRunCreate, FlowRunPolicy, FlowRunUpdate
from headrace.schema.state import State, StateCreate, StateDetails, StateType

if TYPE_CHECKING:
    from headrace.engine.checkpoints import Checkpoints, Restored
    from headrace.engine.definitions import FlowDefinition
    from headrace.engine.session import Session


class RunningFlow:
    """A flow run, from its call to its final state.

    `created` says that the orchestrator knows the run, `ended` is the state it was told to have ended in, `iteration` what
    becomes of its items if it is a generator's.
    """

    def __init__(
        self,
        session: Session,
        flow: FlowDefinition,
        parameters: dict[str, Any],
        parent: RunContext | None,
        wait_for: Awaited = None,
    ) -> None:
        self.session = session
        self.flow = flow
        self.parent = parent
        self.id = uuid7()
        self.epoch: int | None = None
        self.state: State = State(type=StateType.PENDING)
        self.created = False
        self.ended: State | None = None
        self.iteration = Iteration(Sink.CALLER) if flow.is_generator else None
        self.awaited = list_awaited(wait_for)
        self.upstream = find_futures([parameters, self.awaited])
        self.parent_task_run_id: UUID | None = None
        settings = session.settings
        prints = parent.log_prints if parent is not None else settings.logging_log_prints
        prints = flow.log_prints if flow.log_prints is not None else prints
        if prints:
            take_over_print()
        above = parent.flow_run if parent is not None else None
        durable = flow.durable if flow.durable is not None else above is not None and above.durable
        persisted = parent.persist_result if parent is not None else settings.results_persist_by_default
        self.origin: UUID | None = None
        self.restored: Restored | None = None
        self.again: str | None = None
        self._left: UUID | None = None
        self._before: FlowRunPolicy | None = None
        self.context = FlowContext(
            session,
            flow,
            FlowRun(id=self.id, flow_id=self.id, name=generate_name(), tags=sorted(current_tags.get())),
            parameters,
            prints,
            flow.persist_result if flow.persist_result is not None else persisted or durable,
            parent,
            durable,
        )

    @property
    def name(self) -> str:
        """The run's name."""
        return self.context.run.name

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters; once `prepare` has been called, as the function gets them."""
        return self.context.parameters

    @property
    def record(self) -> FlowRun:
        """The run as hooks see it."""
        return self.context.run

    @property
    def log(self) -> RunLogger:
        """The run's logger."""
        return RunLogger(self.context)

    def announce(self) -> tuple[TaskRunFact | TaskStateFact, ...]:
        """The facts of the task run that stands for this run in its parent's.

        None for a run without a parent, nor for one that an earlier attempt of its parent has brought to its end.
        """
        parent = self.parent.flow_run if self.parent is not None else None
        if self.parent is None or parent is None:
            return ()
        key, call = self.flow.flow_key, None
        if self.context.durable and not self.flow.is_generator:
            call, self.restored, self.again = identify_call(self.parent, parent, key, self.parameters)
            if self.restored is not None:
                return ()
        left = None if call is None else parent.checkpoints.find_child(call)
        if left is not None and parent.replays:
            self.replay(left)
        else:
            self._left = left
        inputs = trace_inputs(self.parameters, self.awaited, parent.lineage, bool(self.upstream))
        facts = announce(parent, self.flow.name, key, inputs, call)
        self.parent_task_run_id = facts[0].id
        return facts

    def restore(self, result: Result) -> State:
        """The state the run ended in, when it was called by an earlier attempt of its parent, with its value live."""
        assert self.restored is not None
        self.ended = msgspec.structs.replace(self.restored.state, data=result)
        return self.ended

    def taking_up(self) -> Reopen | None:
        """The request to go on with the run that an earlier attempt of its parent has left behind, if there is one."""
        parent = self.parent.flow_run if self.parent is not None else None
        if self._left is None or parent is None:
            return None
        return Reopen(
            Reopening(
                flow_run_id=self._left,
                message="Its parent is resumed, and goes on with it.",
                parent_task_run_id=self.parent_task_run_id,
                parent_epoch=self.session.attempts.get(parent.run.id),
            )
        )

    def replay(self, origin: UUID) -> None:
        """Restore what another run has finished, which stays as it is."""
        self.origin = origin
        self.context.replays = True

    def take_up(self, claim: Claim) -> None:
        """Be the run that was claimed, under the epoch of the claim, instead of a new one."""
        run = claim.flow_run
        self.id, self.epoch, self.context.run = run.id, claim.epoch, run
        self.state = run.state or self.state
        self.created = True
        self._before = run.empirical_policy
        self.session.attempts[run.id] = claim.epoch

    def keep_parameters(self) -> StoreResult | None:
        """The request that keeps what a later attempt needs of the parameters beyond what is recorded of them, if anything."""
        if not self.context.durable or self._before is not None:
            return None
        return keep_beside(self.parameters, self.id)

    def restores(self, decision: Decision) -> bool:
        """Whether what earlier attempts have finished is looked up before the flow is called."""
        again = decision.epoch > 1 or decision.flow_run.run_count > 1
        return self.origin is not None or (again and (self.context.names_calls or self._before is not None))

    def resume(self, checkpoints: Checkpoints) -> None:
        """Take note of what earlier attempts have finished."""
        self.context.checkpoints = checkpoints
        if checkpoints.finished or checkpoints.unfinished:
            self.log.info(
                "Resumed: %d task runs are restored when they are called again, %d had not finished.",
                checkpoints.finished, checkpoints.unfinished,
            )  # fmt: skip

    def prepare(self) -> None:
        """Wait for upstream runs, check the parameters, and name the run.

        Raises `UpstreamFailed`, `ParameterTypeError` and `UsageError`.
        """
        context, flow = self.context, self.flow
        if self.upstream:
            context.parameters = {name: resolve(value) for name, value in context.parameters.items()}
            resolve(self.awaited)
        if flow.validates_parameters:
            context.parameters = flow.signature.validate(context.parameters)
        if flow.flow_run_name is not None:
            context.run.name = render_run_name(flow.flow_run_name, context.parameters, flow.name)

    def creation(self) -> CreateFlowRun | TakeUpFlowRun:
        """The request that creates the run, or tells what only the process which has the flow's code knows of it."""
        if self._before is not None:
            told = FlowRunUpdate(flow_version=self.flow.version, empirical_policy=self.policy(), name=self.name)
            return TakeUpFlowRun(self.record, told)
        run = FlowRunCreate(
            flow_id=self.id,  # replaced by the flow's id, which only the orchestrator knows
            id=self.id,
            name=self.name,
            flow_version=self.flow.version,
            parameters=recordable(self.parameters),
            context={} if self.parent is not None else locate(self.flow.fn),
            parent_task_run_id=self.parent_task_run_id,
            empirical_policy=self.policy(),
            tags=self.record.tags,
            state=StateCreate(type=StateType.PENDING),
        )
        return CreateFlowRun(FlowCreate(name=self.flow.name), run)

    def policy(self) -> FlowRunPolicy:
        """How often the flow is to be tried again, after how long, and what becomes of it when its process dies.

        What has happened to a run that was taken up (which pauses have fired, how often it was resumed) stays as it is.
        """
        delay = self.flow.retry_delay_seconds
        policy = FlowRunPolicy(
            retries=self.flow.retries,
            retry_delay=int(delay) if delay.is_integer() else None,  # the newer field holds whole seconds only
            retry_delay_seconds=delay,
        )
        if self.flow.on_crash is not None or self.context.durable:
            policy.on_crash = self.flow.on_crash or "resume"
            policy.max_resumes = self.flow.max_resumes
        before = self._before
        if before is not None:
            policy.pause_keys, policy.resuming, policy.retry_type = (
                before.pause_keys,
                before.resuming,
                before.retry_type,
            )
            policy.resumes = before.resumes
        return policy

    def begin(self, record: FlowRun) -> None:
        """Take note that the run exists."""
        self.created = True
        self.context.run = record

    def propose(
        self, kind: StateType, name: str | None = None, message: str | None = None, data: Any = None
    ) -> Propose:
        """The request to enter a state."""
        details = StateDetails(transition_id=uuid7())
        if kind is StateType.FAILED and self.iteration is not None and self.iteration.handed:
            details.retriable = False  # its caller has items already and would get them twice
        state = StateCreate(type=kind, name=name, message=message, data=data, state_details=details)
        return Propose(Proposal(flow_run_id=self.id, state=state, epoch=self.epoch))

    def decided(self, decision: Decision) -> None:
        """Take note of what was decided."""
        self.epoch = decision.epoch
        self.context.run = decision.flow_run
        if decision.state is not None:
            self.state = decision.state

    @property
    def start_name(self) -> str | None:
        """What its next start is called, if not simply Running. A run that was suspended has not failed."""
        return RETRYING if self.record.run_count and not self.record.empirical_policy.resuming else None

    def retries_here(self, state: State) -> bool:
        """Whether a run in this state waits in this process to be tried again."""
        policy = self.record.empirical_policy
        waits = state.type is StateType.SCHEDULED and state.name == AWAITING_RETRY
        return waits and policy.retry_type != "reschedule"

    def function(self) -> Any:
        """The user's function with its parameters, ready to be called."""
        args, kwargs = self.flow.signature.call_arguments(self.parameters)
        return partial(self.flow.fn, *args, **kwargs)


class ClaimedFlow(RunningFlow):
    """A run that the orchestrator knows already, claimed for this process, under the epoch of the claim."""

    def __init__(self, session: Session, flow: FlowDefinition, claim: Claim) -> None:
        super().__init__(session, flow, claim.flow_run.parameters, None)
        self.take_up(claim)

    def prepare(self) -> None:
        """Fill in the parameters that nobody gave, check them, and name the run. Raises as `RunningFlow.prepare`."""
        self.context.parameters = self.flow.signature.rebind(recall(self.session, self.id, self.parameters))
        super().prepare()
