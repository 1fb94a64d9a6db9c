"""The differences that are known, as docs/differences.md lists them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "differences.md"


class Difference(NamedTuple):
    """One row: the patterns of the cases it is about, and what is told of it."""

    patterns: tuple[str, ...]
    theirs: str
    ours: str
    reason: str

    def covers(self, name: str) -> bool:
        """Whether it is about this case."""
        return any(fits(pattern, name) for pattern in self.patterns)


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*")
    return re.compile(re.sub(r"\\{(.*?)\\}", lambda found: f"(?:{found[1].replace(',', '|')})", text))


def fits(pattern: str, name: str) -> bool:
    """Whether a case's id is one that the pattern means: `*` stands for anything, `{a,b}` for one of the two."""
    return _compile(pattern).fullmatch(name) is not None


def read_differences() -> list[Difference]:
    """The rows of the document's tables that name cases, in order."""
    rows = [line.strip().strip("|").split("|") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    return [
        Difference(tuple(re.findall(r"`([^`]+)`", row[3])), *(cell.strip() for cell in row[:3]))
        for row in rows
        if len(row) == 4 and "`" in row[3]
    ]
