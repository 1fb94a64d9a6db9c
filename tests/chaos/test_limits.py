"""P7: held slots never exceed the limit, a dead holder's slot is back within one lease, a release wakes the next at once.

`HEADRACE_CHAOS_HOLDERS` says how many holders are killed (50 unless said).
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import func, select, table

from headrace.base import clock
from headrace.base.errors import AcquireConcurrencySlotTimeoutError
from headrace.base.settings import load_settings
from headrace.concurrency.sync import concurrency
from headrace.connect import open_administration, open_session
from headrace.engine.session import close_session, swap_session
from headrace.gateway.administration import Administration
from headrace.orchestration import slots
from headrace.orchestration.unit import Unit
from headrace.rules.slots import Limit
from headrace.schema.orchestration import ConcurrencyLimitCreate
from headrace.storage.databases import open_database
from headrace.storage.rows import LimitRow

HOLDERS = int(os.environ.get("HEADRACE_CHAOS_HOLDERS", "50"))
LIMIT, LEASE = 5, 3.0
PART = 2 * LIMIT
"""Holders in one test: those who hold the slots at first, and as many who wait for them to be killed."""

HOLDER = """
import os
import sys

if "called" in sys.argv:
    from headrace.rules import slots
    slots.SOONEST = slots.LATEST = 3600.0  # who waits asks again when it is called, or in an hour
if "silent" in sys.argv:
    from headrace.orchestration import slots
    slots._call_next = lambda *given_back: None  # who gives back calls nobody
from headrace.concurrency.sync import concurrency

if "planted" in sys.argv:
    from headrace.orchestration import slots
    slots.decide_slots = lambda *asked: None  # whoever asks is granted, as if nothing had been counted
journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
with concurrency("db", lease_duration=float(sys.argv[2])):
    os.write(journal, b"+")
    print("held", flush=True)
    sys.stdin.readline()
    os.write(journal, b"-")
