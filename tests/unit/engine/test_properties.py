"""What holds for every run, whatever its code does and whenever it is interrupted: found out by trying."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import UNSET

from headrace.base import clock, errors
from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine.commands import Ask, Call, Command, Emit, Give, Next, Outcome, Sleep
from headrace.engine.flow_definition import Flow
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import RunningFlow
from headrace.engine.futures import Future
from headrace.engine.interrupts import DeadlineExceeded
from headrace.engine.requests import CreateFlowRun, FindLimited, FindResult, Propose, StoreResult, TakeSlots
from headrace.engine.results import Result, StoredResult
from headrace.engine.slots import Lease
from headrace.engine.task_definition import Task
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.rules.flow_policy import decide_flow_run
from headrace.rules.transitions import NOT_READY, ROLLED_BACK, flow_run_may, is_terminal, task_run_may
from headrace.rules.verdicts import Abort, Accept, FlowRunFacts, Reject, Transition, Wait
from headrace.schema.fact import TaskStateFact
from headrace.schema.orchestration import Decision, SlotGrant, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import State, StateCreate, StateType
from headrace.states import Cancelled, Completed, Crashed, Failed, Pending
from headrace.testing import FrozenClock, RecordingSession, frozen_clock, improvise

INTERRUPTS = (KeyboardInterrupt, SystemExit, asyncio.CancelledError)
ENDS: list[Callable[[], Any]] = [
    lambda: 7,
    lambda: None,
    lambda: Completed(name="Skipped"),
    lambda: Failed("no"),
    lambda: Cancelled("no"),
    lambda: Crashed("no"),
    Pending,
    lambda: [Completed(data=1), Failed("no")],
]
RAISED: list[Callable[[], BaseException]] = [
    lambda: ValueError("no"),
    lambda: errors.UsageError("no"),
    lambda: errors.CancelledRun("no"),
    lambda: DeadlineExceeded(1.0),
    lambda: DeadlineExceeded(1.0, still_running=True),
]


class World:
    """Answers every command of a lifecycle as chance will have it, and keeps what it has seen.

    `patience` bounds how often chance may put the end off; `calm` says that nothing interrupts.
    """

    def __init__(self, data: some.DataObject, time: FrozenClock, body: Callable[..., Any], calm: bool) -> None:
        self.data = data
        self.time = time
        self.body = body
        self.calm = calm
        self.patience = 12
        self.seen: list[Command] = []

    def draw(self, label: str, *choices: Any) -> Any:
        return self.data.draw(some.sampled_from(choices), label=label)

    def rarely(self, label: str) -> bool:
        """Whether something happens that may happen only so often."""
        if self.patience <= 0 or self.draw(label, *[False] * 7, True) is False:
            return False
        self.patience -= 1
        return True

    def answer(self, command: Command) -> Any:
        self.seen.append(command)
        self.time.now += self.draw("time passes", 0, 0, 1, 5_000_000, -5_000_000)
        if not self.calm and self.rarely("interrupted"):
            raise self.draw("by", *INTERRUPTS)
        match command:
            case Emit():
                return None
            case Ask(request=request):
                return self.ask(request)
            case Call(function=function, args=args, kwargs=kwargs):
                return self.call(function, args, kwargs or {})
            case Next(error=GeneratorExit()):
                return Outcome()
            case Next():
                return self.step()
            case Give():
                return self.take()
            case Sleep():
                return Outcome(self.rarely("woken because of a cancellation"))

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Outcome:
        if isinstance(function, partial) and function.func is self.body:
            return self.end()
        try:
            return Outcome(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - whatever user code raises is its outcome
            return Outcome(None, error)

    def end(self) -> Outcome:
        if self.draw("succeeds", True, False):
            return Outcome(self.draw("returns", *ENDS)())
        return Outcome(None, self.draw("raises", *RAISED)())

    def step(self) -> Outcome:
        if self.patience > 0 and self.draw("one more item", True, False):
            self.patience -= 1
            return Outcome("item")
        ended = self.draw("ends with", lambda: StopIteration(5), StopAsyncIteration, *RAISED)
        return Outcome(None, ended())

    def take(self) -> Outcome:
        outcome = self.draw("taken by", Outcome(), Outcome("sent"), GeneratorExit, ValueError)
        return outcome if isinstance(outcome, Outcome) else Outcome(None, outcome())

    def ask(self, request: Any) -> Any:
        match request:
            case FindResult():
                return self.draw("found", None, Result(5, StoredResult("key", "/nowhere", "pickle", 1)))
            case StoreResult():
                if self.rarely("cannot be kept"):
                    raise errors.SerializationError("no")
                return Result(request.value, StoredResult(request.storage_key, "/nowhere", "pickle", 1))
            case FindLimited():
                return self.draw("limited", [], list(request.names))
            case TakeSlots():
                if self.rarely("has to wait for slots"):
                    return SlotGrant(lease_id=None, names=[], position=1, retry_after=0.1)
                request.holder.lease = Lease(uuid7(), request.request.names, 60.0)
                return SlotGrant(lease_id=request.holder.lease.id, names=request.request.names)
            case _:
                return None


def explode(*_: Any) -> Any:
    raise LookupError("no such thing")


def leave(*_: Any) -> Any:
    raise SystemExit(3)


def nothing(*_: Any) -> None:
    """A hook, or a condition that says no."""


def yes(*_: Any) -> bool:
    return True


def body(x: Any = None) -> Any:
    raise AssertionError("The world decides what becomes of the body.")


def items(x: Any = None) -> Any:
    yield x


hooks = some.lists(some.sampled_from([nothing, explode, leave]), max_size=2)
ended_states: list[Callable[[], Any]] = [Completed, Failed, Cancelled]
task_options = some.fixed_dictionaries(
    {},
    optional={
        "retries": some.integers(0, 3),
        "retry_delay_seconds": some.sampled_from([0, 1, [0, 2]]),
        "retry_condition_fn": some.sampled_from([yes, nothing, explode, leave]),
        "timeout_seconds": some.just(1.0),
        "cache_policy": some.just(INPUTS),
        "persist_result": some.booleans(),
        "task_run_name": some.sampled_from(["run {x}", "run {y}", explode]),
        "result_storage_key": some.sampled_from(["kept {x}", "kept {parameters[x]}"]),
        "tags": some.just(["limited"]),
        "durable": some.booleans(),
        "on_running": hooks,
        "on_completion": hooks,
        "on_failure": hooks,
        "on_commit": hooks,
        "on_rollback": hooks,
    },
)


@settings(max_examples=150)
@given(some.data(), task_options, some.booleans(), some.booleans())
def test_task_runs(data: some.DataObject, options: dict[str, Any], generator: bool, calm: bool) -> None:
    session = RecordingSession()
    fn = items if generator else body
    task = Task(fn, **options)
    with frozen_clock() as time:
        world = World(data, time, fn, calm)
        run = RunningTask(session, task, {"x": _argument(world)}, None)
        try:
            state = improvise(task_lifecycle(run), world.answer)
        except BaseException as error:  # noqa: BLE001 - interrupted, or by a hook after its end
            assert not isinstance(error, (AssertionError, RuntimeError)), error  # noqa: PT017 - neither is an interrupt
            state = run.ended
    facts = [command.fact for command in world.seen if isinstance(command, Emit)]
    states = [fact for fact in facts if isinstance(fact, TaskStateFact)]
    _check_order(states)
    last = next((fact.state for fact in reversed(states) if fact.state.name != ROLLED_BACK), None)
    if state is not None:
        assert is_terminal(state.type) or state.name == NOT_READY
        assert last is not None
        assert (last.type, last.name) == (state.type, state.name)
    if calm:
        assert state is not None
    assert sum(is_terminal(fact.state.type) and fact.state.name != ROLLED_BACK for fact in states) <= 1
    assert run.run_count <= task.retries + 1
    assert run.run_count == max((fact.run_count for fact in states), default=0)
    assert run.hold.lease is None
    assert run.id not in session.unfinished


def _argument(world: World) -> Any:
    """A value, or a future of a run that has ended in one way or the other."""
    if world.draw("needs another run", False, False, True):
        future: Future[Any] = Future(uuid7(), "upstream")
        future.end(world.draw("which ended", *ended_states)())
        return future
    return 1


def _check_order(states: list[TaskStateFact]) -> None:
    """Numbers and times increase, and each step from a state to the next one is an arc of the table."""
    for before, after in pairwise(states):
        assert before.state.ordinal < after.state.ordinal
        assert before.state.timestamp < after.state.timestamp
        assert before.run_count <= after.run_count
        if after.state.ordinal == before.state.ordinal + 1:
            assert task_run_may(before.state.type, after.state.type)
    ended = [is_terminal(fact.state.type) for fact in states]
    if True in ended:
        assert all(fact.state.name == ROLLED_BACK for fact in states[ended.index(True) + 1 :])


class Orchestrator:
    """One flow run as the rules decide it, with somebody who may get in the way."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.run: FlowRun | None = None
        self.history: list[StateType] = []
        self.refused = False

    def create(self, request: CreateFlowRun) -> FlowRun:
        made = request.run
        assert made.id is not None
        self.run = FlowRun(id=made.id, flow_id=uuid7(), name=made.name or "", empirical_policy=made.empirical_policy)
        self._enter(StateCreate(type=StateType.PENDING))
        return self._copy()

    def propose(self, request: Propose) -> Decision:
        if self.run is None:
            raise errors.ObjectNotFound("There is no such run.")
        if self.world.rarely("cancelled by somebody"):
            self._decide(StateCreate(type=StateType.CANCELLING))
        if self.world.rarely("another attempt"):
            self.refused = True
            raise errors.StaleEpoch("A newer attempt exists.")
        if self.world.rarely("cannot be reached"):
            self.refused = True
            raise errors.Unavailable("Nobody answers.")
        verdict = self._decide(request.proposal.state)
        verb = {Accept: Verb.ACCEPT, Reject: Verb.REJECT, Wait: Verb.WAIT, Abort: Verb.ABORT}[type(verdict)]
        return Decision(
            verb=verb,
            state=self._copy().state,
            written=True,
            epoch=1,
            flow_run=self._copy(),
            reason=getattr(verdict, "reason", None),
            delay=getattr(verdict, "delay", None),
        )

    def _decide(self, target: StateCreate) -> Accept | Reject | Wait | Abort:
        run = self._known()
        facts = FlowRunFacts(
            flow_run_id=run.id,
            now=clock.micros(),
            policy=run.empirical_policy,
            run_count=run.run_count,
            held=StateType.RUNNING in self.history,
        )
        verdict = decide_flow_run(Transition(target=target, source=run.state, epoch=1), facts)
        if isinstance(verdict, (Accept, Reject)) and verdict.state is not None:
            self._enter(verdict.state)
        return verdict

    def _enter(self, state: StateCreate) -> None:
        run = self._known()
        assert flow_run_may(self.history[-1] if self.history else None, state.type)
        self.history.append(state.type)
        run.run_count += state.type is StateType.RUNNING
        run.state = State(type=state.type, name=state.name, message=state.message, state_details=state.state_details)

    def _known(self) -> FlowRun:
        assert self.run is not None
        return self.run

    def _copy(self) -> FlowRun:
        """The run as it was sent: what is done with it there changes nothing here."""
        run = self._known()
        state = run.state
        assert state is not None
        copied = State(
            type=state.type, name=state.name, message=state.message, state_details=state.state_details, timestamp=UNSET
        )
        return FlowRun(
            id=run.id,
            flow_id=run.flow_id,
            name=run.name,
            run_count=run.run_count,
            empirical_policy=run.empirical_policy,
            state=copied,
        )


