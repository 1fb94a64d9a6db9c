"""Each operator on a table of its own, in memory: what a condition means, apart from any noun."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select

from headrace.schema import filters as f
from headrace.schema.state import StateType
from headrace.storage.dialect import DIALECTS
from headrace.storage.filters import compile_filter
from headrace.storage.tags import ListedTags
from headrace.storage.types import Id, Json, Micros

A, B = UUID(int=1), UUID(int=2)
table = Table(
    "things",
    MetaData(),
    Column("n", Integer, primary_key=True),
    Column("id", Id),
    Column("name", String),
    Column("tags", Json),
    Column("time", Micros),
    Column("type", String),
)
ROWS: list[dict[str, Any]] = [
    {"n": 1, "id": A, "name": "50% off", "tags": '["a","b"]', "time": 1_000_000, "type": "RUNNING"},
    {"n": 2, "id": B, "name": "50x_off", "tags": '["b"]', "time": 2_000_000, "type": "FAILED"},
    {"n": 3, "id": None, "name": None, "tags": "[]", "time": None, "type": "FAILED"},
]
FIELDS = {
    "id": table.c.id,
    "name": table.c.name,
    "tags": ListedTags(table.c.tags),
    "state": {"type": table.c.type, "name": table.c.name},
    "start_time": table.c.time,
}


def found(wanted: f.Filter | None, operand: Any) -> list[int]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), ROWS)
        condition = compile_filter(wanted, operand, DIALECTS["sqlite"])
        numbers = [row[0] for row in connection.execute(select(table.c.n).where(condition).order_by(table.c.n))]
    engine.dispose()
    return numbers


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.IdFilter(), [1, 2, 3]),
        (f.IdFilter(any_=[A]), [1]),
        (f.IdFilter(any_=[]), []),
        (f.IdFilter(not_any_=[A]), [2, 3]),
        (f.IdFilter(not_any_=[]), [1, 2, 3]),
        (f.IdFilter(is_null_=True), [3]),
        (f.IdFilter(is_null_=False), [1, 2]),
        (f.IdFilter(any_=[A], is_null_=True), []),
        (f.IdFilter(operator="or_", any_=[A], is_null_=True), [1, 3]),
    ],
)
def test_ids(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, table.c.id) == numbers


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.TextFilter(like_="50"), [1, 2]),
        (f.TextFilter(like_="0% "), [1]),
        (f.TextFilter(like_="%"), [1]),
        (f.TextFilter(like_="_"), [2]),
        (f.TextFilter(like_="x_O"), [2]),
        (f.TextFilter(like_="50_off"), []),
        (f.TextFilter(like_="5%f"), []),
        (f.TextFilter(like_="/"), []),
        (f.TextFilter(like_=""), [1, 2]),
        (f.TextFilter(any_=[]), []),
        (f.TextFilter(exists_=True), [1, 2]),
        (f.TextFilter(exists_=False), [3]),
        (f.TextFilter(not_any_=["50% off"], like_="50"), [2]),
        (f.TextFilter(operator="or_", is_null_=True, like_="x"), [2, 3]),
    ],
)
def test_texts(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, table.c.name) == numbers


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.TagsFilter(all_=["a", "b"]), [1]),
        (f.TagsFilter(all_=[]), [1, 2, 3]),
        (f.TagsFilter(any_=["a", "c"]), [1]),
        (f.TagsFilter(any_=[]), []),
        (f.TagsFilter(is_null_=True), [3]),
        (f.TagsFilter(is_null_=False), [1, 2]),
        (f.TagsFilter(operator="or_", all_=["a"], is_null_=True), [1, 3]),
    ],
)
def test_tags(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, ListedTags(table.c.tags)) == numbers


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.TimeFilter(before_=at(1)), [1]),
        (f.TimeFilter(after_=at(1)), [1, 2]),
        (f.TimeFilter(after_=at(2), before_=at(1)), []),
        (f.TimeFilter(operator="or_", after_=at(2), before_=at(1)), [1, 2]),
        (f.TimeFilter(is_null_=True), [3]),
    ],
)
def test_times(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, table.c.time) == numbers


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.SearchFilter(query="off"), [1, 2]),
        (f.SearchFilter(query="off -x_"), [1]),
        (f.SearchFilter(query="!off"), []),
        (f.SearchFilter(query='"50% off"'), [1]),
        (f.SearchFilter(query='-"50% off" off'), [2]),
        (f.SearchFilter(query='"0% o'), [1]),
        (f.SearchFilter(query='""'), [1, 2, 3]),
        (f.SearchFilter(query=" - "), []),
    ],
)
def test_searches(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, table.c.name) == numbers


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (f.StateTypeFilter(any_=[StateType.FAILED]), [2, 3]),
        (f.StateTypeFilter(any_=[]), []),
        (f.StateTypeFilter(not_any_=[StateType.FAILED]), [1]),
    ],
)
def test_types(wanted: f.Filter, numbers: list[int]) -> None:
    assert found(wanted, table.c.type) == numbers


def test_levels_and_existence() -> None:
    assert found(f.LevelFilter(ge_=2), table.c.n) == [2, 3]
    assert found(f.LevelFilter(ge_=2, le_=2), table.c.n) == [2]
    assert found(f.ExistsFilter(exists_=True), table.c.id.is_not(None)) == [1, 2]
    assert found(f.ExistsFilter(exists_=False), table.c.id.is_not(None)) == [3]
    assert found(f.ExistsFilter(), table.c.id.is_not(None)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (None, [1, 2, 3]),
        (f.FlowRunFilter(), [1, 2, 3]),
        (f.FlowRunFilter(operator="or_"), [1, 2, 3]),
        (f.FlowRunFilter(id=f.IdFilter(any_=[B]), name=f.TextFilter(like_="50")), [2]),
        (f.FlowRunFilter(operator="or_", id=f.IdFilter(any_=[B]), tags=f.TagsFilter(any_=["a"])), [1, 2]),
        (f.FlowRunFilter(operator="or_", id=f.IdFilter(any_=[]), name=f.TextFilter(any_=[])), []),
        (f.FlowRunFilter(state=f.StateFilter(type=f.StateTypeFilter(any_=[StateType.FAILED]))), [2, 3]),
        (
            f.FlowRunFilter(
                start_time=f.TimeFilter(after_=at(0)),
                state=f.StateFilter(
                    operator="or_",
                    type=f.StateTypeFilter(any_=[StateType.RUNNING]),
                    name=f.TextFilter(is_null_=True),
                ),
            ),
            [1],
        ),
    ],
)
def test_the_filter_of_a_noun_puts_its_parts_together(wanted: f.Filter | None, numbers: list[int]) -> None:
    assert found(wanted, FIELDS) == numbers
