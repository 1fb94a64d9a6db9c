"""Migrations lead to exactly the declared tables, back again, and survive being killed."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from headrace.base.ids import DEFAULT_WORKSPACE, uuid7
from headrace.schema.run import Page
from headrace.storage import compiled, deployments, limits, migrations, tables
from headrace.storage.database import Connection, Database
from headrace.storage.databases import open_database
from headrace.storage.databases.postgresql.connection import connect
from headrace.storage.databases.sqlite.connection import open_writer
from tests.migration.catalogue import read_catalogue
from tests.unit.storage import marks, rows_of_runs

NEXT = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision = "9998"
down_revision = "{head}"


def upgrade():
    op.create_table("extras", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("journals") as journals:
        journals.add_column(sa.Column("extra", sa.Text, nullable=False, server_default="none"))
        journals.alter_column("mark", existing_type=sa.BigInteger, nullable=True)
    if os.environ.get("KILL"):
        os.kill(os.getpid(), signal.SIGKILL)


def downgrade():
    with op.batch_alter_table("journals") as journals:
        journals.drop_column("extra")
        journals.alter_column("mark", existing_type=sa.BigInteger, nullable=False)
    op.drop_table("extras")
"""

OPEN_NEXT = """
    from pathlib import Path
    from headrace.storage import compiled, migrations
    compiled.head = "9998"
    migrations.VERSIONS.append(Path(sys.argv[2]))
    sys.stdin.readline()
    with open_database(sys.argv[1]) as database:
        database.write(marks.write(int(sys.argv[3])))
"""


def migrate(url: str, change: Callable[[Connection], None]) -> None:
    """Change the schema as a process does that has the database alone."""
    connection: Any = open_writer(Path(url[10:]), 5, "normal") if url.startswith("sqlite") else connect(url)
    connection.command("BEGIN")
    change(connection)
    connection.command("COMMIT")
    connection.close()


