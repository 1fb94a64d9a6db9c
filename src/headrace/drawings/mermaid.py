"""A drawing in Mermaid's language."""

from __future__ import annotations

from headrace.drawings.graph import Graph


def write_mermaid(graph: Graph) -> str:
    """The drawing as a flowchart: tasks are boxes, subflows have double sides, dashed lines only wait."""
    lines = ["---", f"title: {_quote(graph.name)}", "---", "flowchart TD"]
    for index, step in enumerate(graph.steps):
        label = _quote(step.label)
        lines.append(f"    s{index}[[{label}]]" if step.is_flow else f"    s{index}[{label}]")
    for index, step in enumerate(graph.steps):
        lines += [f"    s{need.step} {'-.->' if need.waits else '-->'} s{index}" for need in step.needs]
    return "\n".join([*lines, ""])


def _quote(text: str) -> str:
    """The text between quotation marks, which Mermaid knows no way to escape but entities of its own."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return '"' + plain.replace("#", "#35;").replace('"', "#quot;").replace("\\", "#92;") + '"'
