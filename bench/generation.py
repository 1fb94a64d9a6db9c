"""A month in the life of a database, made up from a seed and written through the project's own storage layer."""

import json
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from uuid import UUID

import msgspec

from headrace.base.ids import DEFAULT_WORKSPACE
from headrace.base.names import ADJECTIVES, ANIMALS
from headrace.schema.fact import StateFact
from headrace.schema.state import StateType
from headrace.storage import compiled
from headrace.storage.database import Connection, Database, Insertion
from headrace.storage.rows import FlowRow, FlowRunRow, TaskRunRow
from headrace.storage.tag_rows import list_tags

SECOND = 1_000_000
DAY = 86_400 * SECOND
DAYS = 30
FLOWS = 50
BATCH = 2_000
"""Flow runs written in one transaction, with all that belongs to them."""

TAGS = ("prod", "staging", "daily", "hourly", "etl", "ml", "team-a", "team-b", "gpu", "backfill", "critical", "slow")
TASK_NAMES = ("extract", "clean", "join", "features", "train", "score", "publish", "notify", "check", "archive")

FLOW_ENDS = {
    ("COMPLETED", "Completed"): 840,
    ("FAILED", "Failed"): 70,
    ("FAILED", "TimedOut"): 5,
    ("CRASHED", "Crashed"): 20,
    ("CANCELLED", "Cancelled"): 20,
    ("SCHEDULED", "Scheduled"): 25,
    ("SCHEDULED", "Late"): 5,
    ("RUNNING", "Running"): 8,
    ("PENDING", "Pending"): 4,
    ("PAUSED", "Paused"): 3,
}
"""In which state, and under which name, flow runs are found, of a thousand."""

TASK_ENDS = {
    ("COMPLETED", "Completed"): 960,
    ("COMPLETED", "Cached"): 20,
    ("FAILED", "Failed"): 15,
    ("CRASHED", "Crashed"): 3,
    ("CANCELLED", "Cancelled"): 2,
}

NOT_STARTED = {"SCHEDULED", "PENDING"}
WAITING = ("SCHEDULED", "Scheduled")
"""Made ahead of their time, which is yet to come."""
AHEAD = 3 * DAY
"""How far ahead, at most."""
MESSAGES = {"FAILED": "Flow run encountered an exception: ValueError: no rows in the source table"}


@dataclass(frozen=True)
class Amount:
    """How much is made."""

    flow_runs: int
    task_runs: int
    seed: int


Rows = dict[Insertion, list[tuple[object, ...]]]


def generate(database: Database, amount: Amount, now: int) -> None:
    """Write so many runs into the database, spread over the month before `now` (microseconds since the epoch)."""
    random = Random(amount.seed)
    flows = make_flows(Random(FLOWS), now)  # the same ones each time, so that a second call adds runs to them
    write(database, {compiled.insert_flows: [(DEFAULT_WORKSPACE, *flow) for flow in flows]})
    starts = sorted(now - random.randrange(DAYS * DAY) for _ in range(amount.flow_runs))
    ends = random.choices(list(FLOW_ENDS), list(FLOW_ENDS.values()), k=amount.flow_runs)
    counts = deal(random, amount.task_runs, [kind not in NOT_STARTED for kind, _ in ends])
    runs = list(zip(starts, ends, counts, strict=True))
    for first in range(0, len(runs), BATCH):
        rows: Rows = {
            compiled.insert_flow_runs: [],
            compiled.insert_task_runs: [],
            compiled.insert_flow_run_tags: [],
            compiled.insert_task_run_tags: [],
            compiled.insert_events: [],
        }
        for start, end, count in runs[first : first + BATCH]:
            due = now + random.randrange(AHEAD) if end == WAITING else start
            add_flow_run(rows, random, random.choice(flows[: random.randint(1, FLOWS)]), (start, due), end, count)
        write(database, rows)


def settle(url: str) -> None:
    """Let PostgreSQL look at what was written, as its autovacuum would soon do by itself."""
    if url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")


def write(database: Database, rows: Rows) -> None:
    """Write the rows in one unit of work."""

    def unit(connection: Connection) -> None:
        for insertion, found in rows.items():
            connection.insert(insertion, found)

    database.write(unit)


def deal(random: Random, total: int, takes: list[bool]) -> list[int]:
    """Deal `total` task runs to those that take some, unevenly."""
    cuts = sorted(random.randrange(total + 1) for _ in range(max(0, sum(takes) - 1)))
    shares = iter([high - low for low, high in pairwise((0, *cuts, total))])
    return [next(shares) if taking else 0 for taking in takes]


def make_flows(random: Random, now: int) -> list[FlowRow]:
    """Return the flows, whose names are distinct."""
    names = random.sample([f"{adjective}-{animal}" for adjective in ADJECTIVES for animal in ANIMALS], FLOWS)
    created = now - (DAYS + 1) * DAY
    return [FlowRow(make_id(random, created), name, "[]", None, created, created) for name in names]


