"""Every case on Headrace: it ends as on the official SDK, or the difference is listed in docs/differences.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.semantics.collection import collect_cases
from tests.semantics.differences import fits, read_differences
from tests.semantics.facts import OFFICIAL, OURS, read_facts
from tests.semantics.ours import perform

CASES = collect_cases()
THEIRS: dict[str, Any] = read_facts(OFFICIAL)
DIFFERING: dict[str, Any] = read_facts(OURS)
LISTED = [pattern for difference in read_differences() for pattern in difference.patterns]


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    assert name in THEIRS, (
        f"The official outcome is not on record: make semantics-record CASES={name.partition('[')[0]}"
    )
    outcome = perform(CASES[name], tmp_path)
    if any(fits(pattern, name) for pattern in LISTED):
        assert outcome != THEIRS[name], f"{name} does not differ any more: docs/differences.md lists it in vain."
        assert outcome == DIFFERING.get(name), "A listed difference is not what it was: python -m tests.semantics.ours"
    else:
        assert outcome == THEIRS[name], "This difference is not listed in docs/differences.md."


def test_facts_are_of_cases() -> None:
    assert THEIRS.keys() == CASES.keys()
    assert DIFFERING.keys() <= CASES.keys()


@pytest.mark.parametrize("pattern", LISTED)
def test_every_pattern_means_a_case(pattern: str) -> None:
    assert any(fits(pattern, name) for name in CASES)


def test_there_are_enough() -> None:
    assert len(CASES) >= 400
