"""Plays cases on Headrace: in this process, on a database of each case's own.

`python -m tests.semantics.ours` plays all and writes down how ours end where they differ from the official ones.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headrace.base.settings import load_settings
from headrace.connect import open_administration, open_execution
from headrace.engine.session import Session, swap_session
from headrace.gateway.administration import Administration
from tests.semantics.collection import Case, collect_cases
from tests.semantics.facts import OFFICIAL, OURS, read_facts, write_facts
from tests.semantics.histories import gather, name_in
from tests.semantics.sdk import Sdk


def perform(case: Case, folder: Path, sdk: Sdk | None = None) -> dict[str, Any]:
    """What comes of a case, given what it knows as `sdk`. HEADRACE_HOME has to be a fresh folder."""
    settings = load_settings()
    session = Session(open_execution(settings), settings, lambda: open_administration(settings))
    before = swap_session(session)
    try:
        outcome = case.perform(sdk or Sdk("headrace", folder))
    finally:
        swap_session(before)
        session.close()
    administration: Any = open_administration(settings)
    try:
        runs = gather(_paths(administration))
    finally:
        administration.close()
    return {**outcome, "runs": runs} if runs else outcome


def _paths(administration: Administration) -> Iterator[tuple[str, list[str]]]:
    for run in administration.list_flow_runs():
        states = administration.list_flow_run_states(run.id)
        yield f"flow {administration.read_flow(run.flow_id).name}", [state.name or "" for state in states]
    for run in administration.list_task_runs():
        states = administration.list_task_run_states(run.id)
        yield name_in(run.task_key), [state.name or "" for state in states]


@contextmanager
def _fresh_home() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADRACE_HOME"] = f"{folder}/home"
        yield Path(folder)


def main(wanted: list[str]) -> None:
    """Play all, or those whose ids begin so, and write down those that differ."""
    logging.disable(logging.CRITICAL)
    official = read_facts(OFFICIAL)
    cases = collect_cases()
    ours = {name: outcome for name, outcome in read_facts(OURS).items() if name in cases}
    for name, case in cases.items():
        if not wanted or name.startswith(tuple(wanted)):
            ours.pop(name, None)
            with _fresh_home() as folder:
                outcome = perform(case, folder)
            if outcome != official.get(name):
                ours[name] = outcome
    write_facts(OURS, ours)
    sys.stderr.write(f"{len(ours)} outcomes differ, see {OURS.name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
