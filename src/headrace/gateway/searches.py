"""The verbs of administration on searches that people keep."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from headrace.schema.run import Page
from headrace.schema.search import SavedSearch, SavedSearchCreate


class Searches(Protocol):
    """What may be asked about kept searches; raises what all verbs of administration do."""

    def save_search(self, search: SavedSearchCreate) -> SavedSearch:
        """Keep the search under its name; one that had the name says what this one says from now on."""
        ...

    def read_saved_search(self, search_id: UUID) -> SavedSearch:
        """Return the search."""
        ...

    def list_saved_searches(self, page: Page = Page()) -> list[SavedSearch]:
        """Return searches by name."""
        ...

    def delete_saved_search(self, search_id: UUID) -> None:
        """Forget the search."""
        ...
