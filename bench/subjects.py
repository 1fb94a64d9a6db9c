"""Who is measured: Headrace, its peers in the modes that are fair to them, and the lower bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NONE: Mapping[str, str] = MappingProxyType({})

PREFECT_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
}
PREFECT_TUNED = {
    **PREFECT_SETTINGS,
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
}
PREFECT_SCRIPTS = {
    "cold": ("prefect_cold.py",),
    "sequential": ("prefect_sequential.py",),
    "fanout": ("prefect_fanout.py",),
}


@dataclass(frozen=True)
class Database:
    """Where a subject keeps finished tasks, so that they can be counted from outside once a script has ended."""

    path: str
    table: str


@dataclass(frozen=True)
class Subject:
    """One line of the table: a program, its environment, and the scripts that exercise it."""

    key: str
    title: str
    peer: str
    """The name `--peers` selects it by; also the name of its environment and of its requirements file."""
    durability: str
    scripts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Scenario to script and arguments. A scenario that is missing is not measured for this subject."""
    imports: str | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: NONE)
    database: Database | None = None
    has_server: bool = False


HEADRACE_DATABASE = Database("headrace/headrace.db", "task_runs")
PREFECT_DATABASE = Database("prefect/prefect.db", "task_run")

HEADRACE = Subject(
    key="headrace",
    title="Headrace",
    peer="headrace",
    durability="SQLite WAL, synchronous=NORMAL, batches in the background; durable: each task waits for its commit",
    imports="from headrace import flow, task",
    scripts={
        "cold": ("headrace_cold.py",),
        "sequential": ("headrace_sequential.py",),
        "fanout": ("headrace_fanout.py",),
        "durable-sequential": ("headrace_sequential.py", "durable"),
        "durable-fanout": ("headrace_fanout.py", "durable"),
    },
    database=HEADRACE_DATABASE,
)
HEADRACE_FULL = Subject(
    key="headrace-full",
    title="Headrace, full sync",
    peer="headrace",
    durability="as Headrace with HEADRACE_DATABASE_SYNCHRONOUS=full: each commit is also on the disk (fsync)",
    settings={"HEADRACE_DATABASE_SYNCHRONOUS": "full"},
    scripts={
        "sequential": ("headrace_sequential.py",),
        "durable-sequential": ("headrace_sequential.py", "durable"),
        "durable-fanout": ("headrace_fanout.py", "durable"),
    },
    database=HEADRACE_DATABASE,
)

HEADRACE_SERVER = Subject(
    key="headrace-server",
    title="Headrace + server",
    peer="headrace",
    durability="as Headrace, in the server; what the script has not delivered at its end waits in its spool",
    scripts={name: HEADRACE.scripts[name] for name in ("cold", "sequential", "fanout", "durable-sequential")},
    database=HEADRACE_DATABASE,
    has_server=True,
)
HEADRACE_POSTGRESQL = Subject(
    key="headrace-postgresql",
    title="Headrace + PostgreSQL",
    peer="headrace",
    durability="a server on PostgreSQL at its defaults: each commit is also on the disk",
)

PREFECT_DURABILITY = "SQLite WAL, synchronous=NORMAL; task runs recorded from events after the flow went on"

PEERS = (
    Subject(
        key="prefect",
        title="Prefect",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; no server: it starts one that ends with the script",
        imports="from prefect import flow, task",
        settings=PREFECT_SETTINGS,
        scripts=PREFECT_SCRIPTS,
        database=PREFECT_DATABASE,
    ),
    Subject(
        key="prefect-tuned",
        title="Prefect, batches of 100",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; no server; the recorder's batch sizes at 100",
        settings=PREFECT_TUNED,
        scripts={name: script for name, script in PREFECT_SCRIPTS.items() if name != "cold"},
        database=PREFECT_DATABASE,
    ),
    Subject(
        key="prefect-server",
        title="Prefect + server",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; a server at its defaults is running",
        settings=PREFECT_SETTINGS,
        scripts=PREFECT_SCRIPTS,
        database=PREFECT_DATABASE,
        has_server=True,
    ),
    Subject(
        key="prefect-server-tuned",
        title="Prefect + server, batches",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; a server is running, its recorder's batch sizes at 100",
        settings=PREFECT_TUNED,
        scripts={name: script for name, script in PREFECT_SCRIPTS.items() if name != "cold"},
        database=PREFECT_DATABASE,
        has_server=True,
    ),
    Subject(
        key="prefect-worker",
        title="Prefect process worker",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; a server and a worker at their defaults",
    ),
    Subject(
        key="prefect-serve",
        title="Prefect serve",
        peer="prefect",
        durability=f"{PREFECT_DURABILITY}; a server and a program that serves its flow, at their defaults",
    ),
    Subject(
        key="dbos",
        title="DBOS",
        peer="dbos",
        durability="SQLite rollback journal, synchronous=FULL: each step is committed and on disk before it returns",
        imports="from dbos import DBOS",
        scripts={
            "cold": ("dbos_cold.py",),
            "sequential": ("dbos_sequential.py",),
            "fanout": ("dbos_fanout.py",),
            "durable-sequential": ("dbos_sequential.py",),
            "durable-fanout": ("dbos_fanout.py",),
        },
    ),
    Subject(
        key="luigi",
        title="Luigi",
        peer="luigi",
        durability="an empty target file per task, no fsync; fan-out over two worker processes",
        imports="import luigi",
        scripts={"cold": ("luigi_cold.py",), "sequential": ("luigi_sequential.py",), "fanout": ("luigi_fanout.py",)},
    ),
    Subject(
        key="ray",
        title="Ray",
        peer="ray",
        durability="keeps nothing; two CPUs, after warm-up",
        imports="import ray",
        settings={"RAY_USAGE_STATS_ENABLED": "0"},
        scripts={"sequential": ("ray_sequential.py",), "fanout": ("ray_fanout.py",)},
    ),
    Subject(
        key="dask",
        title="Dask",
        peer="dask",
        durability="keeps nothing; two processes, after warm-up",
        imports="from distributed import Client",
        scripts={"sequential": ("dask_sequential.py",), "fanout": ("dask_fanout.py",)},
    ),
)

BOUNDS = (
    Subject(
        key="bare",
        title="bare Python",
        peer="bare",
        durability="keeps nothing: the interpreter and plain function calls",
        imports="pass",
        scripts={"cold": ("bare_cold.py",), "sequential": ("bare_calls.py",)},
    ),
    Subject(
        key="sqlite-each",
        title="sqlite3, commit each",
        peer="bare",
        durability="SQLite WAL, synchronous=NORMAL, one commit per row",
        scripts={
            "sequential": ("bare_sqlite.py", "each", "NORMAL"),
            "durable-sequential": ("bare_sqlite.py", "each", "NORMAL"),
        },
    ),
    Subject(
        key="sqlite-each-full",
        title="sqlite3, commit each, full",
        peer="bare",
        durability="SQLite WAL, synchronous=FULL, one commit per row, each on the disk",
        scripts={"durable-sequential": ("bare_sqlite.py", "each", "FULL")},
    ),
    Subject(
        key="sqlite-once",
        title="sqlite3, one transaction",
        peer="bare",
        durability="SQLite WAL, synchronous=NORMAL, all rows in one transaction",
        scripts={"sequential": ("bare_sqlite.py", "once", "NORMAL")},
    ),
)

OURS = (HEADRACE, HEADRACE_FULL, HEADRACE_SERVER, HEADRACE_POSTGRESQL)
SUBJECTS = (*BOUNDS, *OURS, *PEERS)
PEER_NAMES = tuple(dict.fromkeys(subject.peer for subject in PEERS))
