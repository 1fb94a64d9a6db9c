"""Outcomes on record, one line per case, so that a change can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OFFICIAL = Path(__file__).with_name("official.json")
"""What the official SDK makes of each case."""

OURS = Path(__file__).with_name("ours.json")
"""What Headrace makes of those where it differs."""


def read_facts(path: Path) -> dict[str, Any]:
    """The outcome of each case, by id; empty before the first recording."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write them all, in order of their ids."""
    lines = (
        f"{json.dumps(name)}: {json.dumps(facts[name], ensure_ascii=False, sort_keys=True)}" for name in sorted(facts)
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
