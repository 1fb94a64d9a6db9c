"""Calls of one cache key that take turns: one computes the value, the others use it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from headrace import State, flow, task
from headrace.cache_policies import CacheKeyFnPolicy, CachePolicy
from headrace.engine.keys import find_key, note_key
from headrace.engine.locking import KeyLock
from headrace.engine.results import StoredResult
from headrace.engine.task_lifecycle import task_lifecycle
from headrace.exceptions import SerializationError, UsageError
from headrace.locking import FileSystemLockManager, MemoryLockManager
from headrace.transactions import IsolationLevel, transaction
from tests.unit.engine.conftest import Stage

pytestmark = pytest.mark.usefixtures("stage")


class Turnstile(MemoryLockManager):
    """Says when a second one wants the lock of a key, who was the first to have it, and who gave it back."""

    def __init__(self) -> None:
        self.wanted = 0
        self.crowded = threading.Event()

    def acquire_lock(
        self, key: str, holder: str, acquire_timeout: float | None = None, hold_timeout: float | None = None
    ) -> bool:
        self.wanted += 1
        if self.wanted == 2:
            self.crowded.set()
        return super().acquire_lock(key, holder, acquire_timeout, hold_timeout)


def policy(manager: Any = None, key: str = "key", **options: Any) -> CachePolicy:
    made = CacheKeyFnPolicy(lambda _context, _inputs: key)
    return made.configure(lock_manager=manager, isolation_level=IsolationLevel.SERIALIZABLE, **options)


def test_of_two_at_once_one_computes_and_the_other_uses_the_value() -> None:
    gate = Turnstile()
    computed: list[int] = []

    @task(cache_policy=policy(gate, "threads"))
    def compute(number: int) -> int:
        assert gate.crowded.wait(60), "nobody else waits for their turn"
        computed.append(number)
        return number

    first, second = compute.submit(1), compute.submit(2)
    assert first.result() == second.result() == computed[0]
    assert len(computed) == 1
    assert {first.state.name, second.state.name} == {"Completed", "Cached"}
    assert not gate.is_locked("threads")


def test_coroutines_take_turns_as_well() -> None:
    gate = Turnstile()
    computed: list[int] = []

    @task(cache_policy=policy(gate, "loop"))
    async def compute(number: int) -> int:
        assert await asyncio.to_thread(gate.crowded.wait, 60), "nobody else waits for their turn"
        computed.append(number)
        return number

    async def main() -> tuple[int, int, int]:
        return await asyncio.gather(compute(1), compute(2), compute(3))

    assert set(asyncio.run(main())) == {*computed}
    assert len(computed) == 1


def test_one_that_stops_waiting_has_no_turn_later() -> None:
    gate = Turnstile()
    gate.acquire_lock("left", "somebody")

    @task(cache_policy=policy(gate, "left"))
    async def compute() -> int:
        return 1

    async def main() -> None:
        waiting = asyncio.ensure_future(compute())
        assert await asyncio.to_thread(gate.crowded.wait, 60), "nobody else waits for their turn"
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.release_lock("left", "somebody")
        assert await gate.await_for_lock("left", 60)
        assert await asyncio.wait_for(compute(), 60) == 1

    asyncio.run(main())


def test_a_failure_gives_the_next_one_its_turn() -> None:
    gate = Turnstile()
    tries: list[int] = []

    @task(cache_policy=policy(gate, "failing"))
    def compute() -> str:
        assert gate.crowded.wait(60), "nobody else waits for their turn"
        tries.append(1)
        if len(tries) == 1:
            raise LookupError
        return "second"

    states: list[State] = [future.state for future in _ended(compute.submit(), compute.submit())]
    assert sorted(state.name or "" for state in states) == ["Completed", "Failed"]


def _ended(*futures: Any) -> Any:
    for future in futures:
        future.wait()
    return futures


def test_within_a_turn_the_same_key_is_not_waited_for() -> None:
    @task(cache_policy=policy(key="nested"))
    def inner() -> int:
        return 1

    @task(cache_policy=policy(key="nested"))
    def outer() -> int:
        return inner() + inner.submit().result()

    assert outer() == 2

    @flow
    def around() -> int:
        return outer.with_options(refresh_cache=True)()

    assert around() == 4  # the inner ones find what the outer one kept under their key


def test_a_run_that_is_left_gives_its_turn_back() -> None:
    manager = MemoryLockManager()

    @task(cache_policy=policy(manager, "left-behind"))
    def compute() -> None: ...

    run = compute.begin({})
    run.cache_key, run.lock = "left-behind", compute.cache_policy.lock("left-behind", str(run.id), Path())
    run.take_turn()
    lifecycle = task_lifecycle(run)
    next(lifecycle)
    lifecycle.close()
    assert not manager.is_locked("left-behind")


def test_in_a_transaction_the_turn_ends_with_it() -> None:
    manager = MemoryLockManager()

    @task(cache_policy=policy(manager, "within"))
    def compute() -> int:
        return 1

    with transaction():
        compute()
        assert manager.is_locked("within")
    assert not manager.is_locked("within")
    with pytest.raises(LookupError), transaction():  # noqa: PT012 - what is undone is what runs within
        assert compute(return_state=True).name == "Cached"
        assert not manager.is_locked("within")
        compute.with_options(refresh_cache=True)()
        assert manager.is_locked("within")
        raise LookupError
    assert not manager.is_locked("within")


def test_a_manager_that_gives_no_lock_fails_the_run() -> None:
    class Stingy(MemoryLockManager):
        def acquire_lock(self, *_: Any, **__: Any) -> bool:
            return False

    @task(cache_policy=policy(Stingy()))
    def compute() -> int:
        raise AssertionError

    with pytest.raises(UsageError, match="Stingy did not give the lock of key 'key'"):
        compute()


def test_systems_without_file_locks_are_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(UsageError, match="or a lock manager"):
        KeyLock(tmp_path, "key").acquire()


SCRIPT = """
import os, sys
from pathlib import Path
from headrace import task
from headrace.cache_policies import INPUTS
from headrace.transactions import IsolationLevel

