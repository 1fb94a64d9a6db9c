"""A drawing of a flow, in the forms it can take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headrace.base.errors import UsageError
from headrace.drawings.graph import Graph

if TYPE_CHECKING:
    from rich.console import RenderableType


class Drawing:
    """What a flow consists of and what depends on what. A notebook shows it as a picture, `rich` and `print` as text."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @property
    def svg(self) -> str:
        """The picture, as an SVG document; light or dark as its viewer is."""
        from headrace.drawings.svg import draw_svg

        return draw_svg(self.graph)

    @property
    def mermaid(self) -> str:
        """The drawing in Mermaid's language, which README files and wikis draw."""
        from headrace.drawings.mermaid import write_mermaid

        return write_mermaid(self.graph)

    def save(self, path: Path | str) -> Path:
        """Write it to a file: Mermaid for `.mmd` and `.mermaid`, else an SVG picture, and return where.

        Raises `UsageError` for a file that cannot be written, or that should be another kind of picture.
        """
        place = Path(path).expanduser()
        if place.suffix.lower() not in (".svg", ".mmd", ".mermaid"):
            raise UsageError(f"A drawing is saved as .svg, .mmd or .mermaid, which {place.name!r} is not.")
        text = self.svg if place.suffix.lower() == ".svg" else self.mermaid
        try:
            place.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"The drawing cannot be written to {place}: {error.strerror}.") from None
        return place

    def _repr_svg_(self) -> str:
        return self.svg

    def __rich__(self) -> RenderableType:
        from headrace.drawings.terminal import show

        return show(self.graph)

    def __str__(self) -> str:
        from headrace.drawings.terminal import show

        return show(self.graph).plain

    def __repr__(self) -> str:
        return f"<Drawing of flow {self.graph.name!r}, {len(self.graph.steps)} steps>"
