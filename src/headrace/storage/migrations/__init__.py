"""The chain of revisions from an empty database to the declared tables, for both databases.

Imported only to migrate: it brings Alembic. `storage.compiled.head` says the newest revision without it.
"""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from headrace.storage.database import Connection

VERSIONS = [Path(__file__).with_name("versions")]
"""Where the revisions are."""


def head() -> str:
    """The newest revision."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def list_revisions() -> list[str]:
    """All revisions, oldest first."""
    return sorted(each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def stamp(connection: Connection, revision: str) -> None:
    """Say that the database is of a revision, within the connection's transaction."""
    command.stamp(_config(connection), revision)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database to a newer revision, within the connection's transaction."""
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Bring the database back to an older revision, within the connection's transaction."""
    command.downgrade(_config(connection), revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", os.pathsep.join(map(str, VERSIONS)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection.bind()
    return config
