"""Markdown on the screen. Imported only when there is some: the parser costs as much as all else."""

from __future__ import annotations

from typing import ClassVar

from rich.console import JustifyMethod
from rich.markdown import Heading, Markdown, MarkdownElement

from headrace.cli.texts import clean


class _Heading(Heading):
    """A heading that begins where its text begins, not in the middle of a wide terminal."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class _Document(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = Markdown.elements | {"heading_open": _Heading}


def show_markdown(text: str) -> Markdown:
    """Markdown of a run's author, rendered; a link shows where it leads."""
    return _Document(clean(text), hyperlinks=False)
