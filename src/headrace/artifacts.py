"""Artifacts: what a run leaves for people to look at. Artifacts with one key are versions of one another.

`create_…_artifact` leaves one and returns its id; `Artifact` and its kinds are the same as objects, which can be looked up
by key again. What begins with `a` does not hold up an event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self, TypeVar
from uuid import UUID

from msgspec import Struct

from headrace.base.errors import ObjectNotFound
from headrace.connect import open_session
from headrace.engine.artifacts import Table, change, leave, tell_link, tell_markdown, tell_progress, tell_table
from headrace.engine.here import session_here
from headrace.engine.opening import set_opener

__all__ = [
    "Artifact",
    "ImageArtifact",
    "LinkArtifact",
    "MarkdownArtifact",
    "ProgressArtifact",
    "TableArtifact",
    "acreate_image_artifact",
    "acreate_link_artifact",
    "acreate_markdown_artifact",
    "acreate_progress_artifact",
    "acreate_table_artifact",
    "aupdate_progress_artifact",
    "create_image_artifact",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_progress_artifact",
    "create_table_artifact",
    "update_progress_artifact",
]

T = TypeVar("T")

set_opener(open_session)


class Artifact(Struct, kw_only=True):
    """An artifact of any type; `id` once it was created. Its kinds make `type` and `data` themselves."""

    type: str = "unknown"
    key: str | None = None
    description: str | None = None
    data: Any = None
    id: UUID | None = None

    def format(self) -> Any:
        """What is kept of it."""
        return self.data

    def create(self) -> Self:
        """Leave it, as the newest of its key, and return it with its id. Raises `UsageError`."""
        self.data = self.format()
        self.id = leave(self.type, self.data, self.key, self.description)
        return self

    @classmethod
    def get(cls, key: str) -> Artifact | None:
        """The newest artifact of a key, what was left a moment ago included; None when there is none."""
        session = session_here()
        session.patiently(session.journal.flush)
        try:
            found = session.administration.read_latest_artifact(key)
        except ObjectNotFound:
            return None
        kind = found.type or "unknown"
        return Artifact(type=kind, key=found.key, description=found.description, data=found.data, id=found.id)

    @classmethod
    def get_or_create(cls, key: str, **fields: Any) -> tuple[Artifact, bool]:
        """The newest artifact of a key and False; where there is none, one is created with these fields, and True."""
        found = cls.get(key)
        return (cls(key=key, **fields).create(), True) if found is None else (found, False)

    async def acreate(self) -> Self:
        """As `create`."""
        return await _beside(self.create)

    @classmethod
    async def aget(cls, key: str) -> Artifact | None:
        """As `get`."""
        return await _beside(partial(cls.get, key))

    @classmethod
    async def aget_or_create(cls, key: str, **fields: Any) -> tuple[Artifact, bool]:
        """As `get_or_create`."""
        return await _beside(partial(cls.get_or_create, key, **fields))


class MarkdownArtifact(Artifact, kw_only=True):
    """A Markdown text, which may be indented like a docstring."""

    markdown: str
    type: str = "markdown"

    def format(self) -> str:
        """The text."""
        return tell_markdown(self.markdown)


class TableArtifact(Artifact, kw_only=True):
    """A table: a list of rows (dictionaries or lists), or a dictionary of columns. One that is too long is cut."""

    table: Table
    type: str = "table"

    def format(self) -> str:
        """The table as JSON."""
        text, self.description = tell_table(self.table, self.description)
        return text


class LinkArtifact(Artifact, kw_only=True):
    """A link, shown as `link_text`."""

    link: str
    link_text: str | None = None
    type: str = "link"

    def format(self) -> str:
        """The link in Markdown."""
        return tell_link(self.link, self.link_text)


class ProgressArtifact(Artifact, kw_only=True):
    """How much is done, in percent."""

    progress: float
    type: str = "progress"

    def format(self) -> float:
        """The number."""
        return tell_progress(self.progress)


class ImageArtifact(Artifact, kw_only=True):
    """A picture that is kept elsewhere, by its address."""

    image_url: str
    type: str = "image"

    def format(self) -> str:
        """The address."""
        return str(self.image_url)


def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """Leave a Markdown text and return the artifact's id.

    The text may be indented like a docstring: the indentation all its lines share is taken off. `key` (lower-case letters,
    digits and dashes) makes it a version of the artifact of that key. Raises `UsageError` for another key.
    """
    return _create(MarkdownArtifact(markdown=markdown, key=key, description=description))


def create_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """Leave a table and return the artifact's id: a list of rows (dictionaries or lists), or a dictionary of columns.

    A table that is too long is cut, and its description says so.
    """
    return _create(TableArtifact(table=table, key=key, description=description))


def create_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> UUID:
    """Leave a link, shown as `link_text`, and return the artifact's id."""
    return _create(LinkArtifact(link=link, link_text=link_text, key=key, description=description))


def create_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> UUID:
    """Leave a picture, by its address, and return the artifact's id."""
    return _create(ImageArtifact(image_url=image_url, key=key, description=description))


def create_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> UUID:
    """Leave how much is done, in percent, and return the artifact's id, by which it is updated.

    Raises `UsageError` for what is no number.
    """
    return _create(ProgressArtifact(progress=progress, key=key, description=description))


def update_progress_artifact(artifact_id: UUID, progress: float, description: str | None = None) -> UUID:
    """Say how much is done now, in place, and return the artifact's id. A description takes the place of the one before."""
    change(artifact_id, tell_progress(progress), description)
    return artifact_id


async def acreate_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """As `create_markdown_artifact`."""
    return await _beside(partial(create_markdown_artifact, markdown, key, description))


async def acreate_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """As `create_table_artifact`."""
    return await _beside(partial(create_table_artifact, table, key, description))


async def acreate_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> UUID:
    """As `create_link_artifact`."""
    return await _beside(partial(create_link_artifact, link, link_text, key, description))


async def acreate_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> UUID:
    """As `create_image_artifact`."""
    return await _beside(partial(create_image_artifact, image_url, key, description))


async def acreate_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> UUID:
    """As `create_progress_artifact`."""
    return await _beside(partial(create_progress_artifact, progress, key, description))


async def aupdate_progress_artifact(artifact_id: UUID, progress: float, description: str | None = None) -> UUID:
    """As `update_progress_artifact`."""
    return await _beside(partial(update_progress_artifact, artifact_id, progress, description))


def _create(artifact: Artifact) -> UUID:
    created = artifact.create().id
    assert created is not None
    return created


async def _beside(function: Callable[[], T]) -> T:
    from headrace.engine.loop import beside

    return await beside(function)
