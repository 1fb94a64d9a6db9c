"""Interrupted at each command, before it is performed or just after: every run ends, and the interrupt goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from headrace.base.ids import uuid7
from headrace.cache_policies import INPUTS
from headrace.engine.commands import Ask, Call, Command, Emit, Lifecycle, Outcome, Sleep
from headrace.engine.flow_definition import Flow
from headrace.engine.flow_lifecycle import flow_lifecycle
from headrace.engine.flow_run import RunningFlow
from headrace.engine.outcomes import finish
from headrace.engine.requests import (
    CreateFlowRun,
    FindLimited,
    FindResult,
    GiveSlotsBack,
    LeaveLine,
    Propose,
    TakeSlots,
)
from headrace.engine.slots import Lease
from headrace.engine.task_definition import Task
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.engine.task_run import RunningTask
from headrace.schema.fact import TaskRunFact, TaskStateFact
from headrace.schema.orchestration import Decision, SlotGrant, SlotRequest, Verb
from headrace.schema.run import FlowRun
from headrace.schema.state import TERMINAL, State, StateType
from headrace.testing import RecordingSession
from tests.unit.engine.cases import kept
from tests.unit.engine.task_cases import do_nothing, ended

INTERRUPTS = [KeyboardInterrupt, SystemExit, asyncio.CancelledError]


class Performer:
    """Performs commands without I/O, and interrupts the one with a given number, before or after performing it."""

    def __init__(self, interrupt: BaseException, at: int, after: bool) -> None:
        self.interrupt = interrupt
        self.at = at
        self.after = after
        self.commands: list[Command] = []
        self.facts: list[Any] = []
        self.states: list[State] = []
        self.asked: list[UUID] = []
        self.slots: list[UUID] = []

    def drive(self, lifecycle: Lifecycle[State]) -> State:
        reply: Any = None
        error: BaseException | None = None
        while True:
            try:
                command = lifecycle.send(reply) if error is None else lifecycle.throw(error)
            except StopIteration as end:
                return end.value
            self.commands.append(command)
            reply, error = None, None
            hit = len(self.commands) - 1 == self.at
            if not hit or self.after:
                reply = self.perform(command)
            if hit:
                if isinstance(command, (Ask, Emit)):
                    error = self.interrupt
                else:
                    reply = Outcome(None, self.interrupt)

    def perform(self, command: Command) -> Any:
        match command:
            case Emit(fact=fact):
                self.facts.append(fact)
                return None
            case Ask(request=request):
                return self.answer(request)
            case Call(function=function, args=args, kwargs=kwargs):
                try:
                    return Outcome(function(*args, **(kwargs or {})))
                except Exception as error:  # noqa: BLE001 - whatever it raises is its outcome
                    return Outcome(None, error)
            case Sleep():
                return Outcome(False)
            case _:
                raise AssertionError(command)

    def answer(self, request: Any) -> Any:
        match request:
            case FindResult():
                return None
            case FindLimited(names=names):
                return names
            case TakeSlots(request=request, holder=holder):
                return self.grant(request, holder)
            case GiveSlotsBack(lease=lease):
                self.slots = [held for held in self.slots if held != lease.id]
                return None
            case LeaveLine():
                self.slots.clear()
                return None
            case CreateFlowRun(run=run):
                self.states.append(State(type=StateType.PENDING))
                return FlowRun(id=run.id or uuid7(), flow_id=uuid7(), name=run.name or "")
            case Propose(proposal=proposal):
                return self.decide(proposal)
            case _:
                return kept(request)

    def grant(self, request: SlotRequest, holder: Any) -> SlotGrant:
        """There is room when it is asked for the second time."""
        self.asked.append(request.request_id)
        if self.asked.count(request.request_id) == 1:
            return SlotGrant(lease_id=None, names=request.names, position=1, retry_after=1.0)
        self.slots.append(uuid7())
        holder.lease = Lease(self.slots[-1], request.names, request.duration)
        return SlotGrant(lease_id=self.slots[-1], names=request.names)

    def decide(self, proposal: Any) -> Decision:
        """A failure is tried again once; what has ended stays as it ended."""
        wanted = State(type=proposal.state.type, name=proposal.state.name, message=proposal.state.message)
        failures = sum(state.name == "AwaitingRetry" for state in self.states)
        verb = Verb.ACCEPT
        if self.states and self.states[-1].is_final():
            verb, wanted = Verb.REJECT, self.states[-1]
        elif wanted.is_failed() and not failures:
            verb, wanted = Verb.REJECT, State(type=StateType.SCHEDULED, name="AwaitingRetry")
        self.states.append(wanted)
        count = sum(state.is_running() for state in self.states)
        run = FlowRun(id=proposal.flow_run_id, flow_id=uuid7(), name="x", run_count=count)
        state = State(type=wanted.type, name=wanted.name, message=wanted.message)
        return Decision(verb=verb, state=state, written=True, epoch=1, flow_run=run)


def make_task_run() -> tuple[RunningTask, Lifecycle[State]]:
    """A run that meets every command: an upstream run, a name, a cache, hooks, a retry, a returned future, a kept value."""
    attempts: list[int] = []

    def work(x: int) -> Any:
        attempts.append(x)
        if len(attempts) == 1:
            raise LookupError("the first time")
        return ended(State(type=StateType.COMPLETED))

    task = Task(
        work,
        tags=["db"],
        task_run_name="work on {x}",
        cache_policy=INPUTS,
        result_storage_key="{x}",
        retries=1,
        retry_delay_seconds=1,
        retry_condition_fn=lambda task, run, state: True,  # pyright: ignore[reportUnknownLambdaType]
        on_running=[do_nothing],
        on_completion=[do_nothing],
    )
    run = RunningTask(RecordingSession(), task, {"x": ended(State(type=StateType.COMPLETED))}, None)
    return run, task_lifecycle(run)


def make_flow_run() -> tuple[RunningFlow, Lifecycle[State]]:
    """A run that meets every command: a parent, an upstream run, hooks, a retry, a returned future, a kept value."""
    attempts: list[int] = []

    def work(x: Any) -> Any:
        attempts.append(x)
        if len(attempts) == 1:
            raise LookupError("the first time")
        return [ended(State(type=StateType.COMPLETED))]

    parent, _ = make_parent()
    flow = Flow(work, persist_result=True, on_running=[do_nothing], on_completion=[do_nothing])
    run = RunningFlow(parent.session, flow, {"x": ended(State(type=StateType.COMPLETED))}, parent.context)
    return run, flow_lifecycle(run)


def make_parent() -> tuple[RunningFlow, None]:
    return RunningFlow(RecordingSession(), Flow(do_nothing), {}, None), None


def count_commands(make: Callable[[], tuple[Any, Lifecycle[State]]]) -> int:
    performer = Performer(KeyboardInterrupt(), -1, after=False)
    _, lifecycle = make()
    assert performer.drive(lifecycle).is_completed()
    return len(performer.commands)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", INTERRUPTS)
def test_a_task_run_interrupted_at_any_command_ends(home: object, kind: type[BaseException], after: bool) -> None:
    for at in range(count_commands(make_task_run)):
        interrupt = kind()
        performer = Performer(interrupt, at, after)
        _, lifecycle = make_task_run()
        with pytest.raises(kind) as caught:
            finish(performer.drive(lifecycle), return_state=True)
        assert caught.value is interrupt
        assert performer.slots == []
        states = [fact.state for fact in performer.facts if isinstance(fact, TaskStateFact)]
        ends = [state.name for state in states if state.type in TERMINAL]
        interrupted = performer.commands[at]
        if isinstance(interrupted, Emit) and isinstance(interrupted.fact, TaskStateFact):
            last = interrupted.fact.state
            if last.type in TERMINAL:  # that fact may or may not have been journaled, and nothing can be taken back
                assert ends == ([last.name] if after else [])
                continue
        if ends == ["Completed"]:  # interrupted in a hook, when all was told
            assert isinstance(interrupted, Call)
            assert at == len(performer.commands) - 1
        else:
            assert ends == ["Crashed"], (at, interrupted)
            assert states[-1].name == "Crashed"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", INTERRUPTS)
def test_a_flow_run_interrupted_at_any_command_ends(home: object, kind: type[BaseException], after: bool) -> None:
    for at in range(count_commands(make_flow_run)):
        interrupt = kind()
        performer = Performer(interrupt, at, after)
        run, lifecycle = make_flow_run()
        with pytest.raises(kind) as caught:
            performer.drive(lifecycle)
        assert caught.value is interrupt
        assert run.ended is not None
        assert performer.states[-1].is_final(), (at, performer.commands[at])
        assert performer.states[-1].type in {StateType.CRASHED, StateType.COMPLETED}


def test_what_announces_a_run_is_told_before_its_end(home: object) -> None:
    """A run that is interrupted while it is announced may have no record yet; its end is told all the same."""
    performer = Performer(KeyboardInterrupt(), 0, after=True)
    _, lifecycle = make_task_run()
    performer.drive(lifecycle)
    assert [type(fact) for fact in performer.facts] == [TaskRunFact, TaskStateFact]
