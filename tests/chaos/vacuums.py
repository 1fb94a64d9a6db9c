"""A vacuum that deletes until nothing is old, or until it is killed: `python tests/chaos/vacuums.py URL [BUG]`."""

import sys

from headrace.orchestration.loops import vacuum
from headrace.storage.databases import open_database


def forget_age() -> None:
    """Everything that has ended counts as old."""
    vacuum.DAY = 0


if __name__ == "__main__":
    if sys.argv[2:] == ["forgets-age"]:
        forget_age()
    with open_database(sys.argv[1]) as database:
        vacuum.Vacuum(database, vacuum.Retention(), piece=20).run_once()
