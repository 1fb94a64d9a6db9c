"""The scripted driver: plays what fits, and shows where script and lifecycle part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from headrace.base.ids import uuid7
from headrace.engine.commands import Ask, Call, Command, Emit, Lifecycle, Outcome, ask, call, emit, give, sleep, step
from headrace.engine.requests import FindResult, Propose
from headrace.engine.steps import Steps
from headrace.schema.fact import StateFact, TaskNameFact, TaskStateFact
from headrace.schema.orchestration import Proposal
from headrace.schema.state import StateCreate, StateType
from headrace.testing import (
    ScriptMismatch,
    Step,
    asks,
    calls,
    emits,
    enters,
    gives,
    improvise,
    play,
    proposes,
    sleeps,
    takes,
)

RUN = uuid7()


def entering(name: str, message: str | None = None, durable: bool = False) -> Lifecycle[None]:
    state = StateFact(1, StateType.RUNNING, name, 0, message)
    return emit(TaskStateFact(RUN, None, state, 1), durable)


def proposal(kind: StateType, message: str | None = None) -> Propose:
    return Propose(Proposal(flow_run_id=RUN, state=StateCreate(type=kind, message=message)))


STEPS = Steps((letter for letter in "a"), cast("Any", None))
"""Of no run: a script says what becomes of them."""


def double(x: int) -> int:
    return 2 * x


def everything() -> Lifecycle[list[Any]]:
    """A lifecycle with a command of each kind."""
    told: list[Any] = []
    yield from emit(TaskNameFact(RUN, "x"))
    yield from entering("Running")
    told.append((yield from ask(FindResult("key"))))
    told.append((yield from ask(proposal(StateType.COMPLETED))))
    told.append((yield from call(double, 4)).value)
    told.append((yield from call(double, 4, timeout=3, blocking=True)).value)
    told.append((yield from sleep(1.5)).value)
    told.append((yield from step(STEPS)).value)
    told.append((yield from give("an item")).value)
    return told


def whose(request: Propose) -> Any:
    return request.proposal.flow_run_id


SCRIPT = (
    emits(TaskNameFact, name="x"),
    enters("Running"),
    asks(FindResult, "found", storage_key="key"),
    proposes("Completed", whose),
    calls(),
    calls(returns="by script", timeout=3, blocking=True),
    sleeps(1.5, woken=True),
    takes("an item"),
    gives("an item", sends="thanks"),
)


def test_what_fits_is_played_to_its_end() -> None:
    assert play(everything(), SCRIPT) == ["found", RUN, 8, "by script", True, "an item", "thanks"]


def test_what_the_lifecycle_raises_is_raised() -> None:
    def lifecycle() -> Lifecycle[None]:
        yield from emit(TaskNameFact(RUN, "x"))
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        play(lifecycle(), [emits(TaskNameFact)])


def test_a_script_can_raise_at_each_command() -> None:
    def lifecycle() -> Lifecycle[list[BaseException | None]]:
        told: list[BaseException | None] = []
        commands: list[Callable[[], Lifecycle[Any]]] = [
            lambda: emit(TaskNameFact(RUN, "x")),
            lambda: entering("Running"),
            lambda: ask(FindResult("key")),
            lambda: ask(proposal(StateType.RUNNING)),
        ]
        for command in commands:
            try:
                yield from command()
            except KeyboardInterrupt as error:
                told.append(error)
        outcomes: list[Outcome] = [(yield from call(double)), (yield from sleep(1))]
        outcomes += [(yield from step(STEPS)), (yield from give(1))]
        return [*told, *(outcome.error for outcome in outcomes)]

    stop = KeyboardInterrupt()
    script = (
        emits(TaskNameFact, raises=stop),
        enters("Running", raises=stop),
        asks(FindResult, raises=stop),
        proposes("Running", raises=stop),
        calls(raises=stop),
        sleeps(raises=stop),
        takes(raises=stop),
        gives(1, raises=stop),
    )
    assert play(lifecycle(), script) == [stop] * 8


def test_what_a_function_raises_is_its_outcome() -> None:
    def lifecycle() -> Lifecycle[Outcome]:
        return (yield from call(double, "a", "b"))

    assert isinstance(play(lifecycle(), [calls()]).error, TypeError)


@pytest.mark.parametrize(
    ("command", "step", "says"),
    [
        (lambda: emit(TaskNameFact(RUN, "y")), emits(TaskNameFact, name="x"), "name is 'y', not 'x'"),
        (lambda: sleep(1), emits(TaskNameFact), "no TaskNameFact is emitted"),
        (lambda: entering("Running"), emits(TaskNameFact), "no TaskNameFact is emitted"),
        (lambda: entering("Running"), enters("Completed"), "name is 'Running', not 'Completed'"),
        (lambda: entering("Failed", "why"), enters("Failed", "because"), "message is 'why', not 'because'"),
        (lambda: entering("Running"), enters("Running", durable=True), "not durably"),
        (lambda: entering("Running", durable=True), enters("Running"), "durably"),
        (lambda: sleep(1), enters("Running"), "no state is entered"),
        (lambda: emit(TaskNameFact(RUN, "y")), enters("Running"), "no state is entered"),
        (lambda: sleep(1), asks(FindResult), "no FindResult is asked"),
        (lambda: ask(proposal(StateType.RUNNING)), asks(FindResult), "no FindResult is asked"),
        (lambda: ask(FindResult("a")), asks(FindResult, storage_key="b"), "storage_key is 'a', not 'b'"),
        (lambda: ask(FindResult("a")), proposes("Running"), "nothing is proposed"),
        (lambda: sleep(1), proposes("Running"), "nothing is proposed"),
        (lambda: ask(proposal(StateType.RUNNING)), proposes("Failed"), "Running is proposed"),
        (lambda: ask(proposal(StateType.FAILED, "a")), proposes("Failed", message="b"), "message is 'a', not 'b'"),
        (lambda: sleep(1), calls(), "nothing is called"),
        (lambda: call(double, timeout=1), calls(timeout=2), "timeout is 1, not 2"),
        (lambda: call(double, blocking=True), calls(), "blocking is True, not False"),
        (lambda: call(double), sleeps(), "there is no wait"),
        (lambda: sleep(1), sleeps(2), "delay is 1, not 2"),
        (lambda: sleep(1), takes(), "no item is taken"),
        (lambda: step(STEPS, "a"), takes(value="b"), "value is 'a', not 'b'"),
        (lambda: sleep(1), gives(1), "nothing is given"),
        (lambda: give(1), gives(2), "item is 1, not 2"),
    ],
)
def test_where_they_part_is_said(command: Callable[[], Lifecycle[Any]], step: Step, says: str) -> None:
    closed: list[bool] = []

    def lifecycle() -> Lifecycle[None]:
        try:
            yield from command()
        finally:
            closed.append(True)

    with pytest.raises(ScriptMismatch) as caught:
        play(lifecycle(), [step])
    assert f"({says})" in str(caught.value)
    assert closed == [True]


def test_the_failure_shows_both_up_to_the_parting() -> None:
    script = [*SCRIPT[:4], sleeps(2.0), enters("Completed")]
    with pytest.raises(ScriptMismatch) as caught:
        play(everything(), script)
    assert str(caught.value).splitlines() == [
        "The lifecycle leaves its script at step 5 of 6.",
        "    1  emit TaskNameFact",
        "    2  enter Running",
        "    3  ask FindResult",
        "    4  propose Completed",
        ">   5  expected: sleep 2 s",
        "       happened: call double (there is no wait)",
        "    6  (not reached: enter Completed)",
    ]


def test_an_end_too_soon_is_said() -> None:
    with pytest.raises(ScriptMismatch, match=r"(?s)expected: call within 5 s.*happened: it returned 7"):
        play(returning(7), [sleeps(), calls(timeout=5)])


def returning(value: int) -> Lifecycle[int]:
    yield from sleep(1)
    return value


def test_a_command_too_many_is_said() -> None:
    with pytest.raises(
        ScriptMismatch, match=r"(?s)leaves its script at step 2 of 1.*expected: the end.*happened: sleep"
    ):
        play(twice(), [sleeps()])


def twice() -> Lifecycle[None]:
    yield from sleep(1)
    yield from sleep(2)


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (emits(TaskNameFact, name="x"), "emit TaskNameFact with name='x'"),
        (enters("Failed", "why", durable=True), "enter Failed with message='why', durably"),
        (asks(FindResult), "ask FindResult"),
        (proposes("Running"), "propose Running"),
        (calls(returns=3, timeout=1, blocking=True), "call within 1 s, blocking, which returns 3"),
        (sleeps(), "sleep"),
        (takes(), "take the next item"),
        (takes(value=3), "take the next item with value=3"),
        (gives("a"), "give 'a'"),
    ],
)
def test_steps_say_what_they_expect(step: Step, shown: str) -> None:
    assert step.text == shown


def test_commands_are_shown_in_one_line() -> None:
    from functools import partial

    from headrace.testing.scripted import show

    assert show(Emit(TaskStateFact(RUN, None, StateFact(1, StateType.FAILED, "Failed", 0, "why"), 1), True)) == (
        "enter Failed (why), durably"
    )
    assert show(Call(partial(double, 4), timeout=2)) == "call double within 2 s"
    assert show(Call(object())) == "call ?"  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert show(next(step(STEPS))) == "take the next item"
    assert show(next(step(STEPS, error=GeneratorExit()))) == "close the generator"
    assert show(next(give("a"))) == "give 'a'"
    assert show(next(sleep(0.5))) == "sleep 0.5 s"


def test_improvised_replies_go_in_as_they_are_made() -> None:
    stop = KeyboardInterrupt()

    def lifecycle() -> Lifecycle[list[Any]]:
        told: list[Any] = [(yield from ask(FindResult("key"))), (yield from call(double, 4)), (yield from sleep(1))]
        try:
            yield from emit(TaskNameFact(RUN, "x"))
        except KeyboardInterrupt as error:
            told.append(error)
        return told

    def answer(command: Command) -> Any:
        match command:
            case Ask():
                return "found"
            case Call():
                return Outcome(8)
            case _:
                raise stop

    assert improvise(lifecycle(), answer) == ["found", Outcome(8), Outcome(None, stop), stop]


def test_an_improvised_exit_closes_the_lifecycle() -> None:
    closed: list[bool] = []

    def lifecycle() -> Lifecycle[None]:
        try:
            yield from sleep(1)
        finally:
            closed.append(True)

    def answer(command: Command) -> Any:
        raise GeneratorExit

    with pytest.raises(GeneratorExit):
        improvise(lifecycle(), answer)
    assert closed
