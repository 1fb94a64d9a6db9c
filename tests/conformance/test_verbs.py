"""The suite itself is tested: a verb that no test asks for would be a promise that nobody keeps."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution

SUITE = sorted(Path(__file__).parent.glob("*.py"))


def verbs_of(protocol: type) -> dict[str, Callable[..., Any]]:
    """The verbs of a protocol, those it takes from others included."""
    kinds = [kind for kind in protocol.__mro__ if kind.__module__.startswith("headrace.")]
    members = {name: member for kind in kinds for name, member in vars(kind).items()}
    return {name: member for name, member in members.items() if callable(member) and not name.startswith("_")}


def asked_of(gateway: str) -> set[str]:
    """The attributes that the suite takes of anything called so."""
    return {
        node.attr
        for path in SUITE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and (
            (isinstance(node.value, ast.Name) and node.value.id == gateway)
            or (isinstance(node.value, ast.Attribute) and node.value.attr == gateway)
        )
    }


@pytest.mark.parametrize(("protocol", "gateway"), [(Execution, "execution"), (Administration, "administration")])
def test_every_verb_is_exercised(protocol: type, gateway: str) -> None:
    assert verbs_of(protocol).keys() - asked_of(gateway) == set()


@pytest.mark.parametrize(("protocol", "gateway"), [(Execution, "execution"), (Administration, "administration")])
def test_every_verb_says_what_it_promises(protocol: type, gateway: str) -> None:
    assert {name for name, verb in verbs_of(protocol).items() if not verb.__doc__} == set()


def test_both_protocols_have_verbs() -> None:
    assert len(verbs_of(Execution)) > 15
    assert len(verbs_of(Administration)) > 30
