"""Units of work on a small table, for tests of what carries them."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any
from uuid import UUID

from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.storage.database import Connection, Insertion, Statement, Text

insert = Insertion(
    columns=("workspace_id", "journal_id", "mark", "updated"),
    ids=(0, 1),
    sqlite=("INSERT INTO journals (workspace_id, journal_id, mark, updated) VALUES ", "(?, ?, ?, ?)", ""),
    postgresql="INSERT INTO journals (workspace_id, journal_id, mark, updated) SELECT * FROM json_to_recordset($1)"
    ' AS given("workspace_id" UUID, "journal_id" UUID, "mark" BIGINT, "updated" BIGINT)',
)
select = Statement(
    sqlite=Text(sql="SELECT mark FROM journals ORDER BY mark"),
    postgresql=Text(sql="SELECT mark FROM journals ORDER BY mark"),
)
raise_all = Statement(
    sqlite=Text(sql="UPDATE journals SET mark = mark + ?", names=("by",)),
    postgresql=Text(sql="UPDATE journals SET mark = mark + $1", names=("by",)),
)


def write(*marks: int) -> Callable[[Connection], int]:
    """A unit that keeps marks, each under an id of its own."""
    rows = [(DEFAULT_WORKSPACE, UUID(int=mark), mark, 0) for mark in marks]
    return lambda connection: connection.insert(insert, rows)


def read(connection: Connection) -> list[int]:
    """A unit that returns all marks."""
    return [mark for (mark,) in connection.fetch(select, {})]


def start(script: str, *arguments: Any) -> subprocess.Popen[str]:
    """A process that runs the script with `sys`, `open_database` and `marks` at hand."""
    prelude = "import sys\nfrom headrace.storage.databases import open_database\nfrom tests.unit.storage import marks\n"
    command = [sys.executable, "-c", prelude + textwrap.dedent(script), *map(str, arguments)]
    # Not measured: one that gives up being root could not write what was measured, and would say so.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1, env=environment)


def said(process: subprocess.Popen[str]) -> str:
    """The next line the process says. Fails with its errors if it ended instead."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return line.rstrip("\n")


def end(process: subprocess.Popen[str]) -> str:
    """Let the process go on to its end, which must be a good one without a word of error; return what it said."""
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    return output
