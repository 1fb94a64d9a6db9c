"""How routes get the gateways: as parameters `execution` and `administration` of their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from headrace.gateway.administration import Administration
from headrace.gateway.execution import Execution

Runs = NamedDependency[SkipValidation[Execution]]
"""What runs, workers and their like may ask."""
Office = NamedDependency[SkipValidation[Administration]]
"""What people and their tools may ask."""


def provide(**given: object) -> dict[str, Provide]:
    """The dependencies of the app: what routes get as the parameters of these names."""
    return {name: Provide(_give(value), sync_to_thread=False) for name, value in given.items()}


def _give(value: object) -> Callable[[], Any]:
    def give() -> Any:
        return value

    return give
