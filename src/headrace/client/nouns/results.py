from __future__ import annotations

from headrace.client.nouns.asking import Asking, part
from headrace.schema.filters import ResultFilter
from headrace.schema.result import ResultRecord
from headrace.schema.run import Page


class ResultCalls(Asking):
    """The verbs on records of results."""

    def list_results(self, results: ResultFilter | None = None, page: Page = Page()) -> list[ResultRecord]:
        return self._list("/results/filter", list[ResultRecord], part(page, results=results))

    def read_result(self, storage_key: str) -> ResultRecord:
        return self._read("/results/", ResultRecord, storage_key=storage_key)

    def delete_result(self, storage_key: str) -> None:
        self._delete("/results/", storage_key=storage_key)
