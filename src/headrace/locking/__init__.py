"""Lock managers: by what calls of one cache key take turns (`CachePolicy.configure`)."""

from headrace.engine.locking import LockManager
from headrace.locking.filesystem import FileSystemLockManager
from headrace.locking.memory import MemoryLockManager

__all__ = ["FileSystemLockManager", "LockManager", "MemoryLockManager"]
