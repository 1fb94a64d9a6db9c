"""The states that the runs of a case went through, as a short text for each flow and task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby


def gather(runs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """The paths of the runs of each flow and task; how many runs went the same, where it is more than one.

    A state that is entered twice in a row counts once.
    """
    paths: dict[str, Counter[str]] = {}
    for name, states in runs:
        paths.setdefault(name, Counter())[" ".join(state for state, _ in groupby(_tries(states)))] += 1
    return {
        name: "; ".join(path if count == 1 else f"{path} ×{count}" for path, count in sorted(counted.items()))
        for name, counted in sorted(paths.items())
    }


def _tries(states: Iterable[str]) -> Iterator[str]:
    """The states without those between two tries and before a cached value, which the two SDKs do not say alike.

    Ours says AwaitingRetry and Retrying; the other neither where there is no delay, and a flow's next try is Running. It says
    Running, too, before Cached.
    """
    held = None
    for state in states:
        if held == "Running" and state != "Cached":
            yield held
        held = "Running" if state == "Retrying" else state
        if held not in {"Running", "AwaitingRetry"}:
            yield held
    if held in {"Running", "AwaitingRetry"}:
        yield held


def name_in(task_key: str) -> str:
    """The function's name out of the key of a task: both SDKs put a digest behind it, and one says where it stands."""
    return f"task {task_key.rpartition('-')[0].rpartition('.')[2]}"
