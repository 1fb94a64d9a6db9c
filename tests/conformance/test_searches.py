from typing import Any

import pytest

from headrace.base.errors import ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.run import Page
from headrace.schema.search import SavedSearchCreate, SearchCondition
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage


def condition(value: Any) -> SearchCondition:
    return SearchCondition(object="flow_run", property="state", type="text", operation="is", value=value)


def test_a_search_is_kept_as_it_was_saved(administration: Administration) -> None:
    filters = [condition("Late"), condition({"a": [1, None]})]
    saved = administration.save_search(SavedSearchCreate(name="late ones", filters=filters))
    assert (saved.name, saved.filters) == ("late ones", filters)
    assert administration.read_saved_search(saved.id) == saved
    assert administration.list_saved_searches() == [saved]


def test_a_name_is_kept_once(administration: Administration, stage: Stage) -> None:
    first = administration.save_search(SavedSearchCreate(name="mine", filters=[condition(1)]))
    stage.clock.advance(1)
    second = administration.save_search(SavedSearchCreate(name="mine", filters=[condition(2)]))
    assert (second.id, second.created, second.filters) == (first.id, first.created, [condition(2)])
    assert second.updated == stage.now


def test_searches_are_listed_by_name_in_parts(administration: Administration) -> None:
    for name in ("b", "c", "a"):
        administration.save_search(SavedSearchCreate(name=name))
    assert [search.name for search in administration.list_saved_searches()] == ["a", "b", "c"]
    assert [search.name for search in administration.list_saved_searches(Page(1, 1))] == ["b"]


def test_a_search_that_was_forgotten_is_gone(implementation: Orchestrations) -> None:
    administration = implementation.open().administration
    other = implementation.open(Scope(workspace_id=uuid7())).administration
    saved = administration.save_search(SavedSearchCreate(name="mine"))
    assert other.list_saved_searches() == []
    with pytest.raises(ObjectNotFound):
        other.delete_saved_search(saved.id)
    administration.delete_saved_search(saved.id)
    for ask in (administration.read_saved_search, administration.delete_saved_search):
        with pytest.raises(ObjectNotFound, match="There is no saved search with id"):
            ask(saved.id)
