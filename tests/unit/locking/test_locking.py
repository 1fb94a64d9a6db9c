"""Lock managers: whoever holds the lock of a key holds it alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.exceptions import UsageError
from headrace.locking import FileSystemLockManager, LockManager, MemoryLockManager


@pytest.fixture(params=["memory", "files"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> LockManager:
    return MemoryLockManager() if request.param == "memory" else FileSystemLockManager(tmp_path / "locks")


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test uses: locks in memory are the whole process's."""
    return f"{request.node.name}/\udc80"


def on_a_thread(function: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(function()), daemon=True)
    thread.start()
    return thread, answers


def test_a_lock_is_held_by_one_at_a_time(manager: LockManager, key: str) -> None:
    assert not manager.is_locked(key)
    assert manager.wait_for_lock(key)
    assert manager.acquire_lock(key, "one")
    assert manager.acquire_lock(key, "one")
    assert (manager.is_lock_holder(key, "one"), manager.is_lock_holder(key, "two")) == (True, False)
    assert not manager.acquire_lock(key, "two", acquire_timeout=0)
    assert not manager.acquire_lock(key, "two", acquire_timeout=0.001)
    assert not manager.wait_for_lock(key, timeout=0.001)
    assert manager.acquire_lock(f"{key} of another", "two", acquire_timeout=0)
    manager.release_lock(key, "one")
    assert manager.wait_for_lock(key)
    assert not manager.is_lock_holder(key, "one")
    assert manager.acquire_lock(key, "two", acquire_timeout=0)


def test_only_the_holder_gives_it_back(manager: LockManager, key: str) -> None:
    manager.acquire_lock(key, "one")
    with pytest.raises(UsageError, match="is not held by 'two'"):
        manager.release_lock(key, "two")
    assert manager.is_lock_holder(key, "one")


@pytest.mark.parametrize("limit", [None, 60.0])
def test_who_waits_has_it_when_it_is_given_back(manager: LockManager, key: str, limit: float | None) -> None:
    manager.acquire_lock(key, "one")
    waiting, answers = on_a_thread(lambda: manager.acquire_lock(key, "two", limit))
    watching, free = on_a_thread(lambda: manager.wait_for_lock(key, limit))
    manager.release_lock(key, "one")
    waiting.join()
    assert answers == [True]
    assert manager.is_lock_holder(key, "two")
    manager.release_lock(key, "two")
    watching.join()
    assert free == [True]


def test_a_lock_that_is_held_for_too_long_comes_free(manager: LockManager, key: str) -> None:
    assert manager.acquire_lock(key, "one", hold_timeout=0.01)
    assert manager.acquire_lock(key, "two", acquire_timeout=60)
    with pytest.raises(UsageError):
        manager.release_lock(key, "one")
    assert manager.is_lock_holder(key, "two")


def test_a_lock_given_back_in_time_is_not_taken_from_the_next(manager: LockManager, key: str) -> None:
    assert manager.acquire_lock(key, "one", hold_timeout=60)
    manager.release_lock(key, "one")
    assert manager.acquire_lock(key, "two")
    assert manager.is_lock_holder(key, "two")


def test_coroutines_wait_without_blocking_their_loop(manager: LockManager, key: str) -> None:
    async def main() -> None:
        assert await manager.aacquire_lock(key, "one")
        waiting = asyncio.ensure_future(manager.aacquire_lock(key, "two"))
        assert not await manager.await_for_lock(key, 0)
        manager.release_lock(key, "one")
        assert await waiting
        assert manager.is_lock_holder(key, "two")

    asyncio.run(main())


HOLDER = """
import sys
from headrace.locking import FileSystemLockManager
print(FileSystemLockManager(sys.argv[1]).acquire_lock("key", "elsewhere"), flush=True)
sys.stdin.readline()
"""


def test_files_lock_across_processes_and_come_free_when_one_dies(tmp_path: Path) -> None:
    manager = FileSystemLockManager(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert manager.is_lock_holder("key", "elsewhere")
        assert not manager.acquire_lock("key", "here", acquire_timeout=0)
        with pytest.raises(UsageError, match="is not held by 'elsewhere' here"):
            manager.release_lock("key", "elsewhere")
        process.kill()
    assert manager.acquire_lock("key", "here", acquire_timeout=60)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"No locks can be kept in .*file"):
        FileSystemLockManager(tmp_path / "file" / "locks").acquire_lock("key", "one")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(UsageError, match="a system whose files can be locked"):
        FileSystemLockManager(tmp_path).acquire_lock("key", "one")
