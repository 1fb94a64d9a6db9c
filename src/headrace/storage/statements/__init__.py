"""The statements of execution, as SQLAlchemy constructs; `storage.generate` writes them into `compiled.py` as text.

Each is a function of the dialect, because the dialects differ in how an insert meets an existing row and how a list is
given; few differ in anything else. `STATEMENTS` take parameters by the names of their `bindparam`s, `INSERTIONS` take
rows of values for the columns they name, in that order.

Reads called `lock_…` hold their rows on PostgreSQL until the unit of work ends; SQLite has one writer anyway. They lock
in the order of ids or names, so that two units do not wait for each other.
"""

from headrace.storage.statements import background, leases, looks, pools, records, runs, slots, turns
from headrace.storage.statements.registry import INSERTIONS, STATEMENTS

__all__ = ["INSERTIONS", "STATEMENTS", "background", "leases", "looks", "pools", "records", "runs", "slots", "turns"]
