import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from headrace.cli.tables import Column, fit_table

COLUMNS = (
    Column("ID"),
    Column("Name", least=8),
    Column("State", least=6),
    Column("Tries", right=True, drop=1),
    Column("Tags", least=4, drop=2),
)
ROW = ["0123456789", "a name that is long", "Completed", "12", "nightly, production"]


def draw(rows: list[list[str]], width: int, indent: int = 0) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(fit_table(COLUMNS, rows, width, indent))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_with_room_everything_is_shown() -> None:
    assert draw([ROW], 100) == [
        "ID          Name                 State      Tries  Tags",
        "0123456789  a name that is long  Completed     12  nightly, production",
    ]


def test_with_less_room_the_widest_is_cut_first() -> None:
    assert draw([ROW], 50) == [
        "ID         Name        State     Tries Tags",
        "0123456789 a name tha… Completed    12 nightly, p…",
    ]


def test_with_little_room_columns_are_left_out_in_their_order() -> None:
    assert draw([ROW], 34)[0].split() == ["ID", "Name", "State", "Tries"]
    assert draw([ROW], 27)[0].split() == ["ID", "Name", "State"]


def test_an_empty_column_is_left_out_when_it_may_be() -> None:
    assert draw([["1", "", "", "", ""]], 100)[0].split() == ["ID", "Name", "State"]


def test_what_must_stay_whole_does() -> None:
    assert "0123456789" in draw([ROW], 27)[1]


def test_an_indent_moves_the_table() -> None:
    wide, narrow = draw([ROW], 100, indent=2), draw([ROW], 50, indent=2)
    assert wide[1].startswith("  0123456789  a name")
    assert narrow[1].startswith("  0123456789 a name")


@pytest.mark.parametrize("rows", [[], [ROW]])
def test_a_table_without_rows_has_its_head(rows: list[list[str]]) -> None:
    assert draw(rows, 100)[0].startswith("ID")


CELLS = st.text(alphabet=st.sampled_from("ab 日é"), max_size=30)


@given(
    st.lists(st.tuples(st.just("0123456789"), CELLS, CELLS, CELLS, CELLS), max_size=5),
    st.integers(min_value=26, max_value=150),
    st.sampled_from([0, 2]),
)
def test_a_table_always_fits_and_is_one_line_a_row(rows: list[tuple[str, ...]], width: int, indent: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=10_000)
    console.print(fit_table(COLUMNS, rows, width + indent, indent))
    lines = out.getvalue().splitlines()
    assert len(lines) == len(rows) + 1
    assert all(len(line.rstrip()) <= width + indent for line in lines)
    assert all("0123456789" in line for line in lines[1:])
