"""A drawing for the terminal: a line for each step, with what it needs."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from headrace.drawings.graph import Graph

DIM = "bright_black"


def show(graph: Graph) -> Text:
    """The steps in the order of their calls; subflows have a diamond, what is only waited for stands in brackets."""
    shown = Text().append(_clean(graph.name), "bold")
    if not graph.steps:
        return shown.append("  calls no tasks", DIM)
    labels = [_clean(step.label) for step in graph.steps]
    width = max(map(cell_len, labels))
    for index, (step, label) in enumerate(zip(graph.steps, labels, strict=True)):
        shown.append("\n└─ " if index == len(labels) - 1 else "\n├─ ", DIM)
        shown.append("◆ " if step.is_flow else "● ", "magenta" if step.is_flow else "blue").append(label)
        if step.needs:
            needed = [f"({labels[need.step]})" if need.waits else labels[need.step] for need in step.needs]
            shown.append(" " * (width - cell_len(label)) + "  ← " + ", ".join(needed), DIM)
    return shown


def _clean(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
