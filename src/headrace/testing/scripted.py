"""The scripted driver: plays a lifecycle against a list of expected commands with prepared replies.

No clock, no database, no loop. Where script and lifecycle part, the failure shows both, up to that point:

    play(task_lifecycle(run), [emits(TaskRunFact), enters("Pending"), enters("Running"), calls(returns=1), enters("Completed")])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, Struct

from headrace.engine.commands import Ask, Call, Command, Emit, Give, Lifecycle, Next, Outcome, Sleep
from headrace.engine.requests import Propose
from headrace.schema.fact import StateFact, TaskStateFact

T = TypeVar("T")


class ScriptMismatch(AssertionError):
    """The lifecycle did something else than the script says."""


class Step(Struct, frozen=True):
    """One line of a script: the command expected, and what the lifecycle is told.

    `expects` returns what is wrong with a command, or None. `answer` makes the reply out of the command that came;
    `raises` is thrown into the lifecycle for what can be interrupted only so (`Ask`, `Emit`), and is the outcome of the rest.
    """

    text: str
    expects: Callable[[Command], str | None]
    answer: Callable[[Any], Any]
    raises: BaseException | None = None


def play(lifecycle: Lifecycle[T], script: Sequence[Step]) -> T:
    """Perform the lifecycle by the script and return what it returns; what it raises is raised.

    Raises `ScriptMismatch` when the two part: an other command, one too many, or an end too soon.
    """
    history: list[str] = []
    reply: Any = None
    error: BaseException | None = None
    for number, step in enumerate(script, 1):
        try:
            command = _resume(lifecycle, reply, error)
        except StopIteration as end:
            raise _parting(script, history, number, f"it returned {end.value!r}") from None
        wrong = step.expects(command)
        if wrong is not None:
            lifecycle.close()
            raise _parting(script, history, number, f"{show(command)} ({wrong})")
        history.append(show(command))
        reply, error = _reply_to(command, step)
    try:
        command = _resume(lifecycle, reply, error)
    except StopIteration as end:
        return end.value
    lifecycle.close()
    raise _parting(script, history, len(script) + 1, show(command))


def improvise(lifecycle: Lifecycle[T], answer: Callable[[Command], Any]) -> T:
    """Perform the lifecycle without a script: `answer` is given each command as it comes and says what the reply is.

    What it raises is thrown into the lifecycle for `Ask` and `Emit`, and is the outcome of the rest, as in a script; a
    `GeneratorExit` closes it. Returns what the lifecycle returns; what it raises is raised.
    """
    reply: Any = None
    error: BaseException | None = None
    while True:
        try:
            command = _resume(lifecycle, reply, error)
        except StopIteration as end:
            return end.value
        try:
            reply, error = answer(command), None
        except GeneratorExit:
            lifecycle.close()
            raise
        except BaseException as raised:  # noqa: BLE001 - a test may interrupt at any command
            reply, error = (None, raised) if isinstance(command, (Ask, Emit)) else (Outcome(None, raised), None)


def _resume(lifecycle: Lifecycle[Any], reply: Any, error: BaseException | None) -> Command:
    return lifecycle.send(reply) if error is None else lifecycle.throw(error)


def _reply_to(command: Command, step: Step) -> tuple[Any, BaseException | None]:
    if step.raises is None:
        return step.answer(command), None
    if isinstance(command, (Ask, Emit)):
        return None, step.raises
    return Outcome(None, step.raises), None


def _parting(script: Sequence[Step], history: Sequence[str], number: int, happened: str) -> ScriptMismatch:
    lines = [f"The lifecycle leaves its script at step {number} of {len(script)}."]
    lines += (f"  {place:>3}  {line}" for place, line in enumerate(history, 1))
    expected = script[number - 1].text if number <= len(script) else "the end"
    lines += (f"> {number:>3}  expected: {expected}", f"       happened: {happened}")
    lines += (f"  {place:>3}  (not reached: {step.text})" for place, step in enumerate(script[number:], number + 1))
    return ScriptMismatch("\n".join(lines))


def show(command: Command) -> str:
    """A command in one line."""
    match command:
        case Emit(fact=TaskStateFact(state=StateFact(name=name, message=message)), durable=durable):
            return f"enter {name}{f' ({message})' if message else ''}{', durably' if durable else ''}"
        case Emit(fact=fact):
            return f"emit {type(fact).__name__}"
        case Ask(request=Propose(proposal=proposal)):
            return f"propose {proposal.state.name or proposal.state.type.capitalize()}"
        case Ask(request=request):
            return f"ask {type(request).__name__}"
        case Call(function=function, timeout=timeout):
            name = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", "?")
            return f"call {name}{'' if timeout is None else f' within {timeout:g} s'}"
        case Sleep(delay=delay):
            return f"sleep {delay:g} s"
        case Give(item=item):
            return f"give {item!r}"
        case Next(error=GeneratorExit()):
            return "close the generator"
        case _:
            return "take the next item"


def emits(kind: type[Any], raises: BaseException | None = None, **fields: Any) -> Step:
    """A fact of this kind is emitted, with these fields."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Emit) or not isinstance(command.fact, kind):
            return f"no {kind.__name__} is emitted"
        return _differing(command.fact, fields)

    return Step(f"emit {kind.__name__}{_with(fields)}", expects, _nothing, raises)


