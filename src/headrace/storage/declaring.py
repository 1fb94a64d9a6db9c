"""How tables are declared: what every table of a workspace has, and shorter words for columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table

from headrace.storage.types import Id, Micros

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})


def required(name: str, kind: Any, **options: Any) -> Column[Any]:
    """A column that always has a value."""
    return Column(name, kind, nullable=False, **options)


def table(name: str, *parts: Any, **options: Any) -> Table:
    """A table of a workspace."""
    return Table(name, metadata, required("workspace_id", Id), *parts, **options)


def objects(name: str, *parts: Any) -> Table:
    """A table of objects that have an id and know when they were made and changed."""
    return table(
        name,
        required("id", Id),
        *parts,
        required("created", Micros),
        required("updated", Micros),
        PrimaryKeyConstraint("workspace_id", "id"),
    )


def present(column: str) -> dict[str, Any]:
    """Options of an index that holds only the rows where `column` has a value."""
    condition = Column(column).is_not(None)
    return {"sqlite_where": condition, "postgresql_where": condition}
