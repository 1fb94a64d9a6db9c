"""How times, durations, states and other people's text read in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from rich.text import Text

from headrace.schema.state import StateType

STYLES: dict[StateType, str] = {
    StateType.SCHEDULED: "yellow",
    StateType.PENDING: "bright_black",
    StateType.RUNNING: "bright_blue",
    StateType.COMPLETED: "green",
    StateType.FAILED: "red",
    StateType.CANCELLED: "bright_black",
    StateType.CRASHED: "bold red",
    StateType.PAUSED: "magenta",
    StateType.CANCELLING: "bright_black",
}
MISSING = "–"

# Escape sequences and control characters, but for the tab and the line feed.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Text of users and their libraries, with nothing left in it that moves a cursor or talks to a terminal."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Text as one line, for a cell of a table."""
    return " ".join(clean(text).split())


def say_duration(seconds: float) -> str:
    """A duration at a glance: `350ms`, `1.2s`, `2m 5s`, `3h 12m`, `4d 3h`."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit}{name} {rest}{smaller_name}" if rest else f"{whole // unit}{name}"
    raise AssertionError(whole)


def say_when(instant: datetime | None, now: datetime) -> str:
    """An instant as seen from now: `just now`, `3m ago`, `in 2h`."""
    if instant is None:
        return MISSING
    seconds = (now - instant) // timedelta(seconds=1)
    distance = abs(seconds)
    if distance < 5:
        return "just now"
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if distance >= unit:
            text = f"{distance // unit}{name}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    raise AssertionError(distance)


def say_instant(instant: datetime | None, now: datetime) -> str:
    """An instant in full, in the terminal's own time zone: `2026-03-01 14:05:09 (3m ago)`."""
    if instant is None:
        return MISSING
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S} ({say_when(instant, now)})"


def say_count(number: int, noun: str) -> str:
    """A number of things: `1 flow run`, `2,000 flow runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def show_state(kind: StateType | None, name: str | None) -> Text:
    """A state's name in its colour."""
    if kind is None:
        return Text(MISSING)
    return Text(one_line(name or kind.capitalize()), STYLES[kind])


def show_tags(tags: Iterable[str]) -> str:
    """Tags as one cell."""
    return ", ".join(map(one_line, tags))
