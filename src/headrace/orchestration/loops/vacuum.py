"""The vacuum: deletes what is older than it is kept for, in pieces so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from headrace.base.clock import SYSTEM, Clock
from headrace.orchestration.desk import Desk
from headrace.orchestration.loops.loop import Loop
from headrace.orchestration.unit import Unit
from headrace.schema.result_file import file_of_key, split_location
from headrace.storage import deletions, retention, run_counts
from headrace.storage.database import Connection, Database

INTERVAL = 3600.0
"""Seconds from one look to the next."""
PIECE = 200
"""How many rows one transaction deletes at most, of each kind."""
DAY = 86_400_000_000

T = TypeVar("T")

Deletion = Callable[[Connection, UUID, int, int], int]


class Retention(Struct, frozen=True, kw_only=True):
    """For how many days things are kept: runs with their states, logs, artifacts and results, from their end on; events that
    are no states of runs; the files of results, in folders below `results`. None: for ever.
    """

    runs: float | None = 90.0
    events: float | None = 7.0
    results: Path | None = None


class Vacuum(Loop):
    """Deletes what is too old. Between two pieces it rests for as long as the last one took, so others come between."""

    name = "vacuum"

    def __init__(
        self,
        database: Database,
        kept: Retention,
        clock: Clock = SYSTEM,
        interval: float = INTERVAL,
        piece: int = PIECE,
    ) -> None:
        super().__init__(database, clock, interval)
        self._kept = kept
        self._piece = piece

    def run_once(self) -> int:
        """Delete what is too old now; how many rows that were runs, or stood by themselves."""
        return sum(self._clear(desk) for desk in self._desks())

    def _clear(self, desk: Desk) -> int:
        done = 0
        now = self._clock.micros()
        if self._kept.events is not None:
            before = now - int(self._kept.events * DAY)
            done += self._repeat(desk, retention.delete_passing_events, before)
            done += self._repeat(desk, retention.delete_silent, before)
        if self._kept.runs is not None:
            before = now - int(self._kept.runs * DAY)
            files = Files(desk, self._kept.results, before)
            done += self._delete_runs(desk, before, files)
            done += self._delete_loose(desk, before, files)
            done += self._repeat(desk, retention.delete_lost_logs, before)
            files.delete_packs(self._piece)
        self._perform(desk, lambda unit: run_counts.fold(unit.connection, unit.workspace_id))
        return done + self._repeat(
            desk,
            lambda connection, workspace_id, _, limit: retention.delete_lost_statuses(connection, workspace_id, limit),
            now,
        )

    def _delete_runs(self, desk: Desk, before: int, files: Files) -> int:
        done = 0
        while not self._stopping.is_set():
            ended = desk.read(
                lambda unit: retention.find_ended_runs(unit.connection, unit.workspace_id, before, self._piece)
            )
            for flow_run_id in ended:
                if self._stopping.is_set():
                    return done
                done += self._delete_run(desk, flow_run_id, files)
            if len(ended) < self._piece:
                return done
        return done

    def _delete_run(self, desk: Desk, flow_run_id: UUID, files: Files) -> int:
        """Delete a run: first, piece by piece, what may be much."""
        self._empty(desk, flow_run_id, retention.delete_logs_of)
        done = 0
        while tasks := desk.read(
            lambda unit: retention.list_task_runs_of(unit.connection, unit.workspace_id, flow_run_id, self._piece)
        ):
            done += self._delete_task_runs(desk, tasks, files)
        self._empty(desk, flow_run_id, retention.delete_events_of)

        def delete_run(unit: Unit) -> tuple[int, list[tuple[str, str]]]:
            kept = retention.list_kept(unit.connection, unit.workspace_id, flow_run_id, [])
            return deletions.delete_flow_run(unit.connection, unit.workspace_id, flow_run_id), kept

        deleted, kept = self._perform(desk, delete_run)
        files.delete(kept)
        return done + deleted

    def _empty(self, desk: Desk, flow_run_id: UUID, delete: Callable[[Connection, UUID, UUID, int], int]) -> None:
        while self._perform(desk, lambda unit: delete(unit.connection, unit.workspace_id, flow_run_id, self._piece)):
            pass

    def _delete_loose(self, desk: Desk, before: int, files: Files) -> int:
        done = 0
        while not self._stopping.is_set():
            tasks = desk.read(
                lambda unit: retention.find_ended_task_runs(unit.connection, unit.workspace_id, before, self._piece)
            )
            done += self._delete_task_runs(desk, tasks, files)
            if len(tasks) < self._piece:
                break
        return done

    def _delete_task_runs(self, desk: Desk, ids: Sequence[UUID], files: Files) -> int:
        if not ids:
            return 0

        def delete(unit: Unit) -> tuple[int, list[tuple[str, str]]]:
            kept = retention.list_kept(unit.connection, unit.workspace_id, None, ids)
            return retention.delete_task_runs(unit.connection, unit.workspace_id, ids), kept

        deleted, kept = self._perform(desk, delete)
        files.delete(kept)
        return deleted

    def _repeat(self, desk: Desk, delete: Deletion, before: int) -> int:
        """Delete by pieces until nothing is left."""
        done = 0
        while not self._stopping.is_set():
            gone = self._perform(desk, lambda unit: delete(unit.connection, unit.workspace_id, before, self._piece))
            done += gone
            if not gone:
                break
        return done

    def _perform(self, desk: Desk, use_case: Callable[[Unit], T]) -> T:
        begin = self._clock.monotonic()
        result = desk.write(use_case)
        self._stopping.wait(self._clock.monotonic() - begin)
        return result

    def _report(self, done: int) -> None:
        self._log.info("%d rows were older than they are kept for.", done)


class Files:
    """The files of values whose records are gone, as far as they are in this machine's folder of results."""

    def __init__(self, desk: Desk, folder: Path | None, before: int) -> None:
        self._desk = desk
        self._folder = None if folder is None else folder.resolve()
        self._before = before
        self._packs: set[Path] = set()

    def delete(self, kept: Sequence[tuple[str, str]]) -> None:
        """Delete the files of values, unless another record names them. Packs hold others' values too: they are noted."""
        for storage_key, location in kept:
            packed = split_location(Path(location))
            path = packed[0] if packed else file_of_key(storage_key, Path(location))
            if not self._is_ours(path):
                continue
            if packed:
                self._packs.add(path)
            elif not self._is_named(storage_key, location):
                with suppress(OSError):  # it may be gone, or somebody else's to delete
                    path.unlink()

    def delete_packs(self, piece: int) -> None:
        """Delete the packs noted that nobody has written to for as long as runs are kept, and of which no record is left."""
        left = {path for path in self._packs if self._is_old(path)}
        after: UUID | None = None
        while left:
            found = self._desk.read(
                lambda unit, last=after: retention.list_locations(unit.connection, unit.workspace_id, last, piece)
            )
            for _, location in found:
                packed = split_location(Path(location))
                if packed:
                    left.discard(packed[0])
            if len(found) < piece:
                break
            after = found[-1][0]
        for path in left:
            with suppress(OSError):
                path.unlink()

    def _is_ours(self, path: Path) -> bool:
        return self._folder is not None and path.resolve().is_relative_to(self._folder)

    def _is_old(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime_ns // 1000 < self._before
        except OSError:
            return False

    def _is_named(self, storage_key: str, location: str) -> bool:
        return self._desk.read(
            lambda unit: retention.is_kept(unit.connection, unit.workspace_id, storage_key, location)
        )
