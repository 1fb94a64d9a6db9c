# pyright: basic
"""Functions that return a state in which no run ends."""

from __future__ import annotations

from typing import Any

from tests.semantics.collection import over
from tests.semantics.sdk import Sdk
from tests.semantics.ways import PLAIN, Use

STATES = {
    "pending": lambda of: of.Pending(),
    "running": lambda of: of.Running(),
    "paused": lambda of: of.Paused(),
    "scheduled": lambda of: of.Scheduled(),
    "cancelling": lambda of: of.Cancelling(),
}


@over(use={name: PLAIN[name] for name in ("flow-state", "task-state")}, state=STATES)
def returns_state(sdk: Sdk, use: Use, state: Any) -> Any:
    @use.define()
    def work(item: Any = 0) -> Any:
        return state(sdk.states)

    return use.run(work)
