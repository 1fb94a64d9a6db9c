"""What a database has: its tables, columns, keys, indexes and triggers, so that two databases can be compared."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from headrace.storage.database import Connection, Database

Catalogue = dict[str, list[tuple[Any, ...]]]


def read_catalogue(database: Database) -> Catalogue:
    """Everything the schema consists of."""
    read = {"sqlite": _read_sqlite, "postgresql": _read_postgresql}[database.dialect]
    return database.read(lambda connection: read(lambda sql: _rows(connection, sql)))


def _rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.select(text(sql))]


def _read_sqlite(rows: Callable[[str], list[tuple[Any, ...]]]) -> Catalogue:
    catalogue: Catalogue = {}
    for name, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        catalogue[name] = [("autoincrement", "AUTOINCREMENT" in sql), *rows(f"PRAGMA table_xinfo({name})")]
        for _, index, unique, origin, partial in rows(f"PRAGMA index_list({name})"):
            parts = rows(f"PRAGMA index_xinfo({index})")
            catalogue[index if origin == "c" else f"{name}: {parts}"] = [(name, unique, origin, partial), *parts]
    for name, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"):
        catalogue[name].append((re.sub(r"\s+", " ", sql).partition(" WHERE ")[2],))
    for name, sql in rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"):
        catalogue[name] = [(re.sub(r"\s+", " ", sql),)]
    return catalogue


def _read_postgresql(rows: Callable[[str], list[tuple[Any, ...]]]) -> Catalogue:
    return {
        "columns": rows(
            "SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,"
            " a.attcollation, pg_get_expr(d.adbin, d.adrelid)"
            " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
            " ORDER BY 1, 2"
        ),
        "constraints": rows(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
        ),
        "indexes": rows(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
        ),
        "triggers": rows(
            "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE NOT tgisinternal ORDER BY 1, 2"
        ),
        "functions": rows("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"),
        "sequences": rows(
            "SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
        ),
    }
