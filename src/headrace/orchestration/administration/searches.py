"""Searches that people keep."""

from __future__ import annotations

from uuid import UUID

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.orchestration.administration.office import Office, checked
from headrace.orchestration.unit import Unit
from headrace.schema.run import Page
from headrace.schema.search import SavedSearch, SavedSearchCreate
from headrace.storage import searches as queries
from headrace.storage.searches import SearchRow, to_search
from headrace.storage.texts import storable, storable_json


class SearchVerbs(Office):
    """The verbs on kept searches."""

    def save_search(self, search: SavedSearchCreate) -> SavedSearch:
        def save(unit: Unit) -> SavedSearch:
            row = SearchRow(uuid7(), storable(search.name), storable_json(search.filters), unit.now, unit.now)
            return to_search(queries.save_search(unit.connection, unit.workspace_id, row))

        return self._desk.write(save)

    def read_saved_search(self, search_id: UUID) -> SavedSearch:
        row = self._desk.read(lambda unit: queries.find_search(unit.connection, unit.workspace_id, search_id))
        if row is None:
            raise _not_there(search_id)
        return to_search(row)

    def list_saved_searches(self, page: Page = Page()) -> list[SavedSearch]:
        part = checked(page)
        rows = self._desk.read(lambda unit: queries.list_searches(unit.connection, unit.workspace_id, part))
        return [to_search(row) for row in rows]

    def delete_saved_search(self, search_id: UUID) -> None:
        if not self._desk.write(lambda unit: queries.delete_search(unit.connection, unit.workspace_id, search_id)):
            raise _not_there(search_id)


def _not_there(search_id: UUID) -> ObjectNotFound:
    return ObjectNotFound(f"There is no saved search with id {search_id}.")
