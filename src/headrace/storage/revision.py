"""Revisions of the schema, as the opening of a database compares them: numbers as text, `0001` and up."""

from __future__ import annotations

from headrace.base.errors import DatabaseBusy, NewerSchema
from headrace.storage import compiled


def is_current(revision: str, database: str) -> bool:
    """Whether the schema is this version's own; False if it is older. Raises `NewerSchema` if it is newer."""
    if revision > compiled.head:
        raise NewerSchema(
            f"{database} was written by a newer Headrace (schema {revision}, this one knows {compiled.head}); "
            "upgrade Headrace to use it."
        )
    return revision == compiled.head


def in_use(database: str) -> DatabaseBusy:
    """The error for a database that must be migrated while processes of an older version use it."""
    return DatabaseBusy(f"{database} must be migrated, but processes of an older Headrace use it; stop them first.")


def in_use_still(database: str) -> DatabaseBusy:
    """The error for a database that somebody wants alone while others use it."""
    return DatabaseBusy(f"{database} is in use: stop the servers, workers and scripts that use it first.")
