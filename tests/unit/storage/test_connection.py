"""What a unit may do with its connection, alike on each kind of database."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from headrace.base.ids import DEFAULT_WORKSPACE, uuid7
from headrace.schema.wire import decode_json
from headrace.storage import tables
from headrace.storage.database import Connection, Database, Insertion, Statement, Text
from headrace.storage.dialect import DIALECTS
from tests.unit.storage import marks

insert_flow = Insertion(
    columns=("workspace_id", "id", "name", "tags", "labels", "created", "updated"),
    ids=(0, 1),
    jsons=(3, 4),
    sqlite=(
        "INSERT INTO flows (workspace_id, id, name, tags, labels, created, updated) VALUES ",
        "(?, ?, ?, ?, ?, ?, ?)",
        " ON CONFLICT (workspace_id, name) DO UPDATE SET tags = excluded.tags",
    ),
    postgresql="INSERT INTO flows (workspace_id, id, name, tags, labels, created, updated) SELECT * FROM json_to_recordset($1)"
    " AS given(workspace_id UUID, id UUID, name TEXT, tags JSONB, labels JSONB, created BIGINT, updated BIGINT)"
    " ON CONFLICT (workspace_id, name) DO UPDATE SET tags = excluded.tags",
)
find_flows = Statement(
    sqlite=Text(
        sql="SELECT name, id, tags, labels, created, created > updated FROM flows WHERE id IN (*ids) AND name >= ? ORDER BY 1",
        names=("ids", "name"),
        lists=("ids",),
        ids=(1,),
        flags=(5,),
    ),
    postgresql=Text(
        sql="SELECT name, id, tags, labels, created, created > updated FROM flows WHERE id = ANY($1) AND name >= $2 ORDER BY 1",
        names=("ids", "name"),
    ),
)
rename_flow = Statement(
    sqlite=Text(
        sql="UPDATE flows SET name = ?, tags = ? WHERE id = ? AND name <> ?",
        names=("name", "tags", "id", "name"),
        jsons=("tags",),
    ),
    postgresql=Text(
        sql="UPDATE flows SET name = $1, tags = $2 WHERE id = $3 AND name <> $1",
        names=("name", "tags", "id"),
        jsons=("tags",),
    ),
)


def flow(name: str, tags: str = "[]", labels: str | None = None) -> tuple[Any, ...]:
    return (DEFAULT_WORKSPACE, uuid7(), name, tags, labels, 2**60, 0)


def test_values_come_back_as_they_went(database: Database) -> None:
    one, two = flow("one", '["a", "b"]', '{"x": 1.5}'), flow("two")
    assert database.write(lambda connection: connection.insert(insert_flow, [one, two])) == 2
    found = database.read(lambda connection: connection.fetch(find_flows, {"ids": [one[1], two[1]], "name": ""}))
    assert [
        (name, id_, decode_json(tags), labels and decode_json(labels)) for name, id_, tags, labels, *_ in found
    ] == [
        ("one", one[1], ["a", "b"], {"x": 1.5}),
        ("two", two[1], [], None),
    ]
    assert [row[4:] for row in found] == [(2**60, True)] * 2


@pytest.mark.parametrize("count", [0, 1, 3, 37, 500, 1237])
def test_any_number_of_rows_and_of_list_values(database: Database, count: int) -> None:
    rows = [flow(f"{number:04}") for number in range(count)]

    def unit(connection: Connection) -> list[str]:
        assert connection.insert(insert_flow, rows) == count
        found = connection.fetch(find_flows, {"ids": [row[1] for row in rows], "name": ""})
        return [name for name, *_ in found]

    assert database.write(unit) == [row[2] for row in rows]


def test_execute_says_how_many_rows_it_touched(database: Database) -> None:
    one = flow("one")
    again = {"id": one[1], "name": "uno", "tags": '["x"]'}
    database.write(lambda connection: connection.insert(insert_flow, [one]))
    assert database.write(lambda connection: connection.execute(rename_flow, again)) == 1
    assert database.write(lambda connection: connection.execute(rename_flow, again)) == 0


def test_a_conflict_is_met_as_the_insert_says(database: Database) -> None:
    one, other = flow("one"), flow("one", '["new"]')
    database.write(lambda connection: connection.insert(insert_flow, [one]))
    database.write(lambda connection: connection.insert(insert_flow, [other]))
    found = database.read(lambda connection: connection.fetch(find_flows, {"ids": [one[1], other[1]], "name": ""}))
    assert [(row[1], decode_json(row[2])) for row in found] == [(one[1], ["new"])]


@pytest.mark.parametrize("text", ["", "naïve ☃ 🌊", "back\\slash", '"quoted"', "line\nbreak", "\\u0000", "%s $1 ? :x"])
def test_text_of_every_kind_is_kept(database: Database, text: str) -> None:
    one = flow(text)

    def unit(connection: Connection) -> str:
        connection.insert(insert_flow, [one])
        connection.execute(rename_flow, {"id": one[1], "name": text + "!", "tags": "[]"})
        return connection.fetch(find_flows, {"ids": [one[1]], "name": ""})[0][0]

    assert database.write(unit) == text + "!"


def test_nul_is_kept_where_it_can_be_and_shown_where_it_cannot(database: Database) -> None:
    one = flow("a\0b", r'["c\u0000d", "e\\u0000f"]')

    def unit(connection: Connection) -> list[tuple[str, list[str]]]:
        connection.insert(insert_flow, [one])
        found = connection.fetch(find_flows, {"ids": [one[1]], "name": ""})
        connection.execute(rename_flow, {"id": one[1], "name": "g\0h", "tags": r'["i\u0000j"]'})
        found += connection.fetch(find_flows, {"ids": [one[1]], "name": ""})
        return [(name, decode_json(tags)) for name, _, tags, *_ in found]

    nul = "\0" if database.dialect == "sqlite" else "\ufffd"
    kept = [(f"a{nul}b", [f"c{nul}d", r"e\u0000f"]), (f"g{nul}h", [f"i{nul}j"])]
    assert database.write(unit) == kept


# Wide queries --------------------------------------------------------------------------------------------------------


def test_sqlalchemy_works_in_the_units_own_transaction(database: Database) -> None:
    flows = tables.flows

    class Undo(Exception):
        pass

    def unit(connection: Connection) -> None:
        marks.write(1)(connection)
        values = {
            "workspace_id": DEFAULT_WORKSPACE,
            "id": UUID(int=7),
            "name": "x",
            "tags": "[]",
            "created": 1,
            "updated": 1,
        }
        assert connection.change(insert(flows).values(values)) == 1
        assert connection.change(update(flows).values(name="y").where(flows.c.id == UUID(int=7))) == 1
        assert list(connection.select(select(flows.c.id, flows.c.name))) == [(UUID(int=7), "y")]
        assert marks.read(connection) == [1]
        raise Undo

    for _ in range(2):
        with pytest.raises(Undo):
            database.write(unit)
        assert database.read(lambda connection: connection.select(select(func.count()).select_from(flows))) == [(0,)]
        assert database.read(marks.read) == []


def test_an_error_is_the_drivers_own_whichever_way_the_statement_went(database: Database) -> None:
    values = {"workspace_id": DEFAULT_WORKSPACE, "journal_id": UUID(int=1), "mark": 1, "updated": 0}
    database.write(marks.write(1))
    with pytest.raises(Exception) as plain:  # noqa: PT011 - which one it is, is the question
        database.write(marks.write(1))
    with pytest.raises(Exception) as wide:  # noqa: PT011 - as above
        database.write(lambda connection: connection.change(insert(tables.journals).values(values)))
    assert type(wide.value) is type(plain.value)


def test_tags_are_found_alike(database: Database) -> None:
    rows = [flow("none"), flow("a", '["a"]'), flow("ab", '["a", "b"]'), flow("c", '["c%"]')]
    database.write(lambda connection: connection.insert(insert_flow, rows))
    dialect, tags = DIALECTS[database.dialect], tables.flows.c.tags

    def found(condition: Any) -> list[str]:
        query = select(tables.flows.c.name).where(condition).order_by(tables.flows.c.name)
        return [name for (name,) in database.read(lambda connection: connection.select(query))]

    assert found(dialect.has_all(tags, ["a", "b"])) == ["ab"]
    assert found(dialect.has_all(tags, [])) == ["a", "ab", "c", "none"]
    assert found(dialect.has_any(tags, ["b", "c%"])) == ["ab", "c"]
    assert found(dialect.has_any(tags, ["c"])) == []
    assert found(tags == "[]") == ["none"]


def test_names_sort_by_code_point(database: Database) -> None:
    names = ["B", "a", "Z", "ä", "_", "10", "9"]
    database.write(lambda connection: connection.insert(insert_flow, [flow(name) for name in names]))
    query = select(tables.flows.c.name).order_by(tables.flows.c.name)
    assert [name for (name,) in database.read(lambda connection: connection.select(query))] == sorted(names)


def test_the_databases_time_is_the_systems(database: Database) -> None:
    from headrace.base import clock

    before = clock.micros()
    ((now,),) = database.read(lambda connection: connection.select(select(DIALECTS[database.dialect].now())))
    assert before - 1_000_000 < now < clock.micros() + 1_000_000
