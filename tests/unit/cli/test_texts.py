from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.cli.texts import clean, one_line, say_count, say_duration, say_instant, say_when, show_state
from headrace.schema.state import StateType
from tests.unit.cli.memory import NOW


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-0.5, "0ms"),
        (0, "0ms"),
        (0.0004, "0ms"),
        (0.35, "350ms"),
        (0.9994, "999ms"),
        (0.9996, "1.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m"),
        (125, "2m 5s"),
        (3600, "1h"),
        (11520, "3h 12m"),
        (356_400, "4d 3h"),
    ],
)
def test_a_duration_is_said_at_a_glance(seconds: float, said: str) -> None:
    assert say_duration(seconds) == said


@given(st.floats(min_value=0, max_value=1e9))
def test_a_duration_is_short(seconds: float) -> None:
    assert len(say_duration(seconds)) <= 10


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "just now"), (4, "just now"), (-4, "just now"), (59, "59s ago"), (-60, "in 1m"), (7300, "2h ago")],
)
def test_an_instant_is_said_from_now(seconds: float, said: str) -> None:
    assert say_when(NOW - timedelta(seconds=seconds), NOW) == said


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_every_instant_can_be_said(seconds: int) -> None:
    assert say_when(NOW - timedelta(seconds=seconds), NOW)


def test_what_is_missing_is_a_dash() -> None:
    assert say_when(None, NOW) == "–"
    assert say_instant(None, NOW) == "–"
    assert show_state(None, None).plain == "–"


def test_an_instant_in_full_is_local() -> None:
    assert say_instant(NOW - timedelta(minutes=3), NOW) == "2026-03-01 11:57:00 (3m ago)"


def test_numbers_are_grouped() -> None:
    assert say_count(1, "flow run") == "1 flow run"
    assert say_count(2000, "flow run") == "2,000 flow runs"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r20%\r\n", "10%\n20%\n"),
        ("a\tb\nc\x00\x9bd", "a\tb\ncd"),
        ("plain é 日本", "plain é 日本"),
    ],
)
def test_nothing_is_left_that_talks_to_a_terminal(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_no_control_character_passes(text: str) -> None:
    assert not [sign for sign in clean(text) if (sign < " " and sign not in "\n\t") or "\x7f" <= sign <= "\x9f"]
    assert "\n" not in one_line(text)


@pytest.mark.parametrize("kind", list(StateType))
def test_each_state_has_a_colour(kind: StateType) -> None:
    shown = show_state(kind, None)
    assert shown.plain == kind.capitalize()
    assert shown.style