@pytest.fixture
def fresh(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database created from the declared tables."""
    url = (
        f"sqlite:///{tmp_path}/fresh.db" if database_url.startswith("sqlite") else request.getfixturevalue("other_url")
    )
    with open_database(url) as database:
        yield database


@pytest.fixture
def other_url(postgresql_server: str) -> Iterator[str]:
    """A second PostgreSQL database."""
    from tests import postgresql

    yield postgresql.create_database(postgresql_server, f"test_other_{os.getpid()}")
    postgresql.drop_database(postgresql_server, f"test_other_{os.getpid()}")


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """A folder with a revision beyond the newest."""
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "9998_next.py").write_text(NEXT.format(head=compiled.head))
    return folder


def test_migrating_an_empty_database_gives_the_declared_tables(database_url: str, fresh: Database, home: Path) -> None:
    home.mkdir()
    migrate(database_url, migrations.upgrade)
    with open_database(database_url) as migrated:
        assert read_catalogue(migrated) == read_catalogue(fresh)
        for table in ("workspaces", "schema_revision"):
            names = "id, name" if table == "workspaces" else "*"
            rows = [
                database.read(lambda connection: [*connection.select(text(f"SELECT {names} FROM {table}"))])  # noqa: B023
                for database in (migrated, fresh)
            ]
            assert rows[0] == rows[1] != []


def test_the_catalogue_sees_what_differs(fresh: Database) -> None:
    """The comparison is worth something only if it notices."""
    seen = [read_catalogue(fresh)]
    changes = [
        "DROP INDEX ix_task_runs_key",
        "CREATE UNIQUE INDEX ix_task_runs_key ON task_runs (flow_run_id, task_key, dynamic_key)",
        "DROP INDEX ix_logs_task_run_id",
        "CREATE INDEX ix_logs_task_run_id ON logs (task_run_id, timestamp) WHERE task_run_id IS NULL",
        "ALTER TABLE flows ADD COLUMN extra TEXT",
        "DROP TRIGGER count_task_runs_deleted" + ("" if fresh.dialect == "sqlite" else " ON task_runs"),
    ]
    for change in changes:
        fresh.write(lambda connection: connection.bind().execute(text(change)).close())  # noqa: B023
        seen.append(read_catalogue(fresh))
    assert all(one != other for place, one in enumerate(seen) for other in seen[:place])


def test_every_revision_can_be_taken_back(database_url: str, fresh: Database, home: Path) -> None:
    home.mkdir()
    migrate(database_url, migrations.upgrade)
    migrate(database_url, lambda connection: migrations.downgrade(connection, "base"))
    if database_url.startswith("sqlite"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        left = connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        connection.close()
    else:
        with psycopg.connect(database_url) as session:
            left = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert left == [("schema_revision",)]
    migrate(database_url, migrations.upgrade)
    with open_database(database_url) as migrated:
        assert read_catalogue(migrated) == read_catalogue(fresh)


def test_the_limits_of_deployments_become_limits_that_are_held(database_url: str, home: Path) -> None:
    home.mkdir()
    migrate(database_url, lambda connection: migrations.upgrade(connection, "0009"))
    workspace, flow, limited, free, own = DEFAULT_WORKSPACE, *(uuid7() for _ in range(4))
    row: dict[str, Any] = {
        "workspace_id": workspace, "id": limited, "flow_id": flow, "name": "limited", "paused": False,
        "concurrency_limit": 3, "enforce_parameter_schema": True, "parameters": "{}", "tags": "[]",
        "job_variables": "{}", "created": 1, "updated": 2,
    }  # fmt: skip
    shared = {**row, "id": own, "name": "shared", "concurrency_limit": None, "global_concurrency_limit_id": uuid7()}

    def fill(connection: Connection) -> None:
        for values in (row, {**row, "id": free, "name": "free", "concurrency_limit": None}, shared):
            connection.change(tables.deployments.insert().values(values))

    migrate(database_url, fill)
    migrate(database_url, migrations.upgrade)
    with open_database(database_url) as database:
        ids = [limited, free, own]
        found = database.read(lambda connection: deployments.find_deployments(connection, workspace, ids))
        held = {each.name: each.global_concurrency_limit_id for each in found}
        (limit,) = database.read(lambda connection: limits.list_limits(connection, workspace, "", Page()))
    assert (limit.id, limit.name, limit.slots, limit.active) == (held["limited"], f"deployment:{limited}", 3, True)
    assert (held["free"], held["shared"]) == (None, shared["global_concurrency_limit_id"])
    migrate(database_url, lambda connection: migrations.downgrade(connection, "0009"))
    migrate(database_url, migrations.upgrade)
    with open_database(database_url) as database:
        (again,) = database.read(lambda connection: limits.list_limits(connection, workspace, "", Page()))
    assert (again.name, again.slots) == (limit.name, 3)


def test_runs_that_are_there_are_counted(database_url: str, home: Path) -> None:
    home.mkdir()
    migrate(database_url, lambda connection: migrations.upgrade(connection, "0012"))
    states = [("COMPLETED", "Completed"), ("COMPLETED", "Cached"), (None, None), ("COMPLETED", "Completed")]
    rows = [rows_of_runs.make_row(tables.task_runs, state) for state in states]

    def fill(connection: Connection) -> None:
        connection.change(tables.task_runs.insert().values(rows))

    migrate(database_url, fill)
    migrate(database_url, migrations.upgrade)
    more = rows_of_runs.make_row(tables.task_runs, states[1])
    with open_database(database_url) as database:
        database.write(lambda connection: connection.change(tables.task_runs.insert().values(more)))
        counts = database.read(
            lambda connection: rows_of_runs.read_counts(connection, DEFAULT_WORKSPACE, tables.task_runs)
        )
    assert counts == {("COMPLETED", "Completed"): 2, ("COMPLETED", "Cached"): 2, ("", ""): 1}


def test_a_killed_migration_is_done_again_from_the_start(
    database_url: str, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(database_url) as database:
        database.write(marks.write(1))
        before = read_catalogue(database)

    monkeypatch.setenv("KILL", "yes")
    killed = marks.start(OPEN_NEXT, database_url, next_version, 2)
    killed.communicate("\n")
    assert killed.returncode == -9
    with open_database(database_url) as database:
        assert read_catalogue(database) == before
        assert database.read(marks.read) == [1]

    monkeypatch.delenv("KILL")
    marks.end(marks.start(OPEN_NEXT, database_url, next_version, 3))
    monkeypatch.setattr(compiled, "head", "9998")
    with open_database(database_url) as database:
        assert read_catalogue(database) != before
        assert database.read(marks.read) == [1, 3]

    monkeypatch.setattr(migrations, "VERSIONS", [*migrations.VERSIONS, next_version])
    migrate(database_url, lambda connection: migrations.downgrade(connection, "-1"))
    monkeypatch.undo()
    with open_database(database_url) as database:
        assert read_catalogue(database) == before
        assert database.read(marks.read) == [1, 3]


def test_of_many_processes_of_the_next_version_one_migrates(database_url: str, next_version: Path) -> None:
    open_database(database_url).close()
    processes: list[subprocess.Popen[str]] = [
        marks.start(OPEN_NEXT, database_url, next_version, number) for number in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [marks.end(process) for process in processes] == [""] * 6
