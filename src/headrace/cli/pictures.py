"""Artifacts on the screen: markdown rendered, tables as tables, links as links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from headrace.cli.invocation import Invocation
from headrace.cli.lookup import read_pages
from headrace.cli.runs import show_heading, tell_value
from headrace.cli.tables import Column, fit_table
from headrace.cli.texts import clean, one_line
from headrace.schema.artifact import Artifact
from headrace.schema.filters import ArtifactFilter
from headrace.schema.wire import decode_json

if TYPE_CHECKING:
    from headrace.gateway.administration import Administration

SHOWN_ARTIFACTS = 20
SHOWN_ROWS = 50
READABLE = 100
"""Running text wider than this is hard to read."""


def print_artifacts(administration: Administration, wanted: ArtifactFilter, invocation: Invocation) -> None:
    """Show the artifacts a run left, oldest first."""
    newest = read_pages(lambda page: administration.list_artifacts(wanted, page=page), SHOWN_ARTIFACTS + 1)
    if not newest:
        return
    note = str(len(newest))
    if len(newest) > SHOWN_ARTIFACTS:
        note = f"the last {SHOWN_ARTIFACTS} of {administration.count_artifacts(wanted):,}"
    invocation.print(show_heading("Artifacts", note))
    for artifact in newest[:SHOWN_ARTIFACTS][::-1]:
        print_artifact(artifact, invocation)


def print_artifact(artifact: Artifact, invocation: Invocation) -> None:
    """Show one artifact: what it is, and its content."""
    title = Text("  ").append(one_line(artifact.key or "(no key)"), "bold")
    title.append(f"  {one_line(artifact.type or 'unknown')}  {artifact.id}", "bright_black")
    invocation.print_line(title)
    if artifact.description:
        invocation.print_line(Text(f"  {clean(artifact.description)}", "italic"))
    from rich.padding import Padding

    width = min(invocation.out.width, READABLE)
    content = _show_content(artifact, invocation.out.width - 4)
    # In a pipe there is no end of the line to fill up to.
    padded = Padding(content, (0, 0, 1, 4), expand=False)
    invocation.out.print(padded, width=None if artifact.type == "table" else width)


def _show_content(artifact: Artifact, width: int) -> RenderableType:
    data = artifact.data
    match artifact.type:
        case "markdown" | "link" if isinstance(data, str):
            from headrace.cli.markdown import show_markdown

            return show_markdown(data)
        case "table":
            rows = _read_rows(data)
            if rows is not None:
                return _show_rows(rows, width)
        case "progress" if isinstance(data, (int, float)):
            filled = round(min(max(data, 0), 100) / 5)
            return (
                Text("█" * filled, "green")
                .append("░" * (20 - filled), "bright_black")
                .append(f" {data:g} %", "default")
            )
        case _:
            pass
    return Text(clean(data) if isinstance(data, str) else tell_value(data))


def _read_rows(data: Any) -> list[dict[str, Any]] | None:
    """The rows of a table artifact: a list of rows by name or by place, or columns by name; perhaps as JSON text."""
    if isinstance(data, str):
        try:
            data = decode_json(data)
        except msgspec.DecodeError:
            return None
    if isinstance(data, dict):
        columns = {str(name): values for name, values in cast("dict[Any, Any]", data).items()}
        if not all(isinstance(values, list) for values in columns.values()):
            return None
        length = max((len(values) for values in columns.values()), default=0)
        return [
            {name: values[place] if place < len(values) else None for name, values in columns.items()}
            for place in range(length)
        ]
    if not isinstance(data, list):
        return None
    rows: list[dict[str, Any]] = []
    for row in cast("list[Any]", data):
        if isinstance(row, dict):
            rows.append({str(name): value for name, value in cast("dict[Any, Any]", row).items()})
        elif isinstance(row, list):
            rows.append({str(place): value for place, value in enumerate(cast("list[Any]", row))})
        else:
            return None
    return rows


def _show_rows(rows: list[dict[str, Any]], width: int) -> RenderableType:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [
        Column(one_line(name), least=6, right=all(isinstance(row.get(name), (int, float)) for row in rows))
        for name in names
    ]
    cells = [[_show_cell(row.get(name)) for name in names] for row in rows[:SHOWN_ROWS]]
    table = fit_table(columns, cells, width)
    if len(rows) <= SHOWN_ROWS:
        return table
    return Group(table, Text(f"the first {SHOWN_ROWS} of {len(rows):,} rows; -o json has all", "bright_black"))


def _show_cell(value: Any) -> str:
    if value is None:
        return ""
    return one_line(value) if isinstance(value, str) else tell_value(value)
