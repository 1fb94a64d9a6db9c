from typing import Any

import pytest

from headrace.base.errors import InvalidRequest, ObjectAlreadyExists, ObjectNotFound
from headrace.base.ids import uuid7
from headrace.gateway.administration import Administration
from headrace.schema.filters import IdFilter, TagsFilter, TextFilter
from headrace.schema.run import Page
from headrace.schema.variable import Variable, VariableCreate, VariableFilter, VariableSort, VariableUpdate
from headrace.schema.workspace import Scope
from tests.conformance.conftest import Orchestrations
from tests.conformance.scenes import Stage

VALUES = ["text", "", 3, 2.5, True, None, [1, "two", None], {"a": {"b": [False]}}, "ünï😀", 2**40]


@pytest.fixture
def several(administration: Administration, stage: Stage) -> dict[str, Variable]:
    made: dict[str, Variable] = {}
    for name, tags in (("city", ["place"]), ("rate", []), ("town", ["place", "small"])):
        made[name] = administration.create_variable(VariableCreate(name=name, value=name.upper(), tags=tags))
        stage.clock.advance(1)
    return made


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_variable_keeps_its_value(administration: Administration, value: Any) -> None:
    made = administration.create_variable(VariableCreate(name="a", value=value, tags=["x"]))
    assert (made.name, made.value, made.tags) == ("a", value, ["x"])
    assert made.created == made.updated
    assert administration.read_variable(made.id) == administration.read_variable_by_name("a") == made


@pytest.mark.parametrize("name", ["a/b", "with space", "100%", "ünï", "x" * 255])
def test_a_name_may_be_any_text(administration: Administration, name: str) -> None:
    assert administration.create_variable(VariableCreate(name=name, value=1)).name == name
    assert administration.read_variable_by_name(name).value == 1


def test_a_name_is_taken_once(administration: Administration, several: dict[str, Variable]) -> None:
    with pytest.raises(ObjectAlreadyExists, match="There is a variable called 'city' already"):
        administration.create_variable(VariableCreate(name="city", value=1))
    with pytest.raises(ObjectAlreadyExists, match="There is a variable called 'town' already"):
        administration.update_variable(several["city"].id, VariableUpdate(name="town"))
    assert administration.read_variable_by_name("city").value == "CITY"


def test_an_update_changes_what_it_names(
    administration: Administration, stage: Stage, several: dict[str, Variable]
) -> None:
    city = several["city"]
    nothing: list[str] = []
    for update, told in (
        (VariableUpdate(value=None), ("city", None, ["place"])),
        (VariableUpdate(tags=[]), ("city", None, nothing)),
        (VariableUpdate(name="village", value=[1]), ("village", [1], nothing)),
        (VariableUpdate(name="village", tags=None), ("village", [1], nothing)),
    ):
        stage.clock.advance(1)
        administration.update_variable(city.id, update)
        now = administration.read_variable(city.id)
        assert (now.name, now.value, now.tags) == told
        assert (now.created, now.updated) == (city.created, stage.now)


def test_lists_are_filtered_and_ordered(administration: Administration, several: dict[str, Variable]) -> None:
    def names(wanted: VariableFilter | None = None, **how: Any) -> list[str]:
        found = [variable.name for variable in administration.list_variables(wanted, **how)]
        if "page" not in how:
            assert administration.count_variables(wanted) == len(found)
        return found

    assert names() == ["city", "rate", "town"]
    assert names(sort=VariableSort.NAME_DESC) == ["town", "rate", "city"]
    assert names(sort=VariableSort.CREATED_DESC) == ["town", "rate", "city"]
    administration.update_variable(several["rate"].id, VariableUpdate(value=1))
    assert names(sort=VariableSort.UPDATED_DESC) == ["rate", "town", "city"]
    assert names(page=Page(1, 1)) == ["rate"]
    assert names(VariableFilter(id=IdFilter(any_=[several["rate"].id, uuid7()]))) == ["rate"]
    assert names(VariableFilter(name=TextFilter(any_=["town", "none"]))) == ["town"]
    assert names(VariableFilter(name=TextFilter(like_="T"))) == ["city", "rate", "town"]
    assert names(VariableFilter(name=TextFilter(like_="OW"))) == ["town"]
    assert names(VariableFilter(tags=TagsFilter(all_=["place"]))) == ["city", "town"]
    assert names(VariableFilter(tags=TagsFilter(all_=["place", "small"]))) == ["town"]
    assert names(VariableFilter(tags=TagsFilter(is_null_=True))) == ["rate"]
    either = VariableFilter(operator="or_", tags=TagsFilter(is_null_=True), name=TextFilter(any_=["city"]))
    assert names(either) == ["city", "rate"]
    with pytest.raises(InvalidRequest):
        administration.list_variables(page=Page(201))


def test_what_was_deleted_is_gone(administration: Administration, several: dict[str, Variable]) -> None:
    administration.delete_variable(several["city"].id)
    assert administration.count_variables() == 2
    for ask in (
        lambda: administration.read_variable(several["city"].id),
        lambda: administration.read_variable_by_name("city"),
        lambda: administration.update_variable(several["city"].id, VariableUpdate(value=1)),
        lambda: administration.delete_variable(several["city"].id),
    ):
        with pytest.raises(ObjectNotFound, match="There is no variable"):
            ask()


def test_variables_belong_to_a_workspace(implementation: Orchestrations) -> None:
    one, other = implementation.open().administration, implementation.open(Scope(workspace_id=uuid7())).administration
    made = one.create_variable(VariableCreate(name="city", value="here"))
    other.create_variable(VariableCreate(name="city", value="there"))
    assert one.read_variable_by_name("city").value == "here"
    with pytest.raises(ObjectNotFound):
        other.read_variable(made.id)
    with pytest.raises(ObjectNotFound):
        other.delete_variable(made.id)