def enters(
    name: str, message: str | None = None, durable: bool = False, raises: BaseException | None = None, **fields: Any
) -> Step:
    """The task run enters the state of this name; `fields` are the state's."""
    if message is not None:
        fields["message"] = message

    def expects(command: Command) -> str | None:
        if not isinstance(command, Emit) or not isinstance(command.fact, TaskStateFact):
            return "no state is entered"
        if command.durable is not durable:
            return "not durably" if durable else "durably"
        return _differing(command.fact.state, {"name": name, **fields})

    return Step(f"enter {name}{_with(fields)}{', durably' if durable else ''}", expects, _nothing, raises)


def asks(kind: type[Any], answer: Any = None, raises: BaseException | None = None, **fields: Any) -> Step:
    """A request of this kind is made, with these fields; it is answered by `answer`, called with the request if it can be."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Ask) or not isinstance(command.request, kind):
            return f"no {kind.__name__} is asked"
        return _differing(command.request, fields)

    return Step(f"ask {kind.__name__}{_with(fields)}", expects, _answering(answer), raises)


def proposes(name: str, answer: Any = None, raises: BaseException | None = None, **fields: Any) -> Step:
    """A flow-run state of this name is proposed; `fields` are the state's, `answer` as for `asks`."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Ask) or not isinstance(command.request, Propose):
            return "nothing is proposed"
        state = command.request.proposal.state
        proposed = state.name or state.type.capitalize()
        return f"{proposed} is proposed" if proposed != name else _differing(state, fields)

    return Step(f"propose {name}{_with(fields)}", expects, _answering(answer), raises)


def calls(
    returns: Any = UNSET, raises: BaseException | None = None, timeout: float | None = None, blocking: bool = False
) -> Step:
    """A function is called within this time limit. It is really called, unless it `returns` or `raises` by the script."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Call):
            return "nothing is called"
        return _differing(command, {"timeout": timeout, "blocking": blocking})

    def answer(command: Call) -> Outcome:
        if returns is not UNSET:
            return Outcome(returns)
        try:
            return Outcome(command.function(*command.args, **(command.kwargs or {})))
        except Exception as error:  # noqa: BLE001 - whatever user code raises is its outcome
            return Outcome(None, error)

    result = "" if returns is UNSET else f" which returns {returns!r}"
    limit = "" if timeout is None else f" within {timeout:g} s"
    return Step(f"call{limit}{', blocking,' if blocking else ''}{result}", expects, answer, raises)


def sleeps(delay: float | None = None, woken: bool = False, raises: BaseException | None = None) -> Step:
    """The lifecycle waits this long, or any time at all."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Sleep):
            return "there is no wait"
        return None if delay is None else _differing(command, {"delay": delay})

    text = "sleep" if delay is None else f"sleep {delay:g} s"
    return Step(text, expects, lambda _: Outcome(woken), raises)


def takes(item: Any = None, raises: BaseException | None = None, timeout: float | None = None, **fields: Any) -> Step:
    """The next item of a generator is taken; `fields` are what the generator is sent (`value`) or thrown (`error`)."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Next):
            return "no item is taken"
        return _differing(command, {"timeout": timeout, **fields})

    return Step(f"take the next item{_with(fields)}", expects, lambda _: Outcome(item), raises)


def gives(item: Any, sends: Any = None, raises: BaseException | None = None) -> Step:
    """The caller is given this item, and sends something or raises; `GeneratorExit` is what closing raises."""

    def expects(command: Command) -> str | None:
        if not isinstance(command, Give):
            return "nothing is given"
        return _differing(command, {"item": item})

    return Step(f"give {item!r}", expects, lambda _: Outcome(sends), raises)


def _nothing(_command: Command) -> None:
    """What those are told who are told nothing."""


def _answering(answer: Any) -> Callable[[Ask], Any]:
    return lambda command: answer(command.request) if callable(answer) else answer


def _differing(value: Any, fields: dict[str, Any]) -> str | None:
    for name, wanted in fields.items():
        found = getattr(value, name)
        if found != wanted:
            return f"{name} is {found!r}, not {wanted!r}"
    return None


def _with(fields: dict[str, Any]) -> str:
    return f" with {', '.join(f'{name}={value!r}' for name, value in fields.items())}" if fields else ""