def make_id(random: Random, created: int) -> UUID:
    """Return a UUIDv7 of that instant, from the seed."""
    bits = random.getrandbits(74)
    return UUID(int=created // 1000 << 80 | 0x7 << 76 | bits >> 62 << 64 | 0x2 << 62 | bits & ((1 << 62) - 1))


def make_tags(random: Random) -> str:
    return json.dumps(sorted(random.sample(TAGS, random.choice((0, 0, 1, 2, 3)))))


def make_name(random: Random) -> str:
    return f"{random.choice(ADJECTIVES)}-{random.choice(ANIMALS)}"


def make_states(start: int, end: int | None, last: tuple[str, str]) -> list[StateFact]:
    """Return the states a run went through until the one it is in."""
    kind, name = last
    if kind in NOT_STARTED:
        return [StateFact(1, StateType(kind), name, start)]
    states = [
        StateFact(1, StateType.PENDING, "Pending", start),
        StateFact(2, StateType.RUNNING, "Running", start + SECOND // 10),
    ]
    if kind != "RUNNING":
        states.append(StateFact(3, StateType(kind), name, end or start + SECOND, MESSAGES.get(kind)))
    return states


def add_flow_run(
    rows: Rows, random: Random, flow: FlowRow, times: tuple[int, int], last: tuple[str, str], task_runs: int
) -> None:
    """Add a flow run with its task runs and events. `times` are when it was made and when it is due."""
    kind, _ = last
    start, expected = times
    identity = make_id(random, start)
    started = kind not in NOT_STARTED
    length = int(random.expovariate(1 / 120) * SECOND) + SECOND
    end = start + length if started and kind not in {"RUNNING", "PAUSED"} else None
    states = make_states(start, end, last)
    now = states[-1].timestamp
    run = FlowRunRow(
        id=identity,
        flow_id=flow.id,
        name=make_name(random),
        tags=make_tags(random),
        labels=json.dumps({"headrace.flow.id": str(flow.id)}),
        run_count=int(started),
        expected_start_time=expected,
        next_scheduled_start_time=expected if kind == "SCHEDULED" else None,
        start_time=start if started else None,
        end_time=end,
        total_run_time=length if end else 0,
        **current(states),
        epoch=int(started),
        deployment_id=None,
        deployment_version=None,
        work_pool_id=None,
        work_queue_id=None,
        flow_version="1",
        parameters=json.dumps({"day": "2026-01-01", "limit": random.randrange(1000)}),
        context="{}",
        empirical_policy="{}",
        idempotency_key=None,
        parent_flow_run_id=None,
        parent_task_run_id=None,
        auto_scheduled=kind == "SCHEDULED",
        infrastructure_document_id=None,
        infrastructure_pid=None,
        job_variables=None,
        created_by_id=None,
        created_by_type=None,
        created_by_display_value=None,
        created=start,
        updated=now,
    )
    rows[compiled.insert_flow_runs].append((DEFAULT_WORKSPACE, *run))
    rows[compiled.insert_flow_run_tags] += [(DEFAULT_WORKSPACE, *tag) for tag in list_tags([run])]
    for state in states:
        add_event(rows, "flow-run", identity, identity, [state])
    for number in range(task_runs):
        offset = length * number // (task_runs + 1)
        add_task_run(rows, random, identity, start + offset, length // (task_runs + 1), number)


def add_task_run(rows: Rows, random: Random, flow_run: UUID, start: int, length: int, number: int) -> None:
    """Add a task run of a flow run, with its event."""
    identity = make_id(random, start)
    [last] = random.choices(list(TASK_ENDS), list(TASK_ENDS.values()))
    name = TASK_NAMES[number % len(TASK_NAMES)]
    states = make_states(start, start + length, last)
    run = TaskRunRow(
        id=identity,
        flow_run_id=flow_run,
        task_key=f"{name}-{flow_run.int % 997:03x}",
        dynamic_key=str(number // len(TASK_NAMES)),
        name=f"{name}-{identity.hex[-3:]}",
        tags=make_tags(random) if number % 10 == 0 else "[]",
        labels=None,
        run_count=1,
        expected_start_time=start,
        next_scheduled_start_time=None,
        start_time=start,
        end_time=start + length,
        total_run_time=length,
        **current(states),
        flow_run_run_count=1,
        task_version=None,
        cache_key=None,
        cache_expiration=None,
        empirical_policy="{}",
        task_inputs="{}",
        created=start,
        updated=start + length,
    )
    rows[compiled.insert_task_runs].append((DEFAULT_WORKSPACE, *run))
    rows[compiled.insert_task_run_tags] += [(DEFAULT_WORKSPACE, *tag) for tag in list_tags([run])]
    add_event(rows, "task-run", identity, flow_run, states)


def current(states: list[StateFact]) -> dict[str, object]:
    """Return the columns that say in which state a run is."""
    last = states[-1]
    return {
        "state_type": str(last.type),
        "state_name": last.name,
        "state_timestamp": last.timestamp,
        "state_ordinal": last.ordinal,
        "state": json.dumps({"message": last.message}) if last.message else None,
    }


def add_event(rows: Rows, kind: str, subject: UUID, flow_run: UUID, states: list[StateFact]) -> None:
    """Add what the log keeps of these states."""
    body = msgspec.json.encode(states).decode()
    rows[compiled.insert_events].append((DEFAULT_WORKSPACE, kind, subject, flow_run, states[-1].timestamp, body))