@task(cache_policy=INPUTS.configure(isolation_level=IsolationLevel.SERIALIZABLE))
def compute(number: int) -> int:
    print("computes", flush=True)
    sys.stdin.readline()
    return os.getpid()

print("asks", flush=True)
print("has", compute(1), flush=True)
"""


def test_of_two_processes_one_computes_and_the_other_uses_the_value(stage: Stage) -> None:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    with start() as first, start() as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "asks\n"
        outputs: list[str] = []
        threads = [threading.Thread(target=lambda p=p: outputs.append(p.stdout.read())) for p in (first, second)]  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
        for thread in threads:
            thread.start()
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
        for thread in threads:
            thread.join()
    said = "".join(outputs).splitlines()
    assert said.count("computes") == 1
    assert len({line for line in said if line.startswith("has")}) == 1
    assert [first.returncode, second.returncode] == [0, 0]


def test_files_as_locks_serve_tasks(tmp_path: Path) -> None:
    manager = FileSystemLockManager(tmp_path)

    @task(cache_policy=policy(manager))
    def compute() -> int:
        assert manager.is_locked("key")
        return 1

    assert compute() == compute() == 1
    assert not manager.is_locked("key")


# key storage


def test_a_key_storage_finds_values_wherever_they_are(tmp_path: Path) -> None:
    computed: list[str] = []

    def compute(number: int) -> int:
        computed.append("")
        return number

    storage = CacheKeyFnPolicy(lambda _, inputs: f"number-{inputs['number']}").configure(key_storage=tmp_path / "keys")
    one = task(cache_policy=storage, result_storage=tmp_path / "one", result_storage_key="one-{parameters[number]}")(
        compute
    )
    other = task(cache_policy=storage, result_storage=tmp_path / "other")(compute)
    assert one(1) == other(1) == 1
    assert len(computed) == 1
    assert other(2) == one(2) == 2
    assert len(computed) == 2


def test_a_key_that_points_to_the_value_of_another_is_not_believed(tmp_path: Path) -> None:
    storage = CacheKeyFnPolicy(lambda _, inputs: f"number-{inputs['number']}").configure(key_storage=tmp_path)

    @task(cache_policy=storage)
    def compute(number: int) -> int:
        return number

    assert compute(1) == 1
    known = find_key(tmp_path, "number-1")
    assert known is not None
    note_key(tmp_path, "number-2", known)
    assert compute(2) == 2


def test_a_key_storage_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SerializationError, match=r"The cache key could not be kept in .*: Not a directory"):
        note_key(tmp_path / "file", "key", StoredResult("key", "/nowhere", "pickle", 1))
    assert find_key(tmp_path / "file", "key") is None
