"""Variables in code: set, read and deleted through the session's own way to the orchestrator, in both colours."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headrace.base import errors
from headrace.connect import open_session
from headrace.engine.flow_definition import Flow
from headrace.engine.session import Session, close_session, swap_session
from headrace.testing import RecordingSession
from headrace.variables import Variable

Ask = Callable[..., Any]


@pytest.fixture
def session(quiet_logging: None) -> Iterator[Session]:
    opened = open_session()
    swap_session(opened)
    yield opened
    close_session()


@pytest.fixture(params=["on a thread", "in a loop"])
def ask(request: pytest.FixtureRequest, session: Session) -> Ask:
    """Calls `set`, `get` and `unset`, or their twins."""

    def call(verb: str, *args: Any, **options: Any) -> Any:
        if request.param == "on a thread":
            return getattr(Variable, verb)(*args, **options)
        return asyncio.run(getattr(Variable, f"a{verb}")(*args, **options))

    return call


def test_a_variable_is_set_read_and_deleted(ask: Ask) -> None:
    made = ask("set", "rates", {"a": [1, 2.5, None, True]}, tags=["money"])
    assert isinstance(made, Variable)
    assert (made.name, made.value, made.tags) == ("rates", {"a": [1, 2.5, None, True]}, ["money"])
    assert ask("get", "rates") == {"a": [1, 2.5, None, True]}
    assert ask("unset", "rates") is True
    assert ask("unset", "rates") is False
    assert ask("get", "rates") is None
    assert ask("get", "rates", default=3) == 3


def test_a_variable_is_set_anew_only_if_asked_for(ask: Ask) -> None:
    made = ask("set", "rate", 1, tags=["a"])
    with pytest.raises(errors.ObjectAlreadyExists, match="called 'rate' already; overwrite=True sets it anew"):
        ask("set", "rate", 2)
    anew = ask("set", "rate", None, overwrite=True)
    assert (anew.id, anew.value, anew.tags) == (made.id, None, ["a"])
    assert ask("set", "rate", 3, tags=[], overwrite=True).tags == []
    assert ask("get", "rate", 5) == 3


def test_a_flow_reads_variables(session: Session) -> None:
    Variable.set("rate", 3)
    assert Flow(lambda: Variable.get("rate"), name="flow")() == 3
    assert session.administration is session.administration


@pytest.mark.parametrize("value", [(1, 2), {1: 2}, math.nan, math.inf, object(), {"a": [b"x"]}, {1}])
def test_a_value_that_would_come_back_as_another_is_refused(session: Session, value: Any) -> None:
    with pytest.raises(errors.UsageError, match="The value of variable 'rate' must be what JSON can hold"):
        Variable.set("rate", value)


@pytest.mark.parametrize("name", ["", "x" * 256, None, 3])
def test_a_name_that_can_be_none_is_refused(session: Session, name: Any) -> None:
    with pytest.raises(errors.UsageError, match="A variable's name is a text of 1 to 255 characters, not"):
        Variable.set(name, 1)


def test_a_session_without_an_administration_says_so(home: object) -> None:
    with pytest.raises(errors.MissingContextError, match="no way to look at things"):
        _ = RecordingSession().administration


def test_an_inherited_session_looks_with_the_childs_own(session: Session) -> None:
    inherited = RecordingSession()
    inherited.inherited = True
    assert inherited.administration is session.administration
