"""A drawing as an SVG picture, light or dark as its viewer is."""

from __future__ import annotations

from html import escape
from unicodedata import east_asian_width

from headrace.drawings.graph import Graph, Step
from headrace.drawings.layout import Layout, lay_out

CHARACTER = 7.3
"""How wide a character of a label is, on the safe side of the fonts that a viewer may have."""
LONGEST = 40
HEIGHT, PAD, GAP, LAYER, MARGIN, TITLE = 34, 14, 28, 74, 24, 40

STYLE = """
.flow{--paper:#fff;--ink:#18212f;--dim:#64748b;--line:#94a3b8;--task:#f1f6ff;--edge:#3b6fd4;--sub:#f6f0ff;--subedge:#8450c9}
@media (prefers-color-scheme:dark){.flow{--paper:#0f1521;--ink:#e6ebf4;--dim:#94a3b8;--line:#64748b;--task:#16243f;
--edge:#6ea0f7;--sub:#241a3a;--subedge:#b08cf0}}
.flow{font:13px ui-sans-serif,system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.paper{fill:var(--paper)}.title{fill:var(--ink);font-size:15px;font-weight:600}.name{fill:var(--ink);text-anchor:middle}
.note{fill:var(--dim)}.box{fill:var(--task);stroke:var(--edge)}.sub{fill:var(--sub);stroke:var(--subedge)}
.line{fill:none;stroke:var(--line);stroke-width:1.4}.waits{stroke-dasharray:4 4}.tip{fill:var(--line)}
"""

TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="tip" d="M0 0 8 4 0 8z"/></marker>'
)


def draw_svg(graph: Graph) -> str:
    """The picture, as a document of its own."""
    widths = [_measure(_shorten(step.name)) + _measure(_many(step)) + 2 * PAD for step in graph.steps]
    layout = lay_out(widths, [[need.step for need in step.needs] for step in graph.steps], GAP)
    title = _shorten(graph.name)
    width = max(layout.width, _measure(title) * 1.25, 160 if not graph.steps else 0) + 2 * MARGIN
    left = (width - layout.width) / 2
    height = TITLE + MARGIN + max(len(layout.layers) * LAYER - (LAYER - HEIGHT), HEIGHT) + MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" role="img" {size} aria-label="{_text(_describe(graph))}">',
        f"<style>{STYLE}</style>",
        f"<defs>{TIP}</defs>",
        '<rect class="paper" width="100%" height="100%"/>',
        f'<text class="title" x="{MARGIN}" y="{MARGIN + 14}">{_text(title)}</text>',
    ]
    parts += _draw_lines(graph, layout, left)
    parts += [_draw_step(step, layout, index, left) for index, step in enumerate(graph.steps)]
    if not graph.steps:
        parts.append(f'<text class="note" x="{MARGIN}" y="{TITLE + MARGIN + 10}">It calls no tasks.</text>')
    return "\n".join([*parts, "</svg>", ""])


def _draw_lines(graph: Graph, layout: Layout, left: float) -> list[str]:
    waits = {(need.step, index): need.waits for index, step in enumerate(graph.steps) for need in step.needs}
    drawn: list[str] = []
    for line in layout.lines:
        points = [(layout.places[index].x + left, _top(layout.places[index].layer)) for index in line.path]
        x, y = points[0][0], points[0][1] + HEIGHT
        path = [f"M{x:.1f} {y:.1f}"]
        for next_x, top in points[1:]:
            middle = (y + top) / 2
            path.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {top:.1f}")
            x, y = next_x, top
            if (next_x, top) != points[-1]:  # past the boxes of the layer
                y = top + HEIGHT
                path.append(f"V{y:.1f}")
        kind = "line waits" if waits[line.start, line.end] else "line"
        drawn.append(f'<path class="{kind}" marker-end="url(#tip)" d="{" ".join(path)}"/>')
    return drawn


def _draw_step(step: Step, layout: Layout, index: int, left: float) -> str:
    place = layout.places[index]
    x, y = place.x + left - place.width / 2, _top(place.layer)
    kind = "box sub" if step.is_flow else "box"
    radius = HEIGHT / 2 if step.is_flow else 7
    box = '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="{}"/>'
    behind = [box.format(kind, x + shift, y + shift, place.width, HEIGHT, radius) for shift in (6, 3) if step.many]
    label = f'{_text(_shorten(step.name))}<tspan class="note">{_text(_many(step))}</tspan>'
    what = "flow" if step.is_flow else "task"
    return "".join(
        [
            f"<g><title>{what} {_text(step.label)}</title>",
            *behind,
            box.format(kind, x, y, place.width, HEIGHT, radius),
            f'<text class="name" x="{place.x + left:.1f}" y="{y + HEIGHT / 2 + 4.5:.1f}">{label}</text>',
            "</g>",
        ]
    )


def _top(layer: int) -> float:
    return TITLE + MARGIN + layer * LAYER


def _many(step: Step) -> str:
    return "" if step.many is None else f" × {step.many}"


def _describe(graph: Graph) -> str:
    return f"Flow {graph.name}: {', '.join(step.label for step in graph.steps) or 'no tasks'}"


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _measure(text: str) -> float:
    return sum(CHARACTER * (1.8 if east_asian_width(character) in "WF" else 1.0) for character in text)


def _text(text: str) -> str:
    """The text as XML may hold it: without what no XML document can say."""
    return escape("".join(character if character.isprintable() else "\ufffd" for character in text))
