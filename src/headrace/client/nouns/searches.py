from __future__ import annotations

from uuid import UUID

from headrace.client.nouns.asking import Asking, part
from headrace.schema.run import Page
from headrace.schema.search import SavedSearch, SavedSearchCreate


class SearchCalls(Asking):
    """The verbs on kept searches."""

    def save_search(self, search: SavedSearchCreate) -> SavedSearch:
        return self._ask("PUT", "/saved_searches/", SavedSearch, search, repeatable=True)

    def read_saved_search(self, search_id: UUID) -> SavedSearch:
        return self._read(f"/saved_searches/{search_id}", SavedSearch)

    def list_saved_searches(self, page: Page = Page()) -> list[SavedSearch]:
        return self._list("/saved_searches/filter", list[SavedSearch], part(page))

    def delete_saved_search(self, search_id: UUID) -> None:
        self._delete(f"/saved_searches/{search_id}")
