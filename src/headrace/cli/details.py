"""Names and values, one below the other."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text


def show_details(details: Iterable[tuple[str, str | Text]], indent: int = 0) -> Table:
    """A list of names with their values; long values fold under themselves."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in details:
        table.add_row(" " * indent + name, value if isinstance(value, Text) else Text(value))
    return table