class FlowWorld(World):
    """A world with an orchestrator in it."""

    def __init__(self, data: some.DataObject, time: FrozenClock, body: Callable[..., Any], calm: bool) -> None:
        super().__init__(data, time, body, calm)
        self.orchestrator = Orchestrator(self)

    def ask(self, request: Any) -> Any:
        match request:
            case CreateFlowRun():
                return self.orchestrator.create(request)
            case Propose():
                return self.orchestrator.propose(request)
            case _:
                return super().ask(request)


flow_options = some.fixed_dictionaries(
    {},
    optional={
        "retries": some.integers(0, 3),
        "retry_delay_seconds": some.sampled_from([0, 1, 0.5]),
        "timeout_seconds": some.just(1.0),
        "persist_result": some.booleans(),
        "flow_run_name": some.sampled_from(["run {x}", "run {y}", explode]),
        "on_running": hooks,
        "on_completion": hooks,
        "on_failure": hooks,
        "on_cancellation": hooks,
        "on_crashed": hooks,
    },
)


@settings(max_examples=150)
@given(some.data(), flow_options, some.booleans(), some.booleans())
def test_flow_runs(data: some.DataObject, options: dict[str, Any], generator: bool, calm: bool) -> None:
    fn = items if generator else body
    flow = Flow(fn, **options)
    raised: BaseException | None = None
    state: State | None = None
    with frozen_clock() as time:
        world = FlowWorld(data, time, fn, calm)
        run = RunningFlow(RecordingSession(), flow, {"x": 1}, None)
        try:
            state = improvise(flow_lifecycle(run), world.answer)
        except BaseException as error:  # noqa: BLE001 - interrupted, or not allowed to begin
            raised = error
    orchestrator = world.orchestrator
    history = orchestrator.history
    ended = [is_terminal(kind) for kind in history]
    assert sum(ended) <= 1
    assert True not in ended[:-1]
    assert history.count(StateType.RUNNING) <= flow.retries + 1
    if state is not None:
        assert is_terminal(state.type)
        if calm and not orchestrator.refused:
            assert state.type is history[-1]
    else:
        assert raised is not None
        assert not isinstance(raised, (AssertionError, RuntimeError))
    if calm and not orchestrator.refused and orchestrator.run is not None:
        assert ended[-1]


@settings(max_examples=100)
@given(some.data(), task_options, some.booleans())
def test_a_task_run_can_be_left_anywhere(data: some.DataObject, options: dict[str, Any], generator: bool) -> None:
    """A lifecycle that is closed, as the process ends, says nothing more and keeps no slots."""
    fn = items if generator else body
    session = RecordingSession()
    left = data.draw(some.integers(0, 15), label="left at command")
    with frozen_clock() as time:
        world = World(data, time, fn, calm=True)
        run = RunningTask(session, Task(fn, **options), {"x": 1}, None)

        def answer(command: Command) -> Any:
            if len(world.seen) == left:
                raise GeneratorExit
            return world.answer(command)

        try:
            improvise(task_lifecycle(run), answer)
        except BaseException as error:  # noqa: BLE001 - left, or a hook that exits
            assert isinstance(error, (GeneratorExit, SystemExit))  # noqa: PT017 - which one depends on chance
    assert run.hold.lease is None
