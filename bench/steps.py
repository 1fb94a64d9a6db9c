"""A history that grows in steps, on either kind of database, and what its reads are called."""

from dataclasses import dataclass

GROWTH = 100
"""How many times longer the whole history is than the small one."""

MIDDLE = 20_000
"""The flow runs of the budget's first row about reads."""

KINDS = {"headrace": "SQLite", "headrace-postgresql": "PostgreSQL"}
"""The kinds of database by the subject whose figures they are."""


@dataclass(frozen=True)
class Step:
    """How much history there is when a server is asked."""

    key: str
    flow_runs: int
    groups: tuple[str, ...]
    """What is measured here."""


def make_steps(history: int) -> list[Step]:
    """Return the steps up to a history of so many flow runs: a hundredth, the budget's middle one, and all of it."""
    steps = [
        Step("small", history // GROWTH, ("growth", "ingest")),
        Step("whole", history, ("growth", "reads", "retention")),
    ]
    if history > MIDDLE:
        steps.insert(1, Step("middle", MIDDLE, ("reads",)))
    return steps


def name_read(step: str, question: str, percentile: str) -> str:
    """Return the measure of a read."""
    return f"reads-{step}-{question}-{percentile}"