"""


class Holders:
    """Processes that take a slot of the limit and keep it until they are told to give it back, or killed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.script, self.journal = folder / "holder.py", folder / "journal"
        self.script.write_text(HOLDER)
        self.journal.touch()
        self.arguments = arguments
        self.all: list[subprocess.Popen[str]] = []
        self.holding: list[subprocess.Popen[str]] = []
        self._came = threading.Condition()
        self._since: dict[int, float] = {}

    def start(self, number: int) -> None:
        """Let further ones come."""
        untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        for _ in range(number):
            command = [sys.executable, str(self.script), str(self.journal), str(LEASE), *self.arguments]
            process = subprocess.Popen(
                command,
                env=untraced | {"HEADRACE_LOGGING_LEVEL": "CRITICAL"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.all.append(process)
            threading.Thread(target=self._listen, args=(process, process.stdout), daemon=True).start()

    def await_holding(self, number: int, patience: float = 120) -> None:
        """Wait until so many hold a slot."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.holding) >= number, timeout=patience)
            assert came, f"only {len(self.holding)} of {number} have come to hold a slot"

    def kill(self, number: int) -> None:
        """Kill the first of those who hold a slot."""
        for process in self._take(number):
            process.send_signal(signal.SIGKILL)
            process.wait()
            with self.journal.open("a") as journal:
                journal.write("-")  # what it used is not used any more from here on

    def hand_over(self, patience: float = 120) -> float:
        """Have the first holder give its slot back while somebody waits; seconds until they have it."""
        (process,) = self._take(1)
        began = len(self.holding)
        assert process.stdin is not None
        told = clock.monotonic()
        process.stdin.write("\n")
        process.stdin.flush()
        self.await_holding(began + 1, patience)
        process.wait()
        return max(self._since.values()) - told

    def most(self) -> int:
        """How many used a slot at once, at most."""
        using, most = 0, 0
        for mark in self.journal.read_text():
            using += 1 if mark == "+" else -1
            most = max(most, using)
        return most

    def close(self) -> None:
        for process in self.all:
            process.kill()
            process.communicate()

    def _take(self, number: int) -> list[subprocess.Popen[str]]:
        with self._came:
            taken, self.holding = self.holding[:number], self.holding[number:]
        return taken

    def _listen(self, process: subprocess.Popen[str], output: IO[str] | None) -> None:
        assert output is not None
        if output.readline() == "held\n":
            with self._came:
                self._since[process.pid] = clock.monotonic()
                self.holding.append(process)
                self._came.notify_all()


class Sampler:
    """Looks again and again at how many slots are held."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most, self.looks = 0, 0
        self._thread.start()

    def _look(self) -> None:
        while not self._stopping.wait(0.02):
            self.most = max(self.most, self._administration.read_concurrency_limit("db").active_slots)
            self.looks += 1

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


@pytest.fixture
def administration(database_url: str) -> Iterator[Administration]:
    opened: Any = open_administration(load_settings())
    opened.create_concurrency_limit(ConcurrencyLimitCreate(name="db", limit=LIMIT))
    yield opened
    opened.close()


@pytest.fixture
def holders(administration: Administration, tmp_path: Path) -> Iterator[Holders]:
    made = Holders(tmp_path)
    yield made
    made.close()


def kill_and_check(holders: Holders, administration: Administration, number: int) -> None:
    """Kill holders, and check that their leases have no more than one lease to go."""
    holders.kill(number)
    latest = clock.now() + timedelta(seconds=LEASE)
    told = administration.read_held_limit("global", "db").holders
    assert all(holder.until is not None for holder in told)
    dead = sorted(holder.until for holder in told if holder.until is not None)[:number]
    assert all(until <= latest for until in dead)


def take_all(patience: float) -> None:
    """Take all slots at once, which can be had only when nobody holds any."""
    swap_session(open_session())
    try:
        with concurrency("db", occupy=LIMIT, timeout_seconds=patience):
            pass
    finally:
        close_session()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(0, HOLDERS, PART))
def test_killed_holders_slots_come_back_and_are_never_too_many(
    administration: Administration, holders: Holders, part: int
) -> None:
    sampler = Sampler(administration)
    holders.start(PART)
    holders.await_holding(LIMIT)
    kill_and_check(holders, administration, LIMIT)
    holders.await_holding(LIMIT)
    kill_and_check(holders, administration, LIMIT)
    take_all(120)
    sampler.stop()
    assert 0 < sampler.most <= LIMIT
    assert 0 < holders.most() <= LIMIT
    assert administration.read_concurrency_limit("db").active_slots == 0
    print(f"holders {part} to {part + PART - 1}: {sampler.looks} looks, {sampler.most} held at most")


@pytest.mark.timeout(300)
def test_what_is_given_back_is_handed_over(administration: Administration, holders: Holders) -> None:
    holders.start(PART)
    holders.await_holding(LIMIT)
    waits = [holders.hand_over() for _ in range(LIMIT)]
    print("handed over after", ", ".join(f"{seconds * 1000:.0f} ms" for seconds in sorted(waits)))
    assert holders.most() <= LIMIT


def hand_over_by_calls(folder: Path, url: str, patience: float, *bugs: str) -> None:
    """Give all slots back, one after the other, while others wait who ask again only when they are called."""
    holders = Holders(folder, "called", *bugs)
    try:
        holders.start(PART)
        holders.await_holding(LIMIT)
        waiting = select(func.count()).select_from(table("slot_waiters"))
        with open_database(url) as database:
            pause = threading.Event()
            while database.read(lambda connection: connection.select(waiting)[0][0]) < PART - LIMIT:
                pause.wait(0.05)
        for _ in range(LIMIT):
            holders.hand_over(patience)
    finally:
        holders.close()


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("administration")
def test_who_waits_is_called(database_url: str, tmp_path: Path) -> None:
    hand_over_by_calls(tmp_path, database_url, 120)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("administration")
def test_giving_back_without_calling_would_be_found_out(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="have come to hold a slot"):
        hand_over_by_calls(tmp_path, database_url, 10, "silent")


@pytest.mark.timeout(300)
def test_a_counter_in_the_place_of_leases_would_be_found_out(
    administration: Administration, holders: Holders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts slots that were taken, and not those that are held, never gets a dead holder's back."""
    taken: dict[object, int] = {}

    def count(unit: Unit, rows: list[LimitRow]) -> list[Limit]:
        for row in rows:
            taken.setdefault(row.id, LIMIT)  # taken by those who are dead now, and never counted down
        return [Limit(row.slots, taken[row.id]) for row in rows]

    holders.start(LIMIT)
    holders.await_holding(LIMIT)
    kill_and_check(holders, administration, LIMIT)
    with monkeypatch.context() as planted:
        planted.setattr(slots, "_count", count)
        with pytest.raises(AcquireConcurrencySlotTimeoutError):
            take_all(2 * LEASE)
    take_all(120)


@pytest.mark.timeout(300)
def test_granting_without_counting_would_be_found_out(administration: Administration, tmp_path: Path) -> None:
    greedy = Holders(tmp_path, "planted")
    try:
        greedy.start(LIMIT + 1)
        greedy.await_holding(LIMIT + 1)
        assert greedy.most() > LIMIT
        assert administration.read_concurrency_limit("db").active_slots > LIMIT
    finally:
        greedy.close()
