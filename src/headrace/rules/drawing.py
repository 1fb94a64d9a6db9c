"""Draws the state machine: `python -m headrace.rules.drawing` writes docs/states.md from the tables of transitions.

With `--check` it writes nothing and fails when the file on disk is not what would be written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from headrace.rules.flow_policy import FLOW_RUN_POLICY, FORCED_POLICY
from headrace.rules.transitions import FLOW_RUN_ARCS, MEANINGS, NAMES, TASK_RUN_ARCS, Arc

PAGE = Path("docs/states.md")

INTRODUCTION = """\
# States

Drawn by `python -m headrace.rules.drawing` from the tables in `headrace/rules/transitions.py`: change those.

A run is in one state at a time. A state has one of nine types, which says what the run is doing, and a name, which may
say it more exactly. COMPLETED, FAILED, CANCELLED and CRASHED are final: no run leaves them by itself, and only an
explicit rerun opens a new attempt (see [durable-runs.md](durable-runs.md)).
"""


POLICIES = """\
### What decides on a step of a flow run

The rules of `headrace/rules/flow_policy.py`, asked in this order: the first that has something to say accepts the step, has
the run enter another state instead, has whoever asks wait, or ends their work on the run. Somebody who insists (`force`)
passes over all but those that hold all the same.
"""


def draw() -> str:
    """The page, as Markdown."""
    types = "".join(f"| {state} | {meaning} |\n" for state, meaning in MEANINGS.items())
    names = "".join(f"| {named.name} | {named.type} | {named.meaning} |\n" for named in NAMES)
    return (
        f"{INTRODUCTION}\n"
        f"## Types\n\n| type | a run that |\n|---|---|\n{types}\n"
        f"## Names\n\n| name | type | a run that |\n|---|---|---|\n{names}\n"
        f"{_section('Flow runs', FLOW_RUN_ARCS)}\n{_policies()}\n{_section('Task runs', TASK_RUN_ARCS)}"
    )


def _policies() -> str:
    """What is asked before a flow run takes a step, in the order in which it is asked."""
    rows = "".join(
        f"| {policy.__name__.replace('_', ' ')} | {(policy.__doc__ or '').partition(chr(10))[0]} "
        f"| {'yes' if policy in FORCED_POLICY else ''} |\n"
        for policy in FLOW_RUN_POLICY
    )
    return f"{POLICIES}\n| rule | says | holds with force |\n|---|---|---|\n{rows}"


def _section(title: str, arcs: Iterable[Arc]) -> str:
    arcs = tuple(arcs)
    rows = "".join(f"| {arc.source or '–'} | {arc.target} | {arc.meaning} |\n" for arc in arcs)
    return f"## {title}\n\n{_diagram(arcs)}\n| from | to | the run |\n|---|---|---|\n{rows}"


def _diagram(arcs: Iterable[Arc]) -> str:
    lines = "".join(f"    {arc.source or '[*]'} --> {arc.target}\n" for arc in arcs)
    return f"```mermaid\nstateDiagram-v2\n{lines}```\n"


def main(arguments: Sequence[str], page: Path = PAGE) -> int:
    """Write the page, or with `--check` compare it; the exit code says whether all is well."""
    if "--check" in arguments:
        if page.is_file() and page.read_text(encoding="utf-8") == draw():
            return 0
        print(f"{page} is not up to date; run python -m headrace.rules.drawing", file=sys.stderr)  # noqa: T201
        return 1
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(draw(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
