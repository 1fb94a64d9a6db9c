from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace.base.errors import InvalidRequest
from headrace.cli.values import read_duration, read_instant, read_object, read_object_file, read_pairs
from headrace.schema.wire import DEEPEST


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10 minutes", 600),
        ("in 10 minutes", 600),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("2 days, 3 hours and 1 second", 183_601),
        ("90", 90),
        ("0.5", 0.5),
        (" 1.5 H ", 5400),
        ("1 week", 604_800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert read_duration(text, "--x") == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "-5", "5 minutes ago", "0", "1e9", "inf", "nan", "200 years", "9" * 20, "3 days 4", "m", "1,5 h"],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^--x '") as caught:
        read_duration(text, "--x")
    assert "\n" not in str(caught.value)


def test_instants() -> None:
    assert read_instant("2026-03-01T14:05+01:00", "--x") == datetime(2026, 3, 1, 13, 5, tzinfo=UTC)
    assert read_instant("2026-03-01 14:05", "--x") == datetime(2026, 3, 1, 14, 5, tzinfo=UTC), "the terminal's own time"
    for text in ("", "now", "2026-02-30", "0001-01-01T00:00+14:00"):
        with pytest.raises(InvalidRequest, match=r"^--x '"):
            read_instant(text, "--x")


def test_pairs() -> None:
    assert read_pairs(["a=1", "b=true", "c= text ", "d=NaN", "e=[1,", "a=2"], "--x") == {
        "a": 2,
        "b": True,
        "c": " text ",
        "d": "NaN",
        "e": "[1,",
    }


@pytest.mark.parametrize("depth", [DEEPEST + 1, 100_000])
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, depth: int) -> None:
    deep = f'{{"a": {"[" * depth}{"]" * depth}}}'
    with pytest.raises(InvalidRequest, match=r"^--x is nested too deeply\.$"):
        read_object(deep, "--x")
    with pytest.raises(InvalidRequest, match=r"^--x: a is nested too deeply\.$"):
        read_pairs([f"a={deep}"], "--x")
    file = tmp_path / "x.json"
    file.write_text(deep)
    with pytest.raises(InvalidRequest, match=r"^--x: .*x\.json is nested too deeply\.$"):
        read_object_file(file, "--x")


def test_many_lists_are_not_deep() -> None:
    depth = DEEPEST - 1
    for text in (f'{{"a": [{",".join(["[]"] * 1000)}]}}', f'{{"a": {"[" * depth}"["{"]" * depth}}}'):
        assert set(read_object(text, "--x")) == {"a"}


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b"\xff")
    with pytest.raises(InvalidRequest, match="no text in UTF-8"):
        read_object_file(file, "--x")
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_object_file(tmp_path, "--x")
