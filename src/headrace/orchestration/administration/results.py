"""Records of results: looked at, forgotten. The values themselves are not here."""

from __future__ import annotations

from headrace.base.errors import ObjectNotFound
from headrace.orchestration.administration.office import Office, checked
from headrace.schema.filters import ResultFilter, TextFilter
from headrace.schema.result import ResultRecord
from headrace.schema.run import Page
from headrace.storage import results as queries
from headrace.storage.rows import to_result


class ResultVerbs(Office):
    """The verbs on records of results."""

    def list_results(self, results: ResultFilter | None = None, page: Page = Page()) -> list[ResultRecord]:
        wanted = checked(page)
        rows = self._desk.read(lambda unit: queries.list_results(unit.connection, unit.workspace_id, results, wanted))
        return [to_result(row) for row in rows]

    def read_result(self, storage_key: str) -> ResultRecord:
        found = self.list_results(ResultFilter(storage_key=TextFilter(any_=[storage_key])), Page(1))
        if not found:
            raise ObjectNotFound(f"There is no result with key {storage_key!r}.")
        return found[0]

    def delete_result(self, storage_key: str) -> None:
        deleted = self._desk.write(lambda unit: queries.delete_results(unit.connection, unit.workspace_id, storage_key))
        if not deleted:
            raise ObjectNotFound(f"There is no result with key {storage_key!r}.")
