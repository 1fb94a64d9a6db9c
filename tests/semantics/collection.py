"""Every case by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from tests.semantics.outcomes import describe, show
from tests.semantics.sdk import Sdk
from tests.semantics.ways import Use, Way


class Case(NamedTuple):
    """What a user does, and what its dimensions are in this instance of it."""

    play: Callable[..., Any]
    dimensions: Mapping[str, Any]

    def perform(self, sdk: Sdk) -> dict[str, Any]:
        """What comes of it: the value or the exception of the whole, and what was noted on the way."""
        given = {name: Use(sdk, value) if isinstance(value, Way) else value for name, value in self.dimensions.items()}
        try:
            outcome = {"gives": show(self.play(sdk, **given))}
        except BaseException as error:  # noqa: BLE001 - interrupts and exits are cases as well
            outcome = {"raises": describe(error)}
        notes = sdk.notes()
        if any(isinstance(value, Way) and value.is_concurrent for value in self.dimensions.values()):
            notes.sort()
        return {**outcome, "notes": notes} if notes else outcome


_cases: dict[str, Case] = {}


def case(play: Callable[..., Any]) -> Callable[..., Any]:
    """Collect a case that is played once."""
    return over()(play)


def over(**dimensions: Mapping[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Collect a case that is played once for each combination of what the dimensions name."""

    def collect(play: Callable[..., Any]) -> Callable[..., Any]:
        name = f"{play.__module__.rpartition('.')[2]}/{play.__name__}"
        for combination in product(*(dimension.items() for dimension in dimensions.values())):
            chosen = {key: value for key, (_, value) in zip(dimensions, combination, strict=True)}
            place = ",".join(label for label, _ in combination)
            key = f"{name}[{place}]" if place else name
            assert key not in _cases, key
            _cases[key] = Case(play, chosen)
        return play

    return collect


def collect_cases() -> Mapping[str, Case]:
    """The cases of all modules, by id."""
    for path in sorted(Path(__file__).with_name("cases").glob("[!_]*.py")):
        import_module(f"tests.semantics.cases.{path.stem}")
    return _cases
