"""Tables that fit the terminal: what must be copied stays whole, what can be cut is cut, the rest is left out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text


class Column(Struct, frozen=True):
    """One column. `least`: it may be cut down to this width. `drop`: left out where it is empty or space is short,
    highest first.
    """

    title: str
    least: int | None = None
    drop: int = 0
    right: bool = False


class _Fitted(Struct):
    """A column with its cells and the width it gets."""

    column: Column
    cells: list[Text]
    width: int

    @property
    def frugal(self) -> int:
        return min(self.width, self.column.least or self.width)

    @property
    def spare(self) -> int:
        return self.width - self.frugal


def fit_table(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], width: int, indent: int = 0) -> Table:
    """A table no wider than `width`, unless even its most frugal form is wider."""
    fitted: list[_Fitted] = []
    for place, column in enumerate(columns):
        cells = [cell if isinstance(cell := row[place], Text) else Text(cell) for row in rows]
        widest = max((cell.cell_len for cell in cells), default=0)
        if widest or not column.drop:
            fitted.append(_Fitted(column, cells, max(widest, cell_len(column.title))))
    room = width - indent
    gap = 2 if sum(each.width for each in fitted) + 2 * (len(fitted) - 1) <= room else 1
    _fit(fitted, room, gap)
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    if indent:
        # The gap after this empty column is the rest of the indent.
        table.add_column(width=indent - gap)
    for each in fitted:
        justify = "right" if each.column.right else "left"
        table.add_column(each.column.title, width=each.width, no_wrap=True, overflow="ellipsis", justify=justify)
    for line in zip(*(each.cells for each in fitted), strict=True):
        table.add_row(*([""] if indent else []), *line)
    return table


def _fit(fitted: list[_Fitted], room: int, gap: int) -> None:
    """Leave out columns until the rest can fit, then cut the widest that may be cut, cell by cell, until it does."""
    while sum(each.frugal for each in fitted) + gap * (len(fitted) - 1) > room:
        droppable = [each for each in fitted if each.column.drop]
        if not droppable:
            break
        fitted.remove(max(droppable, key=lambda each: each.column.drop))
    excess = sum(each.width for each in fitted) + gap * (len(fitted) - 1) - room
    while excess > 0:
        cuttable = [each for each in fitted if each.spare]
        if not cuttable:
            break
        max(cuttable, key=lambda each: each.width).width -= 1
        excess -= 1
