"""A vacuum that deletes until nothing is old, or until it is killed, and says how much it deleted at once, at most:
`python tests/chaos/vacuums.py URL [BUG]`.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import func, select

from headrace.orchestration.loops import vacuum
from headrace.storage import tables
from headrace.storage.database import Connection, Database
from headrace.storage.databases import open_database

T = TypeVar("T")
PIECE = 20
COUNTED = (tables.flow_runs, tables.task_runs, tables.logs, tables.events)


def forget_age() -> None:
    """Everything that has ended counts as old."""
    vacuum.DAY = 0


def count_pieces(database: Database) -> list[int]:
    """How many rows of a kind each transaction from now on deletes."""
    pieces: list[int] = []
    write = database.write

    def count(connection: Connection) -> list[int]:
        return [connection.select(select(func.count()).select_from(each))[0][0] for each in COUNTED]

    def count_and_write(unit: Callable[[Connection], T]) -> T:
        def counted(connection: Connection) -> T:
            before = count(connection)
            result = unit(connection)
            pieces.append(max(was - now for was, now in zip(before, count(connection), strict=True)))
            return result

        return write(counted)

    database.write = count_and_write
    return pieces


if __name__ == "__main__":
    bug = sys.argv[2:]
    if bug == ["forgets-age"]:
        forget_age()
    with open_database(sys.argv[1]) as opened:
        deleted = count_pieces(opened)
        piece = 1_000_000 if bug == ["in-one-piece"] else PIECE
        vacuum.Vacuum(opened, vacuum.Retention(), piece=piece).run_once()
    print(max(deleted, default=0))
